// n8n (CVE-2025-68668): what Pyodide left open: js, pyodide, _pyodide.
return ['pyodide', 'loadPyodide', 'Module', 'FS', 'ENV', '_pyodide', 'js', 'runPython'].find((name) => name in globalThis) ?? null;

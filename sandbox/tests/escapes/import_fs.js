// F4, F7: import("fs") and relatives.
for (const name of ['fs', 'node:fs', 'node:process', 'inspector/promises', 'std', 'os', 'qjs:std', 'qjs:os', 'bjson', '/etc/passwd',
  './code.js', 'file:///etc/passwd', 'https://example.com/x.js', 'data:text/javascript,export default 1']) {
  try {
    await import(name);
    return name;
  } catch {}
}
return null;

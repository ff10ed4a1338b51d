// vm2 (CVE-2023-29017 and later): exceptions of WebAssembly carry objects of the host.
try {
  return typeof new WebAssembly.Tag({ parameters: ['externref'] });
} catch (error) {
  return error instanceof ReferenceError ? null : String(error);
}

// F4: the globals of Deno and Bun.
return ['Deno', 'Bun', 'WebAssembly', 'SharedArrayBuffer', 'Atomics'].find((name) => name in globalThis) ?? null;

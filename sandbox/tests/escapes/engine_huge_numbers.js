// Memory: lengths and indexes at the edges of integers.
// expects: any
for (const size of [-1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, NaN, Infinity, 1e308]) {
  for (const make of [(n) => new Array(n), (n) => new ArrayBuffer(n), (n) => new Uint8Array(n), (n) => 'x'.repeat(n), (n) => 'x'.padEnd(n), (n) => new DataView(new ArrayBuffer(8), n),
    (n) => Array.from({ length: n > 1e6 ? 0 : n }), (n) => [].concat().at(n), (n) => new Uint8Array(8).subarray(n, n).length, (n) => 2n ** BigInt(Math.trunc(n))]) {
    try { make(size); } catch {}
  }
}
return null;

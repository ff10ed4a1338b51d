// Memory: iterators that return, throw and change what they walk over.
const evil = { [Symbol.iterator]() { let n = 0; return { next: () => (n++ < 9 ? { value: [n, n] } : { done: true }), return() { throw new Error('closed'); } }; } };
for (const make of [() => new Map(evil), () => new Set(evil), () => Array.from(evil), () => { for (const x of evil) break; }, () => { const [a] = evil; }, () => Promise.all(evil), () => Object.fromEntries(evil)]) {
  try { await make(); } catch {}
}
const map = new Map([[1, 1]]);
let turns = 0;
for (const [key] of map) { map.delete(key); if (turns++ < 1000) map.set(turns, 1); }
return null;

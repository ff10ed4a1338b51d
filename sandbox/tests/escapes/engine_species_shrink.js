// Memory: a list that shrinks, and a species that lies, while they are worked on.
class Liar extends Array { static get [Symbol.species]() { return function () { return Object.freeze([]); }; } }
const list = new Array(1000).fill(1);
try { list.map((_, at) => { if (at === 1) list.length = 0; return 0; }); } catch {}
try { list.sort(() => { list.length = 0; return 1; }); } catch {}
try { Liar.from([1, 2, 3]).concat([4]); } catch {}
try { list.splice(0, { valueOf() { list.length = 0; return 500; } }); } catch {}
const bytes = new Uint8Array(64);
try { bytes.fill({ valueOf() { bytes.buffer.transfer?.(0); return 1; } }); } catch {}
try { bytes.set({ length: 4, get 0() { bytes.buffer.transfer?.(0); return 1; } }); } catch {}
return null;

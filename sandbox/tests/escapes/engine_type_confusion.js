// Memory: methods of typed arrays, dates, maps on what they are not.
const wrong = [{}, [], 1, 'x', null, undefined, Symbol(), 1n, () => {}, new Proxy([], {}), new Map(), new Date(0), /x/];
const protos = [Uint8Array.prototype, ArrayBuffer.prototype, DataView.prototype, Map.prototype, Set.prototype, Date.prototype, RegExp.prototype,
  Promise.prototype, WeakMap.prototype];
for (const proto of protos) {
  for (const key of Reflect.ownKeys(proto)) {
    const method = Object.getOwnPropertyDescriptor(proto, key).value;
    if (typeof method !== 'function' || key === 'constructor') continue;
    for (const value of wrong) { try { method.call(value, value, value); } catch {} }
  }
}
return null;

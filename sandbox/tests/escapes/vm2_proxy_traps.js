// vm2: a proxy as the result sees the functions with which the host reads it.
let seen = null;
const trap = new Proxy({}, {
  ownKeys(...given) { seen = given; return ['a']; },
  getOwnPropertyDescriptor: () => ({ value: null, enumerable: true, configurable: true }),
  get(target, key, receiver) {
    if (key === 'then' || key === 'toJSON') return undefined;
    return null;
  },
});
JSON.stringify(trap);
return (seen ?? []).map((value) => value.constructor.constructor('return typeof process')()).find((kind) => kind !== 'undefined') ?? null;

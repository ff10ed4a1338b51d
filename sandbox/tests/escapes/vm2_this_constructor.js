// vm2: the constructor of the constructor of this, as in its first escapes.
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [globalThis.constructor.constructor, (function () { return this; }).constructor, (() => {}).constructor].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

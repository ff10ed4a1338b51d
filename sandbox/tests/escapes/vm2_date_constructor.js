// vm2: the constructor of what the host replaced: Date, Math.random, crypto, performance.
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [Date.constructor, new Date().constructor.constructor, Math.random.constructor, crypto.randomUUID.constructor, performance.now.constructor].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

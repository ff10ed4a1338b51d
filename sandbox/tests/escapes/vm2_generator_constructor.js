// vm2: constructors of generators, async functions and async generators.
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [(text) => () => (function* () {}).constructor(text)().next().value].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

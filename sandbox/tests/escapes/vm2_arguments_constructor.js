// vm2: the constructor of the arguments that the host passes.
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [arguments.constructor.constructor, arguments[0].constructor.constructor, arguments[Symbol.iterator].constructor].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

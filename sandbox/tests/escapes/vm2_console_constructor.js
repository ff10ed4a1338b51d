// vm2: the constructor of a function of the host, such as console.log.
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [console.log.constructor, console.constructor.constructor, console.error.bind().constructor].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

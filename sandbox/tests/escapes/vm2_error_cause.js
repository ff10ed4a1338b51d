// vm2: errors of the host, made by its own functions on bad arguments.
const thrown = [];
for (const call of [() => console.log({ toJSON() { throw 1; } }), () => crypto.getRandomValues(null), () => Math.random.call(null),
  () => Date.now.call(1), () => JSON.parse('{'), () => new Date(Symbol())]) {
  try { call(); } catch (error) { thrown.push(error); }
}
const foreign = thrown.find((error) => !(error instanceof Error));
return foreign === undefined ? null : String(foreign);

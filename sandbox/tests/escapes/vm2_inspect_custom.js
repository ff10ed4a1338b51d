// vm2 (CVE-2023-37903): the custom inspection function of Node gets the inspect of the host.
let seen = null;
const custom = Symbol.for('nodejs.util.inspect.custom');
console.log({ [custom]: (depth, options, inspect) => { seen = inspect ?? options; return ''; } });
console.error(Object.assign(() => {}, { [custom]: (...given) => { seen = given; } }));
return seen === null ? null : 'inspected';

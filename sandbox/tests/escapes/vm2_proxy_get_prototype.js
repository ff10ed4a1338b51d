// vm2: getPrototypeOf of a proxy of a function of the host.
const proxy = new Proxy(console.log, {});
const found = proxy.constructor('return typeof process')();
return found === 'undefined' ? null : found;

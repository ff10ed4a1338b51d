// n8n: this of a sloppy function is the global object of the host.
const that = new Function('return this')();
return that === globalThis && typeof that.process === 'undefined' ? null : 'another world';

// F8: an error whose message grows as it is read.
// expects: thrown
const error = new Error();
Object.defineProperty(error, 'message', { get: () => 'm'.repeat(10_000_000) });
Object.defineProperty(error, 'stack', { get: () => '    at f (code.js:1:1)\n'.repeat(100_000) });
throw error;

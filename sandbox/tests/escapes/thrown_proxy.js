// vm2 (CVE-2023-32313 and others): throws a proxy, whose traps run while the host reads the error.
// expects: thrown
throw new Proxy(new Error('trap'), {
  get(target, key) {
    if (key === 'stack') return { toString: () => 'x'.repeat(1e6) };
    return target[key];
  },
  getPrototypeOf() {
    throw new Error('no');
  },
});

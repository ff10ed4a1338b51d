// What is used later is taken now; a script may change every object that it can reach.
((now, write, longest) => {
  // The clock stands still, and the constructor that asks the system is not reachable any more.
  const RealDate = Date;
  const { prototype, parse, UTC } = RealDate;
  const { toString } = prototype;
  const { construct, apply } = Reflect;
  const { defineProperty } = Object;
  function FixedDate(...parts) {
    if (new.target === undefined) return apply(toString, new RealDate(now()), []);
    return construct(RealDate, parts.length === 0 ? [now()] : parts, new.target);
  }
  const put = (target, name, value) => defineProperty(target, name, { value, writable: true, configurable: true });
  put(FixedDate, 'now', now);
  put(FixedDate, 'parse', parse);
  put(FixedDate, 'UTC', UTC);
  defineProperty(FixedDate, 'name', { value: 'Date', configurable: true });
  defineProperty(FixedDate, 'length', { value: 7, configurable: true });
  defineProperty(FixedDate, 'prototype', { value: prototype, writable: false });
  put(prototype, 'constructor', FixedDate);
  put(globalThis, 'Date', FixedDate);

  // Texts leave this place one line long at most, however long they are, and as text that is one to everybody.
  const { slice, toWellFormed } = String.prototype;
  const cut = (text) => apply(toWellFormed, apply(slice, text, [0, longest]), []);
  const line = (level) => (...values) => write(level, cut, values);
  const log = line(1);
  put(globalThis, 'console', { debug: line(0), log, info: line(1), warn: line(2), error: line(3), trace: line(0) });
})

// E7: finds the clock of the system behind the given one.
const before = Date.now();
for (let i = 0; i < 3e6; i++);
const clocks = [Date.now(), new Date().getTime(), +new (class extends Date {})(), +Reflect.construct(Date, []), new Date().constructor.now(),
  Object.getPrototypeOf(new Date()).constructor.now(), +new (Object.getPrototypeOf(new Date()).constructor)(), Date.prototype.constructor.now(),
  +Reflect.construct(Date, [], Date), performance.timeOrigin + performance.now()];
return clocks.find((clock) => clock !== before) ?? null;

// E7: a class over Date with another prototype asks the system.
function Odd() {}
Odd.prototype = null;
const made = Reflect.construct(Date, [], Odd);
return Date.prototype.getTime.call(made) === Date.now() ? null : 'the clock of the system';

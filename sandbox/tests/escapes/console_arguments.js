// F9: arguments.callee and caller of the functions around.
const tries = [() => arguments.callee, () => console.log.caller, () => console.log.arguments, () => (function f() { return f.caller; })()];
const found = tries.map((call) => { try { return call(); } catch { return null; } }).find((value) => value);
return found ? 'reached' : null;

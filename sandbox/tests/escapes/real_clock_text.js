// E7: the clock of the system in texts: Date() without new, toLocaleString, time zones.
const text = Date();
const same = new Date(Date.now()).toString();
if (text !== same) return text;
return new Date(2026, 6, 1).getTimezoneOffset() === 0 && /GMT\+0000/.test(text) ? null : text;

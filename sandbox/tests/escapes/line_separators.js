// E7: line separators in texts and code.
const a = "\u2028"; return a.length === 1 ? null : a;

// Memory: a regular expression that is compiled anew while it replaces.
const pattern = /a/g;
'aaaa'.replace(pattern, () => { pattern.compile?.('(((b)))', 'g'); return 'x'; });
try { RegExp.prototype.exec.call(pattern, { toString() { pattern.lastIndex = 1e9; return 'a'; } }); } catch {}
return null;

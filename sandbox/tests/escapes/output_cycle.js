// F8: a result that contains itself.
// expects: refused
const a = {};
a.a = a;
return a;

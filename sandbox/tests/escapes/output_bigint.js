// F8: a result that JSON does not know.
// expects: refused
return { n: 1n };

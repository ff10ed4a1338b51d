// F8: a result of 100 MB.
// expects: refused
return 'x'.repeat(40_000_000);

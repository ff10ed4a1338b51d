// F1: an error that never stops being read.
// expects: time
throw { get message() { for (;;); } };

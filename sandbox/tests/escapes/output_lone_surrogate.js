// F8: a result with half a character.
// expects: any
return ['\ud800'];

// F9: changes the prototypes of lists, texts, promises and functions.
for (const kind of [Array, String, Number, Promise, Function, Map, Set, RegExp, Date]) kind.prototype.canary = 'canary-left-behind';
Array.prototype.map = Array.prototype.push = String.prototype.slice = () => 'canary-left-behind';
return null;

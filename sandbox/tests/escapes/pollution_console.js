// F9: changes the console and the clock of whoever comes next.
console.log = Date.now = Math.random = () => 'canary-left-behind';
Date.prototype.toISOString = () => 'canary-left-behind';
globalThis.Date = class { static now() { return 'canary-left-behind'; } };
globalThis.canary = 'canary-left-behind';
return null;

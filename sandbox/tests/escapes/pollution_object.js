// F9: changes Object.prototype for whoever comes next.
// expects: any
Object.prototype.polluted = 'canary-left-behind';
Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'canary-left-behind', configurable: true });
return null;

// F9: the registry of symbols, which all realms of a runtime share.
const before = Symbol.for('canary-registry');
return Symbol.keyFor(before) === 'canary-registry' && Symbol.for('victim')?.canary === undefined ? null : 'shared';

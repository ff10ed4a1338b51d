// E7: __proto__ in the input changes no prototype.
const made = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
const copy = { ...made };
return ({}).polluted || [].polluted ? 'polluted' : null;

// F8: a result that changes while it is written.
let n = 0;
return { toJSON: () => (n++ === 0 ? null : 'again') };

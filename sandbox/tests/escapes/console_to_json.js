// F9: toJSON and getters run while the host writes a line; what do they see?
let that = null;
console.log({ toJSON(...given) { that = [this, ...given].map((value) => typeof value).join(); return 'x'; } });
console.log({ get x() { return new Error().stack; } });
return that === 'object,string' || that === null ? null : that;

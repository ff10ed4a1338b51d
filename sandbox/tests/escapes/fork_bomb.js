// F3: as many runtimes as it can make.
const kinds = ['ShadowRealm', 'Realm', 'Worker', 'vm', 'Isolate', 'Compartment'];
return kinds.find((name) => name in globalThis) ?? null;

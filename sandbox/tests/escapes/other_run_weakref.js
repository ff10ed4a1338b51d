// F9: weak references and finalizers, which run later.
return ['WeakRef', 'FinalizationRegistry'].find((name) => name in globalThis) ?? null;

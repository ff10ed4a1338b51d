// F9: leaves a task behind that runs in the next execution.
queueMicrotask(() => { globalThis.canary = 'canary-left-behind'; });
Promise.resolve().then(function again() { globalThis.canary = 'canary-left-behind'; });
return null;

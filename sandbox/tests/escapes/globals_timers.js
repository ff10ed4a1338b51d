// F1: timers, with which a script would outlive its run.
return ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'].find((name) => name in globalThis) ?? null;

// F4: what the shell of the engine offers: std, os, bjs, print, load, scriptArgs, Worker.
const names = ['std', 'os', 'bjson', 'print', 'load', 'loadFile', 'scriptArgs', 'gc', 'quit', 'read', 'write', 'readline', 'host'];
return names.find((name) => name in globalThis) ?? null;

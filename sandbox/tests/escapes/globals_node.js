// F4: the globals of Node: process, require, module, Buffer.
const names = ['process', 'require', 'module', 'exports', 'Buffer', '__dirname', '__filename', 'global', 'setImmediate'];
return names.find((name) => name in globalThis) ?? null;

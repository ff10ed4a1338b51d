// vm2 (CVE-2023-29017): prepareStackTrace during an async error that the host handles.
let seen = null;
Error.prepareStackTrace = (error, sites) => {
  seen = sites;
  return { toString: () => 'forged' };
};
try { await Promise.reject(new Error('x')); } catch (error) { void error.stack; }
const files = (seen ?? []).map((site) => site?.getFileName?.()).filter((name) => name && name !== 'code.js');
return files.find((name) => name.includes('/')) ?? null;

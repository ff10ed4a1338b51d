// vm2 (CVE-2026-47140): process and inspector/promises, missing on a deny list.
const tries = [() => require('process'), () => process.binding('spawn_sync'), () => process.mainModule.require('child_process'),
  () => module.constructor._load('fs'), () => globalThis.process.getBuiltinModule('inspector/promises')];
for (const attempt of tries) {
  try { attempt(); return 'reached'; } catch (error) { if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error; }
}
return null;

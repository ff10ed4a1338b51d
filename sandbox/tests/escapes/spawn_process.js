// F3: starts a process.
for (const way of ["os.exec(['id'])", "require('child_process').execSync('id')", "std.popen('id', 'r')", "Deno.Command", "Bun.spawn(['id'])",
  "process.dlopen", "process.kill(1)", "new Worker('x')", "os.Worker"]) {
  try { const found = (0, eval)(way); if (found !== undefined) return way; } catch {}
}
return null;

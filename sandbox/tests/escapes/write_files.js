// F3: writes ten thousand files and fills the disk.
for (const way of ["std.open('/tmp/canary', 'w')", "std.tmpfile()", "require('fs').writeFileSync('x', '')", "os.mkdir('/tmp/canary')"]) {
  try { const found = (0, eval)(way); if (found !== undefined) return way; } catch {}
}
return null;

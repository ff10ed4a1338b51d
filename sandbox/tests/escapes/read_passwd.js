// F4: reads /etc/passwd in every way that other engines offer.
const path = '/etc/passwd';
const ways = ["std.loadFile('%')", "std.open('%', 'r').readAsString()", "os.open('%', 0)", "read('%')", "readFile('%')", "load('%')",
  "require('fs').readFileSync('%')", "Deno.readTextFileSync('%')", "Bun.file('%')", "process.binding('fs')", "java.nio.file.Files",
  "new ActiveXObject('Scripting.FileSystemObject')", "snarf('%')", "open('%')"];
for (const way of ways) {
  try { const found = (0, eval)(way.replace('%', path)); if (found !== undefined) return way; } catch {}
}
return null;

// F4: reads /proc/self/environ and the environment.
for (const way of ['process.env', 'std.getenviron()', "std.getenv('PATH')", "os.environ", 'Deno.env.toObject()', "std.loadFile('/proc/self/environ')"]) {
  try { const found = (0, eval)(way); if (found !== undefined) return way; } catch {}
}
return null;

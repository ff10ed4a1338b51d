// F5: opens a socket.
for (const way of ["fetch('http://169.254.169.254/')", "new WebSocket('ws://127.0.0.1')", "new XMLHttpRequest()", "require('net')",
  "os.connect", "navigator.sendBeacon('http://127.0.0.1')", "new EventSource('http://127.0.0.1')", "Deno.connect"]) {
  try { const found = (0, eval)(way); if (found !== undefined) return way; } catch {}
}
return null;

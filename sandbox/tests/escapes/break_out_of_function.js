// n8n (CVE-2025-68613): ends the function around the code and goes on outside.
}); globalThis.outside = typeof process; (async function () { return globalThis.outside === 'undefined' ? null : globalThis.outside;

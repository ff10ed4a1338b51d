// vm2 (CVE-2026-47210): a promise of WebAssembly with JavaScript promise integration.
if (typeof WebAssembly === 'undefined') return null;
const promising = WebAssembly.promising ?? WebAssembly.Suspending;
return typeof promising === 'undefined' ? 'there is WebAssembly' : 'there is JSPI';

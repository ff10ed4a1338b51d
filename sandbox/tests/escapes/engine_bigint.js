// F1, F2: numbers of a billion digits.
// expects: any
try { return String(2n ** 100000000n).length > 0 ? 'computed' : null; } catch { return null; }

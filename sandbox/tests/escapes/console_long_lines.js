// F8: lines of 10 MB.
// expects: any
for (let n = 0; n < 20; n++) console.warn('w'.repeat(10_000_000), { deep: ['x'.repeat(1_000_000)] });
return null;

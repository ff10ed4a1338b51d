// Memory: JSON nested a million times, read and written.
try { JSON.parse('['.repeat(1e6)); } catch (error) { if (!(error instanceof SyntaxError || error instanceof RangeError || error instanceof InternalError)) return 'odd'; }
let nested = [];
for (let depth = 0; depth < 1e5; depth++) nested = [nested];
try { JSON.stringify(nested); } catch (error) { if (!(error instanceof RangeError || error instanceof InternalError)) return 'odd'; }
return null;

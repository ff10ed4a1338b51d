// E7: what reads fast and runs for ever, or reads for ever.
const source = 'a:'.repeat(1) + Array.from({ length: 2000 }, (_, n) => 'l' + n + ':').join('') + '{}';
try { new Function(source); } catch {}
try { new Function(Array.from({ length: 70000 }, (_, n) => 'v' + n).join(','), ''); } catch {}
try { new Function('return [' + '1,'.repeat(300000) + ']')(); } catch {}
return null;

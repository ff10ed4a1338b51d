// Memory: generators that call themselves while they run.
// expects: any
const walk = (function* () { try { walk.next(); } catch {} try { walk.return(1); } catch {} yield 1; })();
walk.next();
walk.return();
const slow = (async function* () { yield slow.next(); yield slow.return(1); })();
await slow.next().catch(() => {});
return null;

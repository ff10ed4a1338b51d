// F4: paths of the server in the stacks of errors.
const stacks = [];
try { null.x; } catch (error) { stacks.push(error.stack); }
try { JSON.parse('{'); } catch (error) { stacks.push(error.stack); }
try { console.log.call(); new Function('throw new Error()')(); } catch (error) { stacks.push(error.stack); }
try { crypto.getRandomValues(1); } catch (error) { stacks.push(error.stack); }
return stacks.find((stack) => /\/(root|home|usr|tmp|etc|target)\b|\.rs\b/.test(stack)) ?? null;

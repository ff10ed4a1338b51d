// F7: import within eval and new Function.
for (const make of [(text) => eval(text), (text) => (0, eval)(text), (text) => new Function('return ' + text)()]) {
  try {
    const found = await make("import('os')");
    if (found) return 'reached';
  } catch {}
}
return null;

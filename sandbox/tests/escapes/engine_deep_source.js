// Memory: source nested so deep that reading it would end the stack.
for (const [open, close] of [['(', ')'], ['[', ']'], ['{', '}'], ['-', ''], ['a?b:', 'c'], ['()=>', '1'], ['`${', '}`']]) {
  try { new Function('return ' + open.repeat(2e5) + '1' + close.repeat(2e5)); } catch {}
}
return null;

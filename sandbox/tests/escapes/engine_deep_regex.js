// Memory: regular expressions nested so deep that reading them would end the stack.
for (const text of ['('.repeat(2e5) + ')'.repeat(2e5), '(?:'.repeat(1e5) + ')'.repeat(1e5), 'a{2147483647}', '(a{1000}){1000}', '[' + '\\u{10ffff}'.repeat(1e5) + ']']) {
  try { new RegExp(text, 'u').exec('a'.repeat(100)); } catch {}
}
return null;

// F8: texts that are no Unicode.
return '\ud800' + '\udc00' === '\u{10000}' && '\ud800'.length === 1 ? null : 'odd';

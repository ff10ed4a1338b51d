// F8: 200,000 lines.
for (let n = 0; n < 200_000; n++) console.log('line ' + n);
return null;

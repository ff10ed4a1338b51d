// F8: a console line that looks like a frame of the protocol.
console.log('\x05\x00\x00\x00\x00\x00\x04null');
console.error(String.fromCharCode(...Array.from({ length: 512 }, (_, n) => n)));
return null;

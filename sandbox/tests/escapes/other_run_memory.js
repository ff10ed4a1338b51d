// F9: memory that is not cleared: fresh buffers full of what was freed.
for (let size = 16; size <= 1 << 16; size *= 4) {
  for (let round = 0; round < 20; round++) {
    if (new Uint8Array(size).some((byte) => byte !== 0)) return 'left over';
    if (new Uint8Array(new ArrayBuffer(size)).some((byte) => byte !== 0)) return 'left over';
  }
}
return null;

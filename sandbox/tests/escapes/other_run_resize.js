// F9: memory behind the end of a buffer that was shrunk, grown, transferred or detached.
const buffer = new ArrayBuffer(16, { maxByteLength: 1 << 20 });
const view = new Uint8Array(buffer);
buffer.resize?.(1 << 20);
if (view.some((byte) => byte !== 0)) return 'left over';
buffer.resize?.(8);
if (view[100] !== undefined) return 'out of bounds';
const moved = buffer.transfer?.(1 << 16);
if (moved && new Uint8Array(moved).some((byte) => byte !== 0)) return 'left over';
return view.length === 0 || view[0] === undefined || view[0] === 0 ? null : 'detached';

//! Writes an archive as it comes: sizes and sums stand after each member, and all again in the directory at the end.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::{CENTRAL, DESCRIPTOR, END, END_64, END_64_LOCATOR, EXTRA_64, IN_64, LOCAL};

/// Sizes behind the bytes; names in UTF-8.
const FLAGS: u16 = 0x0808;
const DEFLATED: u16 = 8;
/// Made on Unix, by version 4.5, which also is what reads it where numbers are large.
const MADE_BY: u16 = 3 << 8 | 45;
/// A plain file that its owner writes and all read.
const MODE: u32 = 0o100_644 << 16;
/// The first day that an archive knows: the same files give the same archive.
const DAY: u16 = 0x21;

struct Entry {
    path: String,
    header_at: u64,
    size: u64,
    packed: u64,
    crc: u32,
}

/// Writes an archive.
pub(in crate::file::convert) struct Packer<W: Write> {
    out: Counted<W>,
    entries: Vec<Entry>,
}

/// Counts what goes through.
struct Counted<W> {
    out: W,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.out.write(buffer)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Numbers one after another, the lowest byte first.
struct Record(Vec<u8>);

impl Record {
    fn new(mark: u32) -> Self {
        Self(mark.to_le_bytes().to_vec())
    }

    fn u16(mut self, number: u16) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u32(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u64(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}

/// The number where it fits, else the mark that it stands elsewhere.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(IN_64)
}

impl<W: Write> Packer<W> {
    pub(in crate::file::convert) fn new(out: W) -> Self {
        Self { out: Counted { out, count: 0 }, entries: Vec::new() }
    }

    /// Adds a member of `size` bytes, which `copy` writes.
    pub(in crate::file::convert) fn add(
        &mut self,
        path: &str,
        size: u64,
        copy: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let header_at = self.out.count;
        // What does not shrink grows by a little.
        let is_large = size > u64::from(IN_64) - u64::from(IN_64 >> 8);
        let name_len = u16::try_from(path.len()).map_err(io::Error::other)?;
        let local =
            Record::new(LOCAL).u16(if is_large { 45 } else { 20 }).u16(FLAGS).u16(DEFLATED).u16(0).u16(DAY).u32(0);
        let sizes = if is_large { IN_64 } else { 0 };
        let local = local.u32(sizes).u32(sizes).u16(name_len).u16(if is_large { 20 } else { 0 }).text(path);
        let local = if is_large { local.u16(EXTRA_64).u16(16).u64(0).u64(0) } else { local };
        self.out.write_all(&local.0)?;
        let data_at = self.out.count;
        let (crc, written) = {
            let out = DeflateEncoder::new(&mut self.out, Compression::default());
            let mut packing = Summed { out, sum: Crc::new(), size: 0 };
            copy(&mut packing)?;
            packing.out.try_finish()?;
            (packing.sum.sum(), packing.size)
        };
        if written != size {
            return Err(io::Error::other(format!("the file `{path}` has {written} bytes, and not {size}")));
        }
        let packed = self.out.count - data_at;
        let after = Record::new(DESCRIPTOR).u32(crc);
        let after = if is_large { after.u64(packed).u64(size) } else { after.u32(short(packed)).u32(short(size)) };
        self.out.write_all(&after.0)?;
        self.entries.push(Entry { path: path.to_owned(), header_at, size, packed, crc });
        Ok(())
    }

    /// Writes the directory.
    pub(in crate::file::convert) fn end(mut self) -> io::Result<()> {
        let at = self.out.count;
        for entry in &self.entries {
            let numbers = [entry.size, entry.packed, entry.header_at];
            let large: Vec<u64> = numbers.into_iter().filter(|number| short(*number) == IN_64).collect();
            let extra_len = if large.is_empty() { 0 } else { 4 + 8 * large.len() };
            let name_len = u16::try_from(entry.path.len()).map_err(io::Error::other)?;
            let mut record = Record::new(CENTRAL)
                .u16(MADE_BY)
                .u16(if large.is_empty() { 20 } else { 45 })
                .u16(FLAGS)
                .u16(DEFLATED)
                .u16(0)
                .u16(DAY)
                .u32(entry.crc)
                .u32(short(entry.packed))
                .u32(short(entry.size))
                .u16(name_len)
                .u16(u16::try_from(extra_len).unwrap_or_default())
                .u16(0)
                .u16(0)
                .u16(0)
                .u32(MODE)
                .u32(short(entry.header_at))
                .text(&entry.path);
            if !large.is_empty() {
                record = record.u16(EXTRA_64).u16(u16::try_from(8 * large.len()).unwrap_or_default());
                record = large.into_iter().fold(record, Record::u64);
            }
            self.out.write_all(&record.0)?;
        }
        let (end, count) = (self.out.count, self.entries.len() as u64);
        let len = end - at;
        if short(at) == IN_64 || short(len) == IN_64 || count >= 0xFFFF {
            let record = Record::new(END_64).u64(44).u16(MADE_BY).u16(45).u32(0).u32(0);
            let record = record.u64(count).u64(count).u64(len).u64(at);
            let locator = Record::new(END_64_LOCATOR).u32(0).u64(end).u32(1);
            self.out.write_all(&record.0)?;
            self.out.write_all(&locator.0)?;
        }
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        let record = Record::new(END).u16(0).u16(0).u16(count).u16(count).u32(short(len)).u32(short(at)).u16(0);
        self.out.write_all(&record.0)
    }
}

/// Sums and counts what is packed.
struct Summed<W: Write> {
    out: DeflateEncoder<W>,
    sum: Crc,
    size: u64,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.out.write(buffer)?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

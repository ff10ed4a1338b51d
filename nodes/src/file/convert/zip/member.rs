//! The bytes of a member, held against what the directory says.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use engine::error::ErrorInfo;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::super::bound::unread;
use super::super::pipe::Trouble;
use super::{Archive, invalid};

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

enum Bytes<'a, R: Read> {
    Stored(BufReader<Take<&'a mut R>>),
    Deflated(Box<DeflateDecoder<BufReader<Take<&'a mut R>>>>),
}

/// What a member unpacks to. It fails where the bytes are not those that were packed, or more or fewer.
pub(in crate::file::convert) struct Unpacked<'a, R: Read> {
    bytes: Bytes<'a, R>,
    path: &'a str,
    left: u64,
    crc: u32,
    sum: Crc,
    trouble: Trouble,
}

impl<R: Read + Seek> Archive<R> {
    /// Opens a member.
    pub(in crate::file::convert) fn member(
        &mut self,
        index: usize,
        trouble: &Trouble,
    ) -> Result<Unpacked<'_, R>, ErrorInfo> {
        let Self { file, members } = self;
        let member = members.get(index).ok_or_else(|| invalid("it has no such member"))?;
        file.seek(SeekFrom::Start(member.data_at)).map_err(|error| unread(&error))?;
        let packed = BufReader::with_capacity(CHUNK, file.take(member.packed));
        let bytes = match member.is_deflated {
            true => Bytes::Deflated(Box::new(DeflateDecoder::new(packed))),
            false => Bytes::Stored(packed),
        };
        let (left, crc, sum, trouble) = (member.size, member.crc, Crc::new(), trouble.clone());
        Ok(Unpacked { bytes, path: &member.path, left, crc, sum, trouble })
    }
}

impl<R: Read> Unpacked<'_, R> {
    fn damaged(&self, why: &str) -> io::Error {
        let message = format!("the member {:?} of the archive {why}. Let it be made and sent again", self.path);
        self.trouble.stop(ErrorInfo::permanent("ZIP_DAMAGED", message))
    }
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = match &mut self.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer),
            Bytes::Deflated(bytes) => bytes.read(buffer),
        };
        let count = count.map_err(|error| self.damaged(&format!("cannot be unpacked: {error}")))?;
        self.sum.update(buffer.get(..count).unwrap_or_default());
        match self.left.checked_sub(count as u64) {
            // Whatever the directory promised is not exceeded by a byte that anybody gets.
            None => Err(self.damaged("has more bytes than it says")),
            Some(left) => {
                self.left = left;
                match (count, left) {
                    (0, 0) if self.sum.sum() == self.crc => Ok(0),
                    (0, 0) => Err(self.damaged("has other bytes than were packed")),
                    (0, _) => Err(self.damaged("has fewer bytes than it says")),
                    _ => Ok(count),
                }
            }
        }
    }
}

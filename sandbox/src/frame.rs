//! Frames: four bytes of length, then that many bytes of a message.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Room for everything in a message that is not the one large value in it.
pub(crate) const OVERHEAD: usize = 256 * 1024;

/// Why the other side could not be talked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// It is gone.
    #[error("the other side has gone")]
    Gone,
    /// A frame is longer than it may be.
    #[error("a frame of {bytes} bytes came; at most {most} are taken")]
    TooLarge { bytes: usize, most: usize },
    /// What came is no message.
    #[error("what came cannot be read: {0}")]
    Malformed(postcard::Error),
    /// It took too long.
    #[error("the other side took too long")]
    TimedOut,
    /// The pipe failed.
    #[error(transparent)]
    Pipe(io::Error),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => Self::Gone,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Pipe(error),
        }
    }
}

/// A message as a frame.
pub(crate) fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(FrameError::Malformed)?;
    let length = u32::try_from(frame.len().saturating_sub(4)).unwrap_or(u32::MAX);
    for (at, byte) in frame.iter_mut().zip(length.to_le_bytes()) {
        *at = byte;
    }
    Ok(frame)
}

/// Writes a message.
pub(crate) fn write(to: &mut impl Write, message: &impl Serialize) -> Result<(), FrameError> {
    to.write_all(&encode(message)?)?;
    Ok(to.flush()?)
}

/// Reads a message of at most `most` bytes.
pub(crate) fn read<M: DeserializeOwned>(from: &mut impl Read, most: usize) -> Result<M, FrameError> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let bytes = u32::from_le_bytes(length) as usize;
    if bytes > most {
        return Err(FrameError::TooLarge { bytes, most });
    }
    // Grown as bytes come, so that a length alone costs nothing.
    let mut body = Vec::with_capacity(bytes.min(OVERHEAD));
    from.take(bytes as u64).read_to_end(&mut body)?;
    if body.len() < bytes {
        return Err(FrameError::Gone);
    }
    postcard::from_bytes(&body).map_err(FrameError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Ask;

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut wire = Vec::new();
        write(&mut wire, &Ask::Check("return 1".to_owned())).unwrap();
        let Ask::Check(source) = read(&mut wire.as_slice(), 100).unwrap() else { panic!("another message") };
        assert_eq!(source, "return 1");
    }

    #[test]
    fn f8_a_frame_that_is_too_long_or_cut_or_makes_no_sense_is_refused() {
        let read = |wire: &[u8]| read::<Ask>(&mut &*wire, 100).unwrap_err();
        assert!(matches!(read(&[255, 255, 255, 255, 0]), FrameError::TooLarge { bytes: 0xffff_ffff, most: 100 }));
        assert!(matches!(read(&[9, 0, 0, 0, 1]), FrameError::Gone));
        assert!(matches!(read(&[9, 0]), FrameError::Gone));
        assert!(matches!(read(&[1, 0, 0, 0, 200]), FrameError::Malformed(_)));
        // A text that says it has four billion bytes.
        assert!(matches!(read(&[7, 0, 0, 0, 1, 255, 255, 255, 255, 15, 65]), FrameError::Malformed(_)));
    }
}

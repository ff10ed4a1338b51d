//! Bounds on what is read, so that no file makes a converter hold more than a few MiB at a time.

use std::io::{self, Read, Write};

use engine::error::ErrorInfo;

use super::pipe::Trouble;

/// Longest record of a list that is read as it comes, in bytes: a row, a line, an element, a cell.
pub(super) const RECORD: u64 = 1024 * 1024;
/// Longest document that is read as a whole, in bytes.
pub(super) const DOCUMENT: u64 = crate::file::read::LARGEST_VALUE;
/// Most columns of a table, as many as a spreadsheet has.
pub(super) const COLUMNS: usize = 16_384;
/// Deepest nesting: what is deeper could not be read back as JSON.
pub(super) const DEPTH: usize = 120;

/// A reader that stops when one record takes more than it may.
pub(super) struct Metered<R> {
    inner: R,
    left: u64,
    place: u64,
    error: fn(u64) -> ErrorInfo,
    trouble: Trouble,
    /// The last byte that came, and whether lines end in two; known from the first that does.
    last: u8,
    has_pairs: Option<bool>,
    is_over: bool,
}

impl<R: Read> Metered<R> {
    /// Stops with what `error` makes of the place of the record that is too long.
    pub(super) fn new(inner: R, error: fn(u64) -> ErrorInfo, trouble: Trouble) -> Self {
        Self { inner, left: RECORD, place: 1, error, trouble, last: 0, has_pairs: None, is_over: false }
    }

    /// Whether lines end in a carriage return and a line feed.
    pub(super) fn has_pairs(&self) -> bool {
        self.has_pairs == Some(true)
    }

    /// Whether the end was seen.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    fn look(&mut self, bytes: &[u8]) {
        if let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let before = at.checked_sub(1).map_or(Some(self.last), |before| bytes.get(before).copied());
            self.has_pairs = Some(before == Some(b'\r'));
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    /// A record begins at this place.
    pub(super) fn begin(&mut self, place: u64) {
        (self.left, self.place) = (RECORD, place);
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            // What is at its end is not too long.
            return match self.inner.read(&mut [0])? {
                0 => {
                    self.is_over = true;
                    Ok(0)
                }
                _ => Err(self.trouble.stop((self.error)(self.place))),
            };
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= count as u64;
        self.is_over = count == 0;
        if self.has_pairs.is_none() {
            self.look(buffer.get(..count).unwrap_or_default());
        }
        Ok(count)
    }
}

/// All that comes of a document that is read as a whole.
pub(super) fn whole(source: impl Read, most: u64, too_large: fn(u64) -> ErrorInfo) -> Result<Vec<u8>, ErrorInfo> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// What is wrong with a document that is too large to be read as a whole.
pub(super) fn document_too_large(most: u64) -> ErrorInfo {
    let message = format!(
        "the document is read as a whole and may have {most} bytes; this one has more. Split it where it is made, or let it be \
         made as JSON lines or CSV, which go through at any size"
    );
    ErrorInfo::permanent("FILE_DOCUMENT_TOO_LARGE", message)
}

/// What is wrong with a value that would be too large.
pub(super) fn value_too_large(most: u64) -> ErrorInfo {
    let message = format!(
        "the value would have more than {most} bytes as JSON. Set config.max_bytes, up to {}, or convert to a file: JSON \
         lines and CSV have no bound",
        crate::file::read::LARGEST_VALUE
    );
    ErrorInfo::permanent("FILE_VALUE_TOO_LARGE", message)
}

/// What an error of reading comes to when nobody told more.
pub(super) fn unread(error: &io::Error) -> ErrorInfo {
    ErrorInfo::permanent("FILE_UNREADABLE", format!("the file cannot be read: {error}"))
}

/// A value that is made of a file, as long as it may get.
pub(super) struct Allowance {
    left: u64,
    most: u64,
}

impl Allowance {
    /// For a value of at most this many bytes as JSON.
    pub(super) fn new(most: u64) -> Self {
        Self { left: most, most }
    }

    /// Takes this many bytes of it.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), ErrorInfo> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(value_too_large(self.most)),
        }
    }
}

/// Counts what is written and keeps nothing.
#[derive(Default)]
pub(super) struct Count(pub(super) u64);

impl Write for Count {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0 += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

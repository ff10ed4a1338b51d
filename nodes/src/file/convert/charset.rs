//! From the encodings that texts come in to UTF-8. What is not of its encoding is refused, never replaced.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use engine::error::ErrorInfo;

use super::pipe::Trouble;

/// Bytes that are read at a time.
const CHUNK: usize = 32 * 1024;

/// A text in UTF-8, whatever it comes in, without the mark that says so.
pub(super) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    pending: std::ops::Range<usize>,
    text: Vec<u8>,
    given: usize,
    /// Bytes decoded before `pending`, and the line that they end in.
    offset: u64,
    line: u64,
    is_over: bool,
    trouble: Trouble,
}

impl<R: Read> Decoded<R> {
    /// In this encoding; without one in UTF-8, or in UTF-16 where a mark says so.
    pub(super) fn new(inner: R, charset: Option<&'static Encoding>, trouble: Trouble) -> Self {
        let decoder = match charset {
            Some(charset) => charset.new_decoder_with_bom_removal(),
            None => UTF_8.new_decoder(),
        };
        Self {
            inner,
            decoder,
            raw: vec![0; CHUNK],
            pending: 0..0,
            // Three bytes for each at most, and some for what the decoder holds back.
            text: Vec::with_capacity(CHUNK * 3 + 16),
            given: 0,
            offset: 0,
            line: 1,
            is_over: false,
            trouble,
        }
    }

    /// Decodes a chunk more; nothing more comes when `is_over`.
    fn fill(&mut self) -> io::Result<()> {
        let is_last = if self.pending.is_empty() {
            let count = self.inner.read(&mut self.raw)?;
            self.pending = 0..count;
            count == 0
        } else {
            false
        };
        let raw = self.raw.get(self.pending.clone()).unwrap_or_default();
        self.text.resize(CHUNK * 3 + 16, 0);
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(raw, &mut self.text, is_last);
        self.text.truncate(written);
        self.given = 0;
        self.offset += read as u64;
        self.pending.start += read;
        self.is_over = is_last && result == DecoderResult::InputEmpty;
        if let DecoderResult::Malformed(length, after) = result {
            let place = self.offset.saturating_sub(u64::from(length) + u64::from(after));
            let line = self.line + self.text.iter().filter(|byte| **byte == b'\n').count() as u64;
            let message = format!(
                "the file is no text in {}: what stands at offset {place}, in line {line}, means nothing there. Set \
                 config.charset to what it is written in, such as `windows-1252`",
                self.decoder.encoding().name()
            );
            return Err(self.trouble.stop(ErrorInfo::permanent("FILE_NOT_TEXT", message)));
        }
        self.line += self.text.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_over {
            self.fill()?;
        }
        let left = self.text.get(self.given..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

/// The encoding of a name, as browsers know them.
pub(super) fn named(name: &str) -> Option<&'static Encoding> {
    Encoding::for_label(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], charset: &str) -> Result<String, String> {
        // A byte at a time, so that every character is cut somewhere.
        struct Drops<'a>(&'a [u8]);
        impl Read for Drops<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(1);
                self.0.read(&mut buffer[..count])
            }
        }
        let mut text = String::new();
        let charset = (!charset.is_empty()).then(|| named(charset).unwrap());
        let mut source = Decoded::new(Drops(bytes), charset, Trouble::default());
        source.read_to_string(&mut text).map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_read_in_its_encoding() {
        for (bytes, charset, text) in [
            ("größe".as_bytes(), "", "größe"),
            (b"\xEF\xBB\xBFgr\xC3\xB6", "", "grö"),
            (b"\xFF\xFEg\0r\0\xF6\0", "", "grö"),
            (b"\xFE\xFF\0g\0r\0\xF6", "", "grö"),
            (b"g\0\xF6\0", "utf-16le", "gö"),
            (b"gr\xF6\x80", "windows-1252", "grö€"),
            (b"gr\xF6", "latin1", "grö"),
            (b"\x82\xA0", "shift_jis", "あ"),
            (b"", "", ""),
        ] {
            assert_eq!(decoded(bytes, charset).as_deref(), Ok(text), "{charset}");
        }
    }

    #[test]
    fn what_is_not_of_the_encoding_is_refused_with_its_place() {
        for (bytes, charset, says) in [
            (&b"ab\ncd\xFFe"[..], "", "no text in UTF-8: what stands at offset 5, in line 2"),
            (b"ab\xC3", "", "offset 2, in line 1"),
            (b"\xFF\xFEg\0r", "", "UTF-16LE"),
            (b"\xFF\xFE\0\xDC", "", "UTF-16LE"),
        ] {
            let error = decoded(bytes, charset).unwrap_err();
            assert!(error.contains(says), "{bytes:?}: {error}");
        }
    }
}

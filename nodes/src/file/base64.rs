//! Base64 as people send it: with or without padding and line breaks, of either alphabet.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Takes what others write; writes with padding.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The byte as the standard alphabet has it; `None` for what stands between.
pub(super) fn standard(byte: u8) -> Option<u8> {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => None,
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        other => Some(other),
    }
}

/// What is wrong with a text that is no Base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}, not counting spaces and line breaks")]
pub(super) struct NotBase64(base64::DecodeError);

/// The bytes that a text stands for.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, NotBase64> {
    let plain: Vec<u8> = text.bytes().filter_map(standard).collect();
    LENIENT.decode(plain).map_err(NotBase64)
}

/// The text that stands for bytes.
pub(super) fn encoded(bytes: &[u8]) -> String {
    LENIENT.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_breaks_and_alphabet_are_taken_as_they_come() {
        for text in ["+/8=", "+/8", "-_8", "+/\r\n8=", " + / 8 "] {
            assert_eq!(decoded(text).unwrap(), [0xFB, 0xFF], "{text}");
        }
        assert_eq!(encoded(&[0xFB, 0xFF]), "+/8=");
        assert_eq!(decoded("").unwrap(), b"");
        assert!(decoded("ab!d").unwrap_err().to_string().contains("offset 2"), "{}", decoded("ab!d").unwrap_err());
        assert!(decoded("a").is_err());
    }
}

//! Bounds of the texts that people and programs choose.

use chrono::{DateTime, SecondsFormat};
use engine::time::Timestamp;

use super::ServiceError;

/// Longest name in a URL.
const SLUG_LIMIT: usize = 63;
/// Longest idempotency key, business key and label value, in characters.
const KEY_LIMIT: usize = 255;
/// Longest note and description, in characters.
const PROSE_LIMIT: usize = 2_000;

/// A name that stands in URLs: lower-case letters, digits, `-` and `_`, beginning with a letter or digit.
pub(super) fn slug(field: &'static str, text: &str) -> Result<(), ServiceError> {
    let fits = text.len() <= SLUG_LIMIT
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    if fits {
        return Ok(());
    }
    let message = format!("`{field}` must be 1 to {SLUG_LIMIT} lower-case letters, digits, `-` and `_`");
    Err(ServiceError::invalid(field, message))
}

/// A key that programs choose: 1 to 255 characters, none of them a control character.
pub(super) fn key(field: &'static str, text: &str) -> Result<(), ServiceError> {
    let length = text.chars().count();
    if (1..=KEY_LIMIT).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ServiceError::invalid(field, format!("`{field}` must be 1 to {KEY_LIMIT} characters without line breaks")))
}

/// A word to find things by: 1 to 63 characters, without those that JSON escapes.
pub(super) fn tag(field: &'static str, text: &str) -> Result<(), ServiceError> {
    let length = text.chars().count();
    let fits = (1..=SLUG_LIMIT).contains(&length)
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
    if fits {
        return Ok(());
    }
    let message = format!("each of `{field}` must be 1 to {SLUG_LIMIT} characters, without quotes and backslashes");
    Err(ServiceError::invalid(field, message))
}

/// A text for people.
pub(super) fn prose(field: &'static str, text: &str) -> Result<(), ServiceError> {
    // PostgreSQL has no NUL in texts.
    if text.chars().count() <= PROSE_LIMIT && !text.contains('\0') {
        return Ok(());
    }
    Err(ServiceError::invalid(field, format!("`{field}` must be at most {PROSE_LIMIT} characters")))
}

/// A moment as answers write it: RFC 3339 in UTC with microseconds.
pub fn instant(at: Timestamp) -> String {
    DateTime::from_timestamp_micros(at.0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_can_stand_in_a_url() {
        for right in ["a", "orders", "order-flow_2", "2nd", &"a".repeat(63)] {
            assert!(slug("name", right).is_ok(), "{right}");
        }
        for wrong in ["", "-a", "_a", "A", "a b", "a/b", "ä", "a.b", &"a".repeat(64)] {
            assert!(slug("name", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_has_a_length_and_no_control_characters() {
        assert!(key("key", "order 17 / ä").is_ok());
        assert!(key("key", &"ä".repeat(255)).is_ok());
        for wrong in ["", "a\nb", "a\0b", &"a".repeat(256)] {
            assert!(key("key", wrong).is_err());
        }
    }
}

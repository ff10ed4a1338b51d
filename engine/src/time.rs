//! Time as the engine sees it: a number that somebody else read from a clock.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Microseconds since 1970-01-01 UTC, the precision that PostgreSQL keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time and `by` later; stays at the end of time rather than wrap.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// That much earlier.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration; write a number and a unit of ms, s, m, h or d, such as `30s` or `1h30m`")]
pub struct ParseDurationError {
    /// What came instead, cut to 40 characters.
    pub text: String,
}

/// Reads `250ms`, `30s`, `1h30m`: at most 10 years.
///
/// # Errors
/// When the text has another form or the duration is longer.
pub fn parse_duration(text: &str) -> Result<Duration, ParseDurationError> {
    const LONGEST_MS: u64 = 10 * 366 * 86_400_000;
    let wrong = || ParseDurationError { text: text.chars().take(40).collect() };
    let mut rest = text.trim();
    let mut total_ms: u64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest.get(..digits).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        rest = rest.get(digits..).ok_or_else(wrong)?;
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit_ms = match rest.get(..letters).ok_or_else(wrong)? {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        rest = rest.get(letters..).ok_or_else(wrong)?;
        total_ms = number
            .checked_mul(unit_ms)
            .and_then(|ms| total_ms.checked_add(ms))
            .filter(|ms| *ms <= LONGEST_MS)
            .ok_or_else(wrong)?;
    }
    Ok(Duration::from_millis(total_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_numbers_with_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("0s"), Ok(Duration::ZERO));
        for wrong in ["", "5", "s", "5 s", "-1s", "1y", "99999999999999999999s", "4000d"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}

//! The engine's times as columns keep them.

use chrono::{DateTime, Utc};
use engine::time::Timestamp;

/// 9999-12-31T23:59:59.999999Z. SQLite compares times as text, which holds while years have four digits.
const LATEST: i64 = 253_402_300_799_999_999;

/// A time as a column keeps it, in whole microseconds; what lies before 1970 or after 9999 is kept as the nearer end.
pub fn to_column(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.0.clamp(0, LATEST)).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The time that a column holds.
pub fn from_column(at: DateTime<Utc>) -> Timestamp {
    Timestamp(at.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_went_and_the_unreachable_ones_as_the_nearest() {
        let at = Timestamp(1_760_000_000_123_456);
        assert_eq!(from_column(to_column(at)), at);
        assert_eq!(from_column(to_column(Timestamp(i64::MAX))), Timestamp(LATEST));
        assert_eq!(from_column(to_column(Timestamp(i64::MIN))), Timestamp(0));
        assert_eq!(to_column(Timestamp(i64::MAX)).to_rfc3339(), "9999-12-31T23:59:59.999999+00:00");
    }
}

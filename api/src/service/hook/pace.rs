//! How much of what comes to a webhook is taken in a minute. Each process counts for itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::id::BindingId;
use engine::time::Timestamp;

/// The time in which is counted.
const MINUTE: Duration = Duration::from_secs(60);
/// Counts that are kept before those of past minutes are thrown away.
const KEPT: usize = 10_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// Deliveries that would start a run.
    Taken,
    /// Refusals that are written down.
    Noted,
}

/// Counts of the current minutes.
#[derive(Debug, Default)]
pub struct Pace {
    minutes: Mutex<HashMap<(BindingId, Counted), (Timestamp, u32)>>,
}

impl Pace {
    /// Counts one more, unless there were `most` in the minute that began with the first of them; then the time until
    /// it is over.
    pub(super) fn take(&self, of: BindingId, what: Counted, most: u32, now: Timestamp) -> Result<(), Duration> {
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        if minutes.len() >= KEPT {
            minutes.retain(|_, (began, _)| now.since(*began) < MINUTE);
        }
        let (began, count) = minutes.entry((of, what)).or_insert((now, 0));
        if now.since(*began) >= MINUTE {
            (*began, *count) = (now, 0);
        }
        if *count >= most {
            return Err(began.plus(MINUTE).since(now));
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_bound_waits_for_the_next_minute() {
        let (pace, one, other) =
            (Pace::default(), BindingId(uuid::Uuid::from_u128(1)), BindingId(uuid::Uuid::from_u128(2)));
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        assert_eq!(pace.take(one, Counted::Taken, 2, at(0)), Ok(()));
        assert_eq!(pace.take(one, Counted::Taken, 2, at(20)), Ok(()));
        assert_eq!(pace.take(one, Counted::Taken, 2, at(45)), Err(Duration::from_secs(15)));
        assert_eq!(pace.take(other, Counted::Taken, 2, at(45)), Ok(()));
        assert_eq!(pace.take(one, Counted::Noted, 2, at(45)), Ok(()));
        assert_eq!(pace.take(one, Counted::Taken, 2, at(60)), Ok(()));
    }
}

//! How often, how soon and on which errors a node is tried again.

use std::time::Duration;

use crate::error::{ErrorInfo, ErrorKind};

/// When a failed attempt is followed by another one.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included; 1 means no retry.
    pub attempts: u32,
    /// Delay after the first failure.
    pub initial: Duration,
    /// What each further delay is multiplied by.
    pub coefficient: f64,
    /// No delay is longer, save one that the other side asked for.
    pub cap: Duration,
    /// Share of the delay that is drawn by [`RetryPolicy::delay_after`]'s `jitter`, 0 to 1.
    pub jitter: f64,
    /// Retry only errors of these codes; empty means every error that is not permanent.
    pub on: Vec<String>,
}

impl Default for RetryPolicy {
    /// One attempt. Once attempts are raised: 1 s, doubled up to 100 s, a fifth of it drawn (the defaults of Temporal,
    /// with jitter).
    fn default() -> Self {
        Self {
            attempts: 1,
            initial: Duration::from_secs(1),
            coefficient: 2.0,
            cap: Duration::from_secs(100),
            jitter: 0.2,
            on: Vec::new(),
        }
    }
}

impl RetryPolicy {
    /// Whether this error may be tried again under the policy. `repeatable` tells whether a call whose outcome nobody
    /// knows may be made again.
    pub fn covers(&self, error: &ErrorInfo, repeatable: bool) -> bool {
        let kind = match error.kind {
            ErrorKind::Permanent => false,
            ErrorKind::Transient => true,
            ErrorKind::Unknown => repeatable,
        };
        kind && (self.on.is_empty() || self.on.contains(&error.code))
    }

    /// Delay after failure number `failures` (from 1), or `None` when attempts are used up. `jitter` is a number drawn
    /// from 0 to `u32::MAX` and spreads the delay evenly between `1 - jitter` and 1 times its length.
    pub fn delay_after(&self, failures: u32, retry_after: Option<Duration>, jitter: u32) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let power = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = (self.initial.as_secs_f64() * self.coefficient.powi(power)).min(self.cap.as_secs_f64());
        let spread = 1.0 - self.jitter * f64::from(jitter) / f64::from(u32::MAX);
        let delay = Duration::try_from_secs_f64(seconds * spread).unwrap_or(self.cap);
        Some(delay.max(retry_after.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five_tries() -> RetryPolicy {
        RetryPolicy { attempts: 5, jitter: 0.0, cap: Duration::from_secs(5), ..RetryPolicy::default() }
    }

    #[test]
    fn delays_double_up_to_the_cap_and_end_with_the_attempts() {
        let delays: Vec<_> = (1..=5).map(|failures| five_tries().delay_after(failures, None, 0)).collect();
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(delays, [seconds(1), seconds(2), seconds(4), seconds(5), None]);
    }

    #[test]
    fn jitter_only_shortens_and_stays_within_its_share() {
        let policy = RetryPolicy { jitter: 0.5, ..five_tries() };
        assert_eq!(policy.delay_after(1, None, 0), Some(Duration::from_secs(1)));
        assert_eq!(policy.delay_after(1, None, u32::MAX), Some(Duration::from_millis(500)));
    }

    #[test]
    fn a_longer_wait_that_the_other_side_asks_for_is_honored() {
        let asked = Duration::from_secs(60);
        assert_eq!(five_tries().delay_after(1, Some(asked), 0), Some(asked));
    }

    #[test]
    fn an_unknown_outcome_is_retried_only_where_a_repeat_is_harmless() {
        let error = ErrorInfo::unknown("HTTP_TIMEOUT", "");
        assert!(five_tries().covers(&error, true));
        assert!(!five_tries().covers(&error, false));
        assert!(!five_tries().covers(&ErrorInfo::permanent("X", ""), true));
    }
}

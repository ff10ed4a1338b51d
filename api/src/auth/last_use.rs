//! When keys were last shown. Requests only note it; it is written beside them, at most once a minute a key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::id::ApiKeyId;
use engine::time::Timestamp;

/// A key that is shown again within this time is not written again.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// More keys than this at once start over.
const MOST: usize = 100_000;

/// Which keys were shown, and when that was written.
#[derive(Debug, Default)]
pub struct LastUse {
    keys: Mutex<HashMap<ApiKeyId, Noted>>,
}

#[derive(Debug)]
struct Noted {
    at: Timestamp,
    is_written: bool,
}

impl LastUse {
    /// A key was shown.
    pub fn note(&self, key: ApiKeyId, now: Timestamp) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        match keys.get_mut(&key) {
            Some(noted) if now.since(noted.at) < WRITTEN_EVERY => {}
            Some(noted) => *noted = Noted { at: now, is_written: false },
            None => {
                if keys.len() >= MOST {
                    keys.clear();
                }
                keys.insert(key, Noted { at: now, is_written: false });
            }
        }
    }

    /// What is to be written now.
    pub fn take(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let open = keys.iter_mut().filter(|(_, noted)| !noted.is_written);
        open.map(|(key, noted)| {
            noted.is_written = true;
            (*key, noted.at)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_once_a_minute() {
        let (uses, key) = (LastUse::default(), ApiKeyId(uuid::Uuid::from_u128(1)));
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        for second in 0..60 {
            uses.note(key, at(second));
        }
        assert_eq!(uses.take(), [(key, at(0))]);
        uses.note(key, at(59));
        assert_eq!(uses.take(), []);
        uses.note(key, at(60));
        assert_eq!(uses.take(), [(key, at(60))]);
    }
}

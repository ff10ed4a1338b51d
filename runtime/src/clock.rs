//! The one place that hands out time and ids.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::time::Timestamp;
use uuid::Uuid;

/// Where the time comes from. Microseconds, as the databases keep them.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Set by tests; `None` asks the system.
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands until somebody moves it.
    pub fn fixed(at: Timestamp) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(at.0))) }
    }

    /// Moves a fixed clock; the system's clock stays as it is.
    pub fn set(&self, at: Timestamp) {
        if let Some(fixed) = &self.fixed {
            fixed.store(at.0, Ordering::SeqCst);
        }
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub fn now(&self) -> Timestamp {
        match &self.fixed {
            Some(fixed) => Timestamp(fixed.load(Ordering::SeqCst)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
        }
    }

    /// A new UUIDv7: ordered by time, unique without asking anybody.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws ids")]
    pub fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

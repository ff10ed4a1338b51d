//! Whether whoever asked for a script still waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::process::Killer;

/// Whether somebody waits for a script.
#[derive(Default)]
enum Claim {
    #[default]
    Waiting,
    Working(Killer),
    GivenUp,
    Over,
}

/// How whoever executes a script learns that nobody waits for it any more.
#[derive(Clone, Default)]
pub(super) struct GivenUp(Arc<Mutex<Claim>>);

impl GivenUp {
    fn claim(&self) -> MutexGuard<'_, Claim> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody waits any more.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(*self.claim(), Claim::GivenUp)
    }

    /// Whether somebody still waits; giving up ends the child from now on.
    pub(super) fn begin(&self, killer: Killer) -> bool {
        let mut claim = self.claim();
        let waits = !matches!(*claim, Claim::GivenUp);
        if waits {
            *claim = Claim::Working(killer);
        }
        waits
    }

    /// Whether the child was left alone; from now on giving up does nothing to it.
    pub(super) fn end(&self) -> bool {
        matches!(std::mem::replace(&mut *self.claim(), Claim::Over), Claim::Working(_))
    }
}

/// Somebody who waits for a script. Gives it up when it is dropped.
#[derive(Default)]
pub(super) struct Waits(GivenUp);

impl Waits {
    /// For whoever executes the script.
    pub(super) fn claim(&self) -> GivenUp {
        self.0.clone()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut claim = self.0.claim();
        if let Claim::Working(killer) = &*claim {
            killer.kill();
        }
        if !matches!(*claim, Claim::Over) {
            *claim = Claim::GivenUp;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_does_not_wait_any_more_is_known_before_and_after() {
        let waits = Waits::default();
        let given_up = waits.claim();
        drop(waits);
        assert!(given_up.is_given_up());

        let waits = Waits::default();
        let over = waits.claim();
        assert!(!over.end(), "it has never begun");
        drop(waits);
        assert!(!over.is_given_up());
    }
}

//! How much an evaluation may do.

use super::error::Fault;

/// Steps of a default budget. A step is a node evaluated, an element or entry visited, or 64 bytes of text read. All of
/// them take tens of milliseconds in an optimized build.
pub const DEFAULT_STEPS: u64 = 500_000;
/// Bytes of a default budget: text made, values copied, and 32 for each element of a list made.
pub const DEFAULT_BYTES: u64 = 8 * 1024 * 1024;
/// A value that an expression only names, and hands on as it is, may be so many times larger than what it may make: 64 MiB
/// with a default budget, which is what a node may give.
const HANDED_ON: u64 = 8;

/// Steps and bytes that evaluations may still use. Once it is exhausted it stays so: nothing in the language can catch
/// that, and every further evaluation with it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    steps: u64,
    bytes: u64,
    handed_on: u64,
    exhausted: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(DEFAULT_STEPS, DEFAULT_BYTES)
    }
}

impl Budget {
    /// A budget of this many steps, of this many bytes of text made and values copied, and of eight times as many of values
    /// that are only named.
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self { steps, bytes, handed_on: bytes.saturating_mul(HANDED_ON), exhausted: false }
    }

    /// Steps not used yet; 0 when exhausted.
    pub fn steps_left(&self) -> u64 {
        if self.exhausted { 0 } else { self.steps }
    }

    /// Bytes not used yet; 0 when exhausted.
    pub fn bytes_left(&self) -> u64 {
        if self.exhausted { 0 } else { self.bytes }
    }

    /// Whether an evaluation has run out of it.
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// Takes `n` steps.
    pub(super) fn steps(&mut self, n: u64) -> Result<(), Fault> {
        match self.steps.checked_sub(n) {
            Some(left) if !self.exhausted => {
                self.steps = left;
                Ok(())
            }
            _ => Err(self.exhaust("takes too many steps")),
        }
    }

    /// Takes the steps of `n` elements.
    pub(super) fn items(&mut self, n: usize) -> Result<(), Fault> {
        self.steps(n as u64)
    }

    /// Takes the steps of reading `len` bytes of text.
    pub(super) fn reading(&mut self, len: usize) -> Result<(), Fault> {
        self.steps(len as u64 / 64 + 1)
    }

    /// Takes `n` bytes about to be made.
    pub(super) fn bytes(&mut self, n: usize) -> Result<(), Fault> {
        match self.bytes.checked_sub(n as u64) {
            Some(left) if !self.exhausted => {
                self.bytes = left;
                Ok(())
            }
            _ => Err(self.exhaust("makes too much data")),
        }
    }

    /// Takes `n` bytes of a value that is handed on.
    pub(super) fn handing_on(&mut self, n: usize) -> Result<(), Fault> {
        match self.handed_on.checked_sub(n as u64) {
            Some(left) if !self.exhausted => {
                self.handed_on = left;
                Ok(())
            }
            _ => Err(self.exhaust("hands on too much data")),
        }
    }

    fn exhaust(&mut self, why: &str) -> Fault {
        self.exhausted = true;
        Fault::budget(format!("the expression {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_budget_stays_exhausted_even_for_small_amounts() {
        let mut budget = Budget::new(10, 10);
        assert!(budget.steps(11).is_err());
        assert!(budget.steps(0).is_err());
        assert!(budget.bytes(1).is_err());
        assert_eq!((budget.steps_left(), budget.bytes_left(), budget.is_exhausted()), (0, 0, true));
    }

    #[test]
    fn what_is_left_goes_down_by_what_was_taken() {
        let mut budget = Budget::new(10, 10);
        assert!(budget.steps(3).is_ok());
        assert!(budget.bytes(10).is_ok());
        assert!(budget.reading(64).is_ok());
        assert_eq!((budget.steps_left(), budget.bytes_left(), budget.is_exhausted()), (5, 0, false));
    }
}

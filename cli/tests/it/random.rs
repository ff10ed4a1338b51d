//! Randomness that a printed seed repeats.

use std::sync::Mutex;
use std::time::Duration;

/// SplitMix64: small, good enough to choose moments, and the same everywhere.
pub(crate) struct Random(Mutex<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// Of `FLOWFORGE_TEST_SEED`, or of the clock; printed either way.
    pub(crate) fn printed(what: &str) -> Self {
        let seed = std::env::var("FLOWFORGE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
        println!("{what}: FLOWFORGE_TEST_SEED={seed}");
        Self::new(seed)
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `range`.
    pub(crate) fn number(&self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    pub(crate) fn millis(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.number(range))
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&self, percent: u64) -> bool {
        self.number(0..100) < percent
    }
}

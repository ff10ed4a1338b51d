//! Named points at which a test may end the process, as a power cut would. Debug builds only; nothing is left of them
//! in a release.

/// The points, in the order in which a run meets them, and then those of a file that is kept.
pub const POINTS: &[&str] = &[
    "before_intake",
    "after_intake",
    "before_flush",
    "after_flush",
    "before_effect",
    "after_effect",
    "before_result",
    "after_adoption",
    "file_gathered",
    "file_taken",
    "file_begun",
    "file_piece",
    "file_finished",
    "file_touched",
    "file_settled",
    "file_pointed",
    "file_kept",
];

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static AT: OnceLock<(String, AtomicU32)> = OnceLock::new();

    /// Ends the process the `nth` time (from 1) that it meets the point. The first call counts.
    pub fn arm(point: &str, nth: u32) {
        // A second call is a mistake of the test that made it; the first one stands.
        let _ = AT.set((point.to_owned(), AtomicU32::new(nth)));
    }

    pub(crate) fn point(name: &str) {
        if let Some((point, left)) = AT.get()
            && point == name
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(debug_assertions)]
mod abort;

#[cfg(debug_assertions)]
pub use abort::Abort;
#[cfg(debug_assertions)]
pub use armed::arm;
#[cfg(debug_assertions)]
pub(crate) use armed::point;

/// Does nothing in a release.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_: &str) {}

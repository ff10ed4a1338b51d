//! What counts files that come and go.

use metrics::Counter;

use super::{FILE_BYTES_CAME, FILE_BYTES_READ, FILES_CAME, SWEPT};
use crate::artifact::KeepError;
use crate::blob::ReceiveError;

const KEPT: &str = "kept";
const BROKE_OFF: &str = "broke_off";
const TOO_LARGE: &str = "too_large";
const FAILED: &str = "failed";

/// Makes the series, at 0.
pub(super) fn begin() {
    [KEPT, BROKE_OFF, TOO_LARGE, FAILED].into_iter().for_each(|result| came(result).increment(0));
    for counter in [bytes_came(), bytes_read(), swept()] {
        counter.increment(0);
    }
}

fn came(result: &'static str) -> Counter {
    metrics::counter!(FILES_CAME, "result" => result)
}

/// Counts bytes of files that come.
pub(crate) fn bytes_came() -> Counter {
    metrics::counter!(FILE_BYTES_CAME)
}

/// Counts bytes of files that are read.
pub(crate) fn bytes_read() -> Counter {
    metrics::counter!(FILE_BYTES_READ)
}

/// Counts objects that a sweep deletes.
pub(crate) fn swept() -> Counter {
    metrics::counter!(SWEPT)
}

/// A file that comes, counted when that ends. Whoever sends it may go away, and nobody waits for the end any more.
pub(crate) struct Coming(&'static str);

impl Coming {
    pub(crate) fn begins() -> Self {
        Self(BROKE_OFF)
    }

    pub(crate) fn ended<T, E>(mut self, kept: Result<T, KeepError<E>>) -> Result<T, KeepError<E>> {
        self.0 = match &kept {
            Ok(_) => KEPT,
            Err(KeepError::Receive(ReceiveError::BrokeOff(_))) => BROKE_OFF,
            Err(KeepError::Receive(ReceiveError::TooLarge { .. })) => TOO_LARGE,
            Err(KeepError::Receive(ReceiveError::Blob(_)) | KeepError::Taken(_) | KeepError::Database(_)) => FAILED,
        };
        kept
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        came(self.0).increment(1);
    }
}

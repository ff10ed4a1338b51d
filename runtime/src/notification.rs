//! Who outside is told of runs: finding what to tell in the numbered events of a workspace, and keeping what became of it.

mod delivery;
mod gather;

use engine::id::{ConnectionId, NotificationId, SecretId, WorkspaceKeyId};
use entity::notification;
use serde::{Deserialize, Serialize};

pub(crate) use self::delivery::{Due, Next, Tried, due, failing_since, forget, ids, keep, receivers_due};
pub(crate) use self::gather::Gatherer;
use crate::secret::{Sealed, Slot};

/// What somebody outside may be told of.
pub const KINDS: [&str; 9] = [
    "run.created",
    "run.started",
    "run.waiting",
    "run.paused",
    "run.resumed",
    "run.succeeded",
    "run.failed",
    "run.canceled",
    "run.timed_out",
];

/// What a callback is told of.
pub const ENDS: [&str; 4] = ["run.succeeded", "run.failed", "run.canceled", "run.timed_out"];

/// What is encrypted of a notification.
#[derive(Clone, Serialize, Deserialize)]
pub struct Hidden {
    /// Where messages go.
    pub url: String,
    /// What they are signed with: base64 after `whsec_`.
    pub secret: String,
    /// What they are signed with besides, while receivers change over.
    pub previous: Option<String>,
}

/// Where the encryption of a notification's secrets belongs.
pub fn slot(of: NotificationId, version: i32) -> Slot<'static> {
    Slot { connection: ConnectionId(of.0), field: "notification", secret: SecretId(of.0), version }
}

/// What is encrypted of a row.
pub fn sealed(row: &notification::Model) -> Sealed {
    Sealed {
        workspace_key: WorkspaceKeyId(row.workspace_key_id),
        wrapped_key: row.wrapped_key.clone(),
        ciphertext: row.ciphertext.clone(),
    }
}

/// The word for what happened to a run; `None` for what nobody is told of.
fn named(kind: &str, status: &str) -> Option<&'static str> {
    let name = match (kind, status) {
        ("run.finished", "SUCCEEDED") => "run.succeeded",
        ("run.finished", "FAILED") => "run.failed",
        ("run.finished", "CANCELED") => "run.canceled",
        ("run.finished", "TIMED_OUT") => "run.timed_out",
        (kind, _) => kind,
    };
    KINDS.into_iter().find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_named_by_how_it_ended() {
        assert_eq!(named("run.finished", "FAILED"), Some("run.failed"));
        assert_eq!(named("run.waiting", "WAITING"), Some("run.waiting"));
        assert_eq!(named("run.queued", "QUEUED"), None);
        assert_eq!(named("draft.updated", ""), None);
    }
}

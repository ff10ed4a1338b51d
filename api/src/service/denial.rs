//! What was denied, for the audit. Whoever asks for the same again and again is counted, and makes one row a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::time::Timestamp;

use super::audit::{self, Context, Done};
use crate::app::App;
use crate::auth::{Principal, Viewer};
use crate::store;

/// Repetitions within this time are one row.
const COUNTED_FOR: Duration = Duration::from_secs(60);
/// How often it is looked what is to be written.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);
/// More different denials than this at once are not told apart.
const MOST: usize = 10_000;
/// Longest name of what was asked for, in characters.
const TARGET_LIMIT: usize = 100;

type Which = (Principal, String, String);

/// Denials of the last minute.
#[derive(Debug, Default)]
pub struct Denials {
    open: Mutex<HashMap<Which, Counted>>,
}

#[derive(Debug)]
struct Counted {
    since: Timestamp,
    viewer: Viewer,
    address: Option<String>,
    more: u32,
}

/// What was denied again, whose it was, from where, and how often.
type Again = (Which, Viewer, Option<String>, u32);

impl Denials {
    /// Counts a denial; whether it is the first of its minute.
    fn count(&self, viewer: &Viewer, target: &str, permission: &str, now: Timestamp) -> bool {
        let address = audit::address();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let which = match open.len() < MOST {
            true => (viewer.principal, target.to_owned(), permission.to_owned()),
            false => (viewer.principal, "many".to_owned(), String::new()),
        };
        if let Some(counted) = open.get_mut(&which) {
            counted.more = counted.more.saturating_add(1);
            return false;
        }
        // Too many even for that: the log has them, one by one.
        if open.len() >= MOST * 2 {
            return false;
        }
        open.insert(which, Counted { since: now, viewer: viewer.clone(), address, more: 0 });
        true
    }

    /// Those whose minute is over and that came more than once; all when the process ends.
    fn take(&self, now: Timestamp, all: bool) -> Vec<Again> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let over = open.extract_if(|_, counted| all || now.since(counted.since) >= COUNTED_FOR);
        let again = over.filter(|(_, counted)| counted.more > 0);
        again.map(|(which, found)| (which, found.viewer, found.address, found.more)).collect()
    }
}

/// Says that a viewer was denied something. The first time in a minute is written at once.
pub async fn denied(app: &App, viewer: &Viewer, target: &str, permission: &str) {
    // A guest has no workspace whose audit it would be in.
    if viewer.is_guest() {
        tracing::info!(
            actor = viewer.actor(),
            target,
            permission,
            "somebody who is in no workspace was denied something"
        );
        return;
    }
    let target: String = target.chars().take(TARGET_LIMIT).collect();
    if app.denials.count(viewer, &target, permission, app.runtime.now()) {
        write(app, viewer, Context::of(app, viewer), Done::denied(&target, permission, 1)).await;
    }
}

async fn write(app: &App, viewer: &Viewer, context: Context, denied: Done) {
    if let Err(error) = store::audit::deny(app.runtime.database(), &context, denied).await {
        tracing::error!(error = %error, actor = viewer.actor(), "a denial could not be written to the audit");
    }
}

/// Writes down what was denied again and again, as long as the process serves.
pub async fn upkeep(app: &App) {
    loop {
        tokio::time::sleep(WRITTEN_EVERY).await;
        write_counted(app, false).await;
    }
}

/// Writes down what was denied again and again and is over; all of it when the process ends.
pub async fn write_counted(app: &App, all: bool) {
    for ((_, target, permission), viewer, address, more) in app.denials.take(app.runtime.now(), all) {
        let context = Context::of(app, &viewer).at_address(address);
        write(app, &viewer, context, Done::denied(&target, &permission, more)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;
    use crate::auth::cursor::CursorKey;
    use engine::id::{ApiKeyId, WorkspaceId};

    fn viewer(id: u128) -> Viewer {
        let key = ApiKeyId(uuid::Uuid::from_u128(id));
        Viewer {
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            principal: Principal::ApiKey(key),
            key: Some(key),
            session: None,
            name: "ci".into(),
            role: "viewer".into(),
            permissions: Role::Viewer.permissions(),
            projects: None,
            request: None,
            cursors: CursorKey::of_salt([0; 16]),
        }
    }

    #[test]
    fn the_same_denial_makes_two_rows_a_minute_at_most() {
        let (denials, at) = (Denials::default(), |seconds: i64| Timestamp(seconds * 1_000_000));
        assert!(denials.count(&viewer(1), "createProject", "project:manage", at(0)));
        assert!((1..1_000).all(|_| !denials.count(&viewer(1), "createProject", "project:manage", at(1))));
        assert!(denials.count(&viewer(2), "createProject", "project:manage", at(1)));
        assert!(denials.take(at(59), false).is_empty());
        let taken: Vec<u32> = denials.take(at(60), false).into_iter().map(|(.., more)| more).collect();
        assert_eq!(taken, [999]);
        assert!(denials.count(&viewer(1), "createProject", "project:manage", at(61)));
    }

    #[test]
    fn very_many_different_denials_are_not_told_apart() {
        let denials = Denials::default();
        let rows = (0..50_000).filter(|n| denials.count(&viewer(1), &format!("field{n}"), "", Timestamp(0))).count();
        assert_eq!(rows, MOST + 1);
    }
}

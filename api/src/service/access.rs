//! Rights that end, end everywhere: whoever changes them says whose in the same transaction, and every process looks a
//! second later at the latest. What it believed of them is forgotten, and what is open under them asks again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use engine::time::Timestamp;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::ServiceError;
use crate::app::App;
use crate::auth::Viewer;
use crate::store;

/// A lost notice costs this much at most.
const NET: Duration = Duration::from_secs(1);
/// How far back is looked each time: the clocks of processes differ, and commits come later than their times.
const BACK: Duration = Duration::from_secs(60);
/// How often old rows are deleted.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// Changes that a slow stream may have waiting; it asks again anyway when it missed some.
const MOST_WAITING: usize = 256;

/// Tells what is open in this process whose rights changed.
#[derive(Debug)]
pub struct Access {
    told: broadcast::Sender<Arc<BTreeSet<String>>>,
}

impl Default for Access {
    fn default() -> Self {
        Self { told: broadcast::channel(MOST_WAITING).0 }
    }
}

impl Access {
    /// Whatever changes from now on for this viewer.
    pub fn changes(&self, viewer: &Viewer) -> Changes {
        Changes { receiver: self.told.subscribe(), subjects: viewer.subjects() }
    }

    fn tell(&self, subjects: BTreeSet<String>) {
        // An error only says that nothing is open.
        let _ = self.told.send(Arc::new(subjects));
    }
}

/// What one stream waits for.
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Arc<BTreeSet<String>>>,
    subjects: Vec<String>,
}

impl Changes {
    /// Nothing ever changes.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { receiver: broadcast::channel(1).1, subjects: Vec::new() }
    }

    /// Returns when the viewer's rights may be others than they were.
    pub async fn changed(&mut self) {
        loop {
            match self.receiver.recv().await {
                Ok(told) if self.subjects.iter().any(|subject| told.contains(subject)) => return,
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The sender is gone only with the process.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Looks whose rights changed, as long as the process serves.
pub async fn watch(app: Arc<App>) {
    let mut seen = HashMap::new();
    let mut tidy_at = app.runtime.now().plus(TIDY_EVERY);
    loop {
        tokio::select! {
            () = app.runtime.bus().access_changed() => {}
            () = tokio::time::sleep(NET) => {}
        }
        if app.access.told.receiver_count() == 0 && app.keys.is_empty() {
            continue;
        }
        if let Err(error) = look(&app, &mut seen, &mut tidy_at).await {
            tracing::debug!(error = %error, "whose rights changed could not be read; it is read again in a second");
        }
    }
}

async fn look(app: &App, seen: &mut HashMap<Uuid, Timestamp>, tidy_at: &mut Timestamp) -> Result<(), ServiceError> {
    let (database, now) = (app.runtime.database(), app.runtime.now());
    let found = store::access::since(database, now.minus(BACK)).await?;
    let new: BTreeSet<String> =
        found.into_iter().filter(|(id, _)| seen.insert(*id, now).is_none()).map(|(_, subject)| subject).collect();
    if !new.is_empty() {
        app.keys.forget(&new);
        app.access.tell(new);
    }
    if now >= *tidy_at {
        *tidy_at = now.plus(TIDY_EVERY);
        // Twice the time that is looked back, so that what was seen is not taken for new.
        let before = now.minus(BACK * 2);
        store::access::forget(database, before).await?;
        seen.retain(|_, at| *at >= before);
    }
    Ok(())
}

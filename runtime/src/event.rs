//! Tells whoever waits that something was committed: ids only, within a process at once and between processes through
//! PostgreSQL. A lost notice costs latency, never an event: every reader also looks by itself once a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::id::{RunId, WorkspaceId};
use tokio::sync::{Notify, broadcast, watch};

use crate::database::Database;

mod postgres;

/// Notices that a slow reader may have waiting; it looks by itself when it missed some.
const MOST_WAITING: usize = 4_096;

/// Why a bus cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// PostgreSQL does not listen.
    #[error("the database does not take LISTEN: {0}")]
    Listen(#[from] sqlx::Error),
}

/// A notice to other processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Notice {
    Committed(RunId),
    Fed(WorkspaceId),
    Mail(RunId),
    Ready,
    Access,
}

/// What readers wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Topic {
    Run(RunId),
    Feed(WorkspaceId),
}

/// The bus of a process. Cheap to clone.
#[derive(Clone)]
pub struct EventBus(Arc<Bus>);

struct Bus {
    local: Arc<Local>,
    remote: Option<postgres::Remote>,
}

struct Local {
    watched: Mutex<HashMap<Topic, watch::Sender<()>>>,
    outbox: Notify,
    access: Notify,
    mail: broadcast::Sender<RunId>,
    ready: broadcast::Sender<()>,
}

impl Local {
    fn new() -> Self {
        Self {
            watched: Mutex::default(),
            outbox: Notify::new(),
            access: Notify::new(),
            mail: broadcast::channel(MOST_WAITING).0,
            ready: broadcast::channel(16).0,
        }
    }

    fn tell(&self, notice: Notice) {
        match notice {
            Notice::Committed(run) => self.wake(Topic::Run(run)),
            Notice::Fed(workspace) => self.wake(Topic::Feed(workspace)),
            // An error only says that nobody listens.
            Notice::Mail(run) => {
                let _ = self.mail.send(run);
            }
            Notice::Ready => {
                let _ = self.ready.send(());
            }
            Notice::Access => self.access.notify_one(),
        }
    }

    fn wake(&self, topic: Topic) {
        if let Some(sender) = self.watched.lock().unwrap_or_else(PoisonError::into_inner).get(&topic) {
            sender.send_replace(());
        }
    }
}

impl EventBus {
    /// A bus within this process.
    pub fn local() -> Self {
        Self(Arc::new(Bus { local: Arc::new(Local::new()), remote: None }))
    }

    /// The bus that fits a database: between processes on PostgreSQL, within this one on SQLite.
    ///
    /// # Errors
    /// When PostgreSQL does not listen.
    pub async fn of(database: &Database) -> Result<Self, BusError> {
        let local = Arc::new(Local::new());
        let remote = match database.listen_options() {
            None => None,
            Some(options) => Some(postgres::Remote::connect(options, local.clone()).await?),
        };
        Ok(Self(Arc::new(Bus { local, remote })))
    }

    /// Something of these runs was committed.
    pub fn publish_runs(&self, runs: &[RunId]) {
        runs.iter().for_each(|run| self.tell(Notice::Committed(*run)));
        self.notify_outbox();
    }

    /// Something may lie in the outbox. Only this process is told: one relay that looks is enough.
    pub fn notify_outbox(&self) {
        self.0.local.outbox.notify_one();
    }

    /// Returns once something may lie in the outbox; for one waiter.
    pub(crate) async fn outbox_filled(&self) {
        self.0.local.outbox.notified().await;
    }

    /// The feed of a workspace has grown.
    pub(crate) fn publish_feed(&self, workspace: WorkspaceId) {
        self.tell(Notice::Fed(workspace));
    }

    /// A run has mail.
    pub fn notify_inbox(&self, run: RunId) {
        self.tell(Notice::Mail(run));
    }

    /// A run that was just taken up here may have had mail before.
    pub(crate) fn read_inbox_here(&self, run: RunId) {
        self.0.local.tell(Notice::Mail(run));
    }

    /// Somebody got mail that nobody here drives: perhaps it may be taken.
    pub(crate) fn look_here(&self) {
        self.0.local.tell(Notice::Ready);
    }

    /// A run may be taken.
    pub fn notify_ready(&self) {
        self.tell(Notice::Ready);
    }

    /// Somebody's rights changed: every process looks whose.
    pub fn notify_access(&self) {
        self.tell(Notice::Access);
    }

    /// Returns once somebody's rights may have changed; for one waiter.
    pub async fn access_changed(&self) {
        self.0.local.access.notified().await;
    }

    fn tell(&self, notice: Notice) {
        self.0.local.tell(notice);
        if let Some(remote) = &self.0.remote {
            remote.tell(notice);
        }
    }

    /// Wakes whenever something of the run is committed from now on.
    pub fn subscribe(&self, run: RunId) -> Wakes {
        self.wakes(Topic::Run(run))
    }

    /// Wakes whenever the feed of the workspace grows from now on.
    pub fn subscribe_feed(&self, workspace: WorkspaceId) -> Wakes {
        self.wakes(Topic::Feed(workspace))
    }

    fn wakes(&self, topic: Topic) -> Wakes {
        let mut watched = self.0.local.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = watched.entry(topic).or_insert_with(|| watch::channel(()).0).subscribe();
        Wakes { topic, receiver: Some(receiver), local: self.0.local.clone() }
    }

    /// The runs that get mail from now on.
    pub(crate) fn subscribe_inbox(&self) -> broadcast::Receiver<RunId> {
        self.0.local.mail.subscribe()
    }

    /// Whenever a run may be taken from now on.
    pub(crate) fn subscribe_ready(&self) -> broadcast::Receiver<()> {
        self.0.local.ready.subscribe()
    }

    /// How many runs and feeds somebody waits for; what must come back to zero.
    pub fn watched(&self) -> usize {
        self.0.local.watched.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// One reader's wake-ups for one run or feed. Several commits while it is busy wake it once.
pub struct Wakes {
    topic: Topic,
    receiver: Option<watch::Receiver<()>>,
    local: Arc<Local>,
}

impl Wakes {
    /// Returns at the next commit, or at once when there was one since the last call.
    pub async fn woken(&mut self) {
        let changed = match &mut self.receiver {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            // The sender is gone only with the bus; the reader's own clock goes on.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        let mut watched = self.local.watched.lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if watched.get(&self.topic).is_some_and(|sender| sender.receiver_count() == 0) {
            watched.remove(&self.topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_reader_is_woken_by_its_own_run_and_by_commits_that_it_slept_through() {
        let bus = EventBus::local();
        let (mine, other) = (RunId(Uuid::from_u128(1)), RunId(Uuid::from_u128(2)));
        let mut wakes = bus.subscribe(mine);
        bus.publish_runs(&[other]);
        assert!(futures::FutureExt::now_or_never(wakes.woken()).is_none());
        bus.publish_runs(&[mine, mine]);
        assert!(futures::FutureExt::now_or_never(wakes.woken()).is_some());
        assert!(futures::FutureExt::now_or_never(wakes.woken()).is_none());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_run_that_nobody_watches() {
        let bus = EventBus::local();
        let run = RunId(Uuid::from_u128(1));
        let (first, second) = (bus.subscribe(run), bus.subscribe(run));
        drop(first);
        assert_eq!(bus.watched(), 1);
        drop(second);
        assert_eq!(bus.watched(), 0);
    }
}

//! The journal in the database: every change of a run is written here, behind the fence on its row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::drive::batch::{Batch, Claim, FlushOutcome, NodeRunRow, Record};
use engine::error::ErrorInfo;
use engine::id::{BindingId, InboxId, ProjectId, RunId, TriggerEventId, VersionId, WorkerId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::database::Database;
use crate::runtime::{Mode, TriggerKind};
use crate::trace::TraceContext;

mod ownership;
mod postgres;
mod read;
mod row;
mod sql;
mod sqlite;

#[cfg(test)]
pub(crate) mod conformance;

pub use entity::word::WorkerState;
pub(crate) use ownership::resume_on;
pub(crate) use read::post_on;

/// From this many adoptions in a row without progress, a run is a suspect: it may be what ends its processes.
pub const SUSPECT_FROM: u32 = 2;
/// The rules that runs start under.
pub const RULES_VERSION: i32 = 1;
/// The adoption that a run does not get, whatever it was doing: it is parked instead. A run whose own work may have
/// ended the process is parked much earlier, by whoever rebuilds it; one that only waited for a call may simply have been
/// unlucky again and again.
pub const PARKED_AT: u32 = 40;

/// Why the journal gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database did not answer or failed. Whether a write happened is unknown.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// As [`JournalError::Database`], met through the query builder.
    #[error("the database failed: {0}")]
    Query(#[from] DbErr),
    /// The database took too long. Whether a write happened is unknown.
    #[error("the database did not answer within {0:?}")]
    TimedOut(Duration),
    /// The database cannot take this data, and never will; nothing of it was written.
    #[error("the database cannot take this data: {0}")]
    Refused(String),
    /// There is no such run.
    #[error("there is no {0}")]
    RunMissing(RunId),
    /// A row holds what no release wrote.
    #[error("{table}.{column} holds what cannot be read")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// A run to be. Its id names it for good: creating it again after an unknown outcome finds it.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub run: RunId,
    /// Id of the trigger event that is stored with it.
    pub event: TriggerEventId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its project.
    pub project: ProjectId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its version; none for a test run.
    pub version: Option<VersionId>,
    /// Whether it counts.
    pub mode: Mode,
    /// What the keys of its effects are made from; `None` for itself.
    pub origin: Option<Uuid>,
    /// The run that it tries again.
    pub retry_of: Option<RunId>,
    /// The node that a retried run begins at; none for the start.
    pub retried_from: Option<String>,
    /// Its definition.
    pub definition_hash: Digest,
    /// Its environment.
    pub environment: String,
    /// Key of the trigger that starts it.
    pub trigger_node: String,
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// What it is given.
    pub input: ValueRef,
    /// Starts at most one run.
    pub start_key: Option<StartKey>,
    /// Business key.
    pub key: Option<String>,
    /// What it is found by.
    pub labels: BTreeMap<String, String>,
    /// Higher is taken first.
    pub priority: i16,
    /// When its time is up.
    pub deadline_at: Option<Timestamp>,
    /// Who or what starts it.
    pub created_by: String,
    /// The span that it is asked for in.
    pub trace: Option<TraceContext>,
    /// When.
    pub at: Timestamp,
    /// Its first record.
    pub record: Record,
    /// Further ones, when it begins with more than fits one.
    pub more: Vec<Record>,
    /// The node runs that it begins with.
    pub node_runs: Vec<NodeRunRow>,
    /// The blobs that its records refer to, each once; they are referred to from now on.
    pub blobs: Vec<Digest>,
    /// Whether the creating worker drives it, under epoch 1; otherwise anybody may take it.
    pub is_owned: bool,
    /// What has to hold for the run to be made; it is decided in the same commit.
    pub fence: Option<Fence>,
    /// The event that is delivered again.
    pub redelivery_of: Option<TriggerEventId>,
    /// How many runs before it started each other inside.
    pub depth: u32,
}

/// What has to hold for a run to be made. The commit that makes it sees to it that it holds for no second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// Nobody has decided this tick.
    Tick(Firing),
    /// This event still waits for its turn; it becomes the run's.
    Waiting(TriggerEventId),
}

/// A tick of a schedule that starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firing {
    /// Whose tick.
    pub binding: BindingId,
    /// The binding's revision; when it has another one by now, nothing is written.
    pub revision: i64,
    /// The tick.
    pub tick: Timestamp,
    /// When the binding is to be looked at next.
    pub next_at: Option<Timestamp>,
}

impl NewRun {
    /// The tick that starts it.
    pub fn firing(&self) -> Option<&Firing> {
        match &self.fence {
            Some(Fence::Tick(firing)) => Some(firing),
            Some(Fence::Waiting(_)) | None => None,
        }
    }

    /// Whether its event is stored already.
    pub fn has_event(&self) -> bool {
        matches!(self.fence, Some(Fence::Waiting(_)))
    }

    /// What must be the same for the start key to mean the same start.
    pub fn asked(&self) -> Digest {
        self.start_key.as_ref().and_then(|key| key.asked).unwrap_or(self.input.digest)
    }

    /// All its records, in order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.record).chain(&self.more)
    }

    /// The last of them.
    pub fn last_record(&self) -> &Record {
        self.more.last().unwrap_or(&self.record)
    }
}

/// A key that starts at most one run of a workflow until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartKey {
    /// The caller's choice.
    pub key: String,
    /// What was asked for, when that is more than the input: another digest under the same key is another start.
    pub asked: Option<Digest>,
    /// From when it may start another run.
    pub expires_at: Timestamp,
}

/// What became of a [`NewRun`].
#[derive(Debug)]
pub enum Created {
    /// It is durable.
    New,
    /// Its start key had already started another run.
    Exists {
        /// That run.
        run: RunId,
        /// The event that started it.
        event: TriggerEventId,
        /// Whether it was asked for by the same.
        same_input: bool,
    },
    /// The database cannot take it; nothing of it was written.
    Refused(JournalError),
}

/// What the fence looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The run.
    pub run: RunId,
    /// Who drives it.
    pub owner: Option<WorkerId>,
    /// How often it was taken.
    pub epoch: i64,
    /// Seq of its last event.
    pub head_seq: u64,
    /// Digest of its last record.
    pub head_digest: Digest,
    /// Who may take it.
    pub claim: Claim,
}

/// Everything that a run is rebuilt from.
#[derive(Debug, Clone)]
pub struct LoadedRun {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its definition.
    pub definition_hash: Digest,
    /// Its version; none for a test run.
    pub version: Option<VersionId>,
    /// Whether it counts.
    pub mode: Mode,
    /// The run that it tries again.
    pub retry_of: Option<RunId>,
    /// The span that it was asked for in.
    pub trace: Option<TraceContext>,
    /// The epoch it is driven under.
    pub epoch: i64,
    /// How often in a row it was taken from a lost worker without progress.
    pub adoptions: u32,
    /// Seq of its last event.
    pub head_seq: u64,
    /// Digest of its last record.
    pub head_digest: Digest,
    /// Its journal, from the first record.
    pub records: Vec<Record>,
    /// The bytes that rows keep of its values, by their digests.
    pub inline: HashMap<Digest, Bytes>,
}

/// What taking over a lost worker's runs gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Runs that are driven here from now on.
    pub taken: Vec<RunId>,
    /// Runs that were lost too often and are dead letters now.
    pub parked: Vec<RunId>,
}

/// A worker as it registers.
#[derive(Debug, Clone)]
pub struct WorkerRow {
    /// Its id; a new one at each start.
    pub id: WorkerId,
    /// What people see of it.
    pub name: String,
    /// How long its beat may stand still.
    pub lease: Duration,
}

impl WorkerRow {
    /// A worker of this release.
    pub fn new(id: WorkerId, name: &str, lease: Duration) -> Self {
        Self { id, name: name.to_owned(), lease }
    }
}

/// A worker as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerSeen {
    /// Which.
    pub id: WorkerId,
    /// Its counter; that it rises shows that the worker lives.
    pub beat: i64,
    /// How long it may stand still.
    pub lease: Duration,
    /// What it says of itself.
    pub state: WorkerState,
}

/// A message to a run.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The workspace that the run must belong to.
    pub workspace: WorkspaceId,
    /// The run.
    pub run: RunId,
    /// Its id; posting it again under the same id stores it once.
    pub id: InboxId,
    /// What it asks for: `signal`, `cancel` or `resolve`.
    pub kind: String,
    /// JSON.
    pub body: String,
    /// Who sends it.
    pub created_by: String,
    /// When.
    pub at: Timestamp,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted {
    /// It is durable.
    Stored,
    /// The workspace has no such run.
    NotFound,
    /// The run has ended.
    Ended,
}

/// A message that its run has not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// The run.
    pub run: RunId,
    /// The epoch that the run had when this was read.
    pub epoch: i64,
    /// The message.
    pub id: InboxId,
    /// What it asks for.
    pub kind: String,
    /// JSON.
    pub body: String,
}

/// Where runs are kept. A method that fails leaves open whether it wrote; every one of them may be asked again.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes a batch, each run as a whole or not at all. A run whose fence does not hold is refused, one whose data the
    /// database cannot take is parked; the others commit.
    async fn flush(&self, owner: WorkerId, batch: &Batch) -> Result<Vec<(RunId, FlushOutcome)>, JournalError>;

    /// Starts runs: key, trigger event, run and first record together. Answers in the order of `runs`; of two with the
    /// same key in one call the first starts.
    async fn create(&self, owner: Option<WorkerId>, runs: &[NewRun]) -> Result<Vec<Created>, JournalError>;

    /// What the fence looks at; runs that are not there are left out.
    async fn heads(&self, runs: &[RunId]) -> Result<Vec<Head>, JournalError>;

    /// Takes up to `limit` runs that nobody drives: ready ones, and dormant ones that are due or have mail.
    async fn claim(&self, owner: WorkerId, now: Timestamp, limit: u32) -> Result<Vec<RunId>, JournalError>;

    /// Takes over runs of a worker that is lost. Those that were lost less than [`SUSPECT_FROM`] times in a row: up to
    /// `limit`. A suspect only with `suspect`, and then nothing else, one a call, the least lost first: what ends its
    /// process must not make innocent runs look guilty. One that would reach [`PARKED_AT`] is parked instead.
    async fn adopt(
        &self,
        owner: WorkerId,
        lost: WorkerId,
        now: Timestamp,
        limit: u32,
        suspect: bool,
    ) -> Result<Adopted, JournalError>;

    /// Makes a run that `owner` drives a dead letter; nothing when somebody else drives it.
    async fn park(&self, owner: WorkerId, run: RunId, error: &ErrorInfo) -> Result<(), JournalError>;

    /// Reads everything that a run is rebuilt from.
    async fn load(&self, run: RunId) -> Result<LoadedRun, JournalError>;

    /// The mail of these runs, oldest first for each.
    async fn inbox(&self, runs: &[RunId]) -> Result<Vec<InboxRow>, JournalError>;

    /// The mail of every run that `owner` drives, oldest first for each.
    async fn inbox_owned(&self, owner: WorkerId) -> Result<Vec<InboxRow>, JournalError>;

    /// Leaves a message for a run.
    async fn post(&self, message: &NewMessage) -> Result<Posted, JournalError>;

    /// Shows a worker to the others, and forgets those that ended in order or were not seen for a week.
    async fn register(&self, worker: &WorkerRow, now: Timestamp) -> Result<(), JournalError>;

    /// Says that a worker has ended in order: its runs need not wait for its lease.
    async fn stopped(&self, worker: WorkerId) -> Result<(), JournalError>;

    /// The workers that own runs; others need not be watched.
    async fn workers(&self) -> Result<Vec<WorkerSeen>, JournalError>;
}

/// The journal of a database.
pub fn open(database: &Database) -> Arc<dyn Journal> {
    Arc::new(sql::SqlJournal::new(database))
}

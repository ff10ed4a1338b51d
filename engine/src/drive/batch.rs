//! What one group commit carries: for each run its new records and the rows that show them.

use crate::catalog::EffectClass;
use crate::error::ErrorInfo;
use crate::id::{InboxId, RunId};
use crate::run::event::{ReusedFrom, SignalName};
use crate::run::status::{NodeRunStatus, RunStatus};
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::value::{Digest, ValueRef};

/// Number of the format that [`Record::body`] is written in.
pub const FORMAT: i16 = 1;
/// Largest body of one record; a flush that carries more of a run splits it.
pub const BODY_LIMIT: usize = 48 * 1024;

/// Tells flushes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Everything that one transaction writes.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Its number.
    pub id: BatchId,
    /// One entry a run.
    pub runs: Vec<RunFlush>,
}

/// One run's part of a batch: written as a whole, or not at all when the fence does not hold.
#[derive(Debug, Clone)]
pub struct RunFlush {
    /// The run.
    pub run: RunId,
    /// The fence: the owner's epoch.
    pub epoch: i64,
    /// The fence: the last seq that the row must still have.
    pub expected_head: u64,
    /// The last seq after this flush.
    pub head: u64,
    /// The digest of the last record after this flush.
    pub head_digest: Digest,
    /// The new records, in order.
    pub records: Vec<Record>,
    /// The run's row after this flush.
    pub row: RunRow,
    /// The node runs that changed, each in its latest state.
    pub node_runs: Vec<NodeRunRow>,
    /// The inbox rows that became events.
    pub consumed: Vec<InboxId>,
    /// The blobs that the new events refer to.
    pub blobs: Vec<Digest>,
}

/// One row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Seq of its first event.
    pub first_seq: u64,
    /// Seq of its last event.
    pub last_seq: u64,
    /// Canonical bytes of its events, at most [`BODY_LIMIT`].
    pub body: Vec<u8>,
    /// Digest over run, seqs, format, body and `prev`.
    pub digest: Digest,
    /// Digest of the record before; zeros for the first.
    pub prev: Digest,
}

/// Who may take a run next. Readers of a run never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// Anybody may take it, now.
    Ready,
    /// Somebody drives it.
    Owned,
    /// Nobody drives it until its `wake_at` or a message.
    Dormant,
    /// A dead letter: nobody takes it.
    Parked,
    /// It has ended.
    Done,
}

impl Claim {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Owned => "OWNED",
            Self::Dormant => "DORMANT",
            Self::Parked => "PARKED",
            Self::Done => "DONE",
        }
    }
}

/// What a flush says of the run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its status.
    pub status: RunStatus,
    /// Who may take it next; `Owned` keeps the owner, everything else clears it.
    pub claim: Claim,
    /// When its next timer is due; kept for every run, so that a dormant one is found.
    pub wake_at: Option<Timestamp>,
    /// Its result.
    pub output: Option<ValueRef>,
    /// Why it failed, or will.
    pub error: Option<ErrorInfo>,
    /// When it left QUEUED.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Whether something was finished since the last adoption: `adoptions` goes back to 0.
    pub progress: bool,
}

/// What a flush says of one node run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRunRow {
    /// Node key.
    pub node: String,
    /// Which item.
    pub scope: Scope,
    /// `group.name@MAJOR`.
    pub node_type: String,
    /// Its status.
    pub status: NodeRunStatus,
    /// Its last attempt, from 1; 0 for the root of a `for_each` and for nodes never started.
    pub attempt: u32,
    /// Its effect class.
    pub class: EffectClass,
    /// The port it left by.
    pub port: Option<String>,
    /// Its result.
    pub output: Option<ValueRef>,
    /// Its last error.
    pub error: Option<ErrorInfo>,
    /// The signal it waits for.
    pub signal: Option<SignalName>,
    /// When its wait or its next attempt is due.
    pub due_at: Option<Timestamp>,
    /// How many items a `for_each` has; `None` elsewhere.
    pub items: Option<u32>,
    /// How many of them are settled.
    pub items_settled: u32,
    /// Where its result comes from when it did not run here.
    pub reused_from: Option<ReusedFrom>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it settled.
    pub finished_at: Option<Timestamp>,
}

/// How one run's part of a flush ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushOutcome {
    /// Durable.
    Committed,
    /// The fence did not hold: nothing of this run was written.
    Refused,
    /// The database cannot take this run's data; the run alone was parked.
    Parked,
}

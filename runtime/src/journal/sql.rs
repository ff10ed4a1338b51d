//! The journal of either database: what differs is in `postgres` and `sqlite`, everything else is said once here.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use engine::drive::batch::{Batch, FlushOutcome, RunFlush};
use engine::error::ErrorInfo;
use engine::id::{RunId, TriggerEventId, WorkerId, WorkflowId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use sea_orm::{
    ColumnTrait as _, DatabaseConnection, EntityTrait as _, QueryFilter as _, QuerySelect as _, SqlxPostgresConnector,
    SqlxSqliteConnector,
};
use uuid::Uuid;

use super::ownership::{Fence, Ownership};
use super::read::Reading;
use super::{
    Adopted, Created, Head, InboxRow, Journal, JournalError, LoadedRun, NewMessage, NewRun, Posted, WorkerRow,
    WorkerSeen, postgres, row, sqlite,
};
use crate::database::{Database, JournalPool};

/// Longest wait for a write, over the statement's own limit on the server. A connection that gives no answer is
/// dropped, not used again.
const LONGEST_WRITE: Duration = Duration::from_secs(15);
/// Most bytes that one statement carries; a batch over it goes in several, each run in one.
const STATEMENT_BYTES: usize = 8 * 1024 * 1024;

/// A journal in a database.
pub(super) struct SqlJournal {
    pool: JournalPool,
    ownership: Ownership,
    reading: Reading,
}

impl SqlJournal {
    pub(super) fn new(database: &Database) -> Self {
        let pool = database.journal().clone();
        let (writer, reader): (DatabaseConnection, DatabaseConnection) = match &pool {
            JournalPool::Postgres(pool) => {
                let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
                (connection.clone(), connection)
            }
            JournalPool::Sqlite(pool) => {
                (SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()), database.read().clone())
            }
        };
        Self { pool, ownership: Ownership::new(writer.clone()), reading: Reading::new(reader, writer) }
    }

    async fn write(&self, owner: WorkerId, flushes: &[&RunFlush]) -> Result<HashSet<RunId>, JournalError> {
        match &self.pool {
            JournalPool::Postgres(pool) => within(postgres::flush(pool, owner, flushes)).await,
            JournalPool::Sqlite(pool) => within(sqlite::flush(pool, owner, flushes)).await,
        }
    }

    async fn make(&self, owner: Option<WorkerId>, new: &[&NewRun]) -> Result<HashSet<RunId>, JournalError> {
        match &self.pool {
            JournalPool::Postgres(pool) => within(postgres::create(pool, owner, new)).await,
            JournalPool::Sqlite(pool) => within(sqlite::create(pool, owner, new)).await,
        }
    }

    /// A run whose fence did not hold, or whose blob is gone: only the latter is still this owner's to park.
    async fn refused(&self, owner: WorkerId, flush: &RunFlush) -> Result<FlushOutcome, JournalError> {
        if flush.blobs.is_empty() {
            return Ok(FlushOutcome::Refused);
        }
        let gone =
            ErrorInfo::permanent("BLOB_EXPIRED", "a value that this run refers to was deleted before it was used");
        self.park_alone(owner, flush, &gone).await
    }

    async fn park_alone(
        &self,
        owner: WorkerId,
        flush: &RunFlush,
        error: &ErrorInfo,
    ) -> Result<FlushOutcome, JournalError> {
        let fence = Fence { owner, run: flush.run, at: Some((flush.epoch, flush.expected_head)) };
        let parked = self.ownership.park(&fence, error).await?;
        Ok(if parked { FlushOutcome::Parked } else { FlushOutcome::Refused })
    }

    /// Runs that a start key or an earlier try had already made, by key or, without one, by their own id.
    async fn found(&self, runs: &[&NewRun]) -> Result<Known, JournalError> {
        use entity::{run, start_dedupe as known};
        let reader = self.reading.connection();
        let mut found = Known::default();
        let keyed: Vec<&NewRun> = runs.iter().copied().filter(|new| new.start_key.is_some()).collect();
        for group in keyed.chunks(100) {
            let mut any = sea_orm::Condition::any();
            for new in group {
                let Some(key) = &new.start_key else { continue };
                any = any.add(
                    sea_orm::Condition::all()
                        .add(known::Column::WorkspaceId.eq(new.workspace.0))
                        .add(known::Column::WorkflowId.eq(new.workflow.0))
                        .add(known::Column::Key.eq(&key.key)),
                );
            }
            for row in known::Entity::find().filter(any).all(reader).await? {
                let key = (WorkspaceId(row.workspace_id), WorkflowId(row.workflow_id), row.key);
                let event = TriggerEventId(row.event_id.unwrap_or(row.run_id));
                found.keys.insert(
                    key,
                    (RunId(row.run_id), event, row::digest(&row.input_digest, "start_dedupe", "input_digest")?),
                );
            }
        }
        let ids = runs.iter().map(|new| new.run.0);
        let select = run::Entity::find().select_only().column(run::Column::Id).filter(run::Column::Id.is_in(ids));
        found.runs = select.into_tuple::<Uuid>().all(reader).await?.into_iter().map(RunId).collect();
        Ok(found)
    }
}

/// What was there before.
#[derive(Default)]
struct Known {
    keys: HashMap<(WorkspaceId, WorkflowId, String), (RunId, TriggerEventId, Digest)>,
    runs: HashSet<RunId>,
}

impl Known {
    fn answer(&self, new: &NewRun) -> Created {
        let held =
            new.start_key.as_ref().and_then(|key| self.keys.get(&(new.workspace, new.workflow, key.key.clone())));
        match held {
            Some((run, event, input)) if *run != new.run => {
                Created::Exists { run: *run, event: *event, same_input: *input == new.asked() }
            }
            // An earlier try whose outcome nobody knew.
            _ if self.runs.contains(&new.run) => Created::New,
            _ if new.fence.is_some() => {
                let late = "somebody else has decided this start, or its schedule has changed";
                Created::Refused(JournalError::Refused(late.to_owned()))
            }
            _ => Created::Refused(JournalError::Refused(
                "a value that the run begins with was deleted before it was used".to_owned(),
            )),
        }
    }
}

async fn within<T>(write: impl Future<Output = Result<T, sqlx::Error>> + Send) -> Result<T, JournalError> {
    match tokio::time::timeout(LONGEST_WRITE, write).await {
        Ok(Ok(written)) => Ok(written),
        Ok(Err(error)) => Err(match refusal(&error) {
            Some(why) => JournalError::Refused(why),
            None => JournalError::Database(error),
        }),
        Err(_) => Err(JournalError::TimedOut(LONGEST_WRITE)),
    }
}

/// Why the data itself was refused; `None` for every failure that says nothing about the data.
fn refusal(error: &sqlx::Error) -> Option<String> {
    /// SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE.
    const SQLITE: [u32; 4] = [18, 19, 20, 25];
    /// Cardinality violation, data exception, integrity constraint violation, program limit exceeded.
    const POSTGRES: [&str; 4] = ["21", "22", "23", "54"];
    match error {
        sqlx::Error::Encode(error) => Some(error.to_string()),
        sqlx::Error::Database(error) => {
            let code = error.code()?;
            let is_refused = match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                Some(_) => code.parse::<u32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff))),
                None => code.get(..2).is_some_and(|class| POSTGRES.contains(&class)),
            };
            is_refused.then(|| error.message().to_owned())
        }
        _ => None,
    }
}

/// A batch in parts that a statement can carry.
fn parts<'a>(batch: &'a Batch) -> Vec<Vec<&'a RunFlush>> {
    let mut parts: Vec<Vec<&'a RunFlush>> = Vec::new();
    let mut room = 0;
    for flush in &batch.runs {
        let weight = row::weight(flush);
        match parts.last_mut() {
            Some(part) if weight <= room => part.push(flush),
            _ => {
                parts.push(vec![flush]);
                room = STATEMENT_BYTES;
            }
        }
        room = room.saturating_sub(weight);
    }
    parts
}

/// Cuts a refused part in two; the halves are tried in order.
fn halve<T: Copy>(part: &[T], waiting: &mut Vec<Vec<T>>) {
    let (first, second) = part.split_at(part.len() / 2);
    waiting.push(second.to_vec());
    waiting.push(first.to_vec());
}

#[async_trait]
impl Journal for SqlJournal {
    async fn flush(&self, owner: WorkerId, batch: &Batch) -> Result<Vec<(RunId, FlushOutcome)>, JournalError> {
        let mut outcomes = Vec::with_capacity(batch.runs.len());
        let mut waiting = parts(batch);
        waiting.reverse();
        while let Some(part) = waiting.pop() {
            match (self.write(owner, &part).await, part.as_slice()) {
                (Ok(committed), _) => {
                    for flush in part {
                        let is_committed = committed.contains(&flush.run);
                        let outcome =
                            if is_committed { FlushOutcome::Committed } else { self.refused(owner, flush).await? };
                        outcomes.push((flush.run, outcome));
                    }
                }
                (Err(JournalError::Refused(why)), [flush]) => {
                    let why = ErrorInfo::permanent(
                        "DATA_REFUSED",
                        format!("the database cannot take this run's data: {why}"),
                    );
                    outcomes.push((flush.run, self.park_alone(owner, flush, &why).await?));
                }
                (Err(JournalError::Refused(_)), part) => halve(part, &mut waiting),
                (Err(error), _) => return Err(error),
            }
        }
        Ok(outcomes)
    }

    async fn create(&self, owner: Option<WorkerId>, runs: &[NewRun]) -> Result<Vec<Created>, JournalError> {
        let first = first_of_each_key(runs);
        let mut refused: HashMap<RunId, JournalError> = HashMap::new();
        let mut made = HashSet::new();
        let mut waiting: Vec<Vec<&NewRun>> = if first.is_empty() { Vec::new() } else { vec![first] };
        while let Some(part) = waiting.pop() {
            match (self.make(owner, &part).await, part.as_slice()) {
                (Ok(new), _) => made.extend(new),
                (Err(error @ JournalError::Refused(_)), [new]) => {
                    refused.insert(new.run, error);
                }
                (Err(JournalError::Refused(_)), part) => halve(part, &mut waiting),
                (Err(error), _) => return Err(error),
            }
        }
        let unclear: Vec<&NewRun> =
            runs.iter().filter(|new| !made.contains(&new.run) && !refused.contains_key(&new.run)).collect();
        let known = if unclear.is_empty() { Known::default() } else { self.found(&unclear).await? };
        let answers = runs.iter().map(|new| match refused.remove(&new.run) {
            Some(error) => Created::Refused(error),
            None if made.contains(&new.run) => Created::New,
            None => known.answer(new),
        });
        Ok(answers.collect())
    }

    async fn heads(&self, runs: &[RunId]) -> Result<Vec<Head>, JournalError> {
        self.reading.heads(runs).await
    }

    async fn claim(&self, owner: WorkerId, now: Timestamp, limit: u32) -> Result<Vec<RunId>, JournalError> {
        self.ownership.claim(owner, now, limit).await
    }

    async fn adopt(
        &self,
        owner: WorkerId,
        lost: WorkerId,
        now: Timestamp,
        limit: u32,
        suspect: bool,
    ) -> Result<Adopted, JournalError> {
        if suspect {
            self.ownership.adopt_suspect(owner, lost, now).await
        } else {
            self.ownership.adopt(owner, lost, limit).await
        }
    }

    async fn park(&self, owner: WorkerId, run: RunId, error: &ErrorInfo) -> Result<(), JournalError> {
        self.ownership.park(&Fence { owner, run, at: None }, error).await.map(drop)
    }

    async fn load(&self, run: RunId) -> Result<LoadedRun, JournalError> {
        self.reading.load(run).await
    }

    async fn inbox(&self, runs: &[RunId]) -> Result<Vec<InboxRow>, JournalError> {
        self.reading.inbox(runs).await
    }

    async fn inbox_owned(&self, owner: WorkerId) -> Result<Vec<InboxRow>, JournalError> {
        self.reading.inbox_owned(owner).await
    }

    async fn post(&self, message: &NewMessage) -> Result<Posted, JournalError> {
        self.reading.post(message).await
    }

    async fn register(&self, worker: &WorkerRow, now: Timestamp) -> Result<(), JournalError> {
        self.ownership.register(worker, now).await
    }

    async fn stopped(&self, worker: WorkerId) -> Result<(), JournalError> {
        self.ownership.stopped(worker).await
    }

    async fn workers(&self) -> Result<Vec<WorkerSeen>, JournalError> {
        self.ownership.workers().await
    }
}

/// The runs of one call without those whose key another one before them has.
fn first_of_each_key(runs: &[NewRun]) -> Vec<&NewRun> {
    let mut keys = HashSet::new();
    let mut first = Vec::with_capacity(runs.len());
    for new in runs {
        let key = new.start_key.as_ref().map(|key| (new.workspace, new.workflow, key.key.as_str()));
        if key.is_none_or(|key| keys.insert(key)) {
            first.push(new);
        }
    }
    first
}

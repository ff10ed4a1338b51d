//! A database, a journal and things to write into it.

use std::sync::Arc;
use std::time::Duration;

use engine::catalog::EffectClass;
use engine::drive::batch::{Batch, BatchId, Claim, FlushOutcome, NodeRunRow, Record, RunFlush, RunRow};
use engine::id::{InboxId, ProjectId, RunId, TriggerEventId, VersionId, WorkerId, WorkflowId, WorkspaceId};
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::scope::Scope;
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use uuid::Uuid;

use crate::clock::Clock;
use crate::database::to_column;
use crate::journal::{Created, Journal, NewMessage, NewRun, WorkerRow};
use crate::runtime::{Mode, TriggerKind};
use crate::testing::TestDatabase;

pub(crate) const SALT: [u8; 16] = [7; 16];

pub(crate) struct Bench {
    pub(crate) test: TestDatabase,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) clock: Clock,
    pub(crate) workspace: WorkspaceId,
    pub(crate) owner: WorkerId,
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        Self::on(TestDatabase::sqlite().await).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::on(TestDatabase::postgres().await).await
    }

    async fn on(test: TestDatabase) -> Self {
        let clock = Clock::fixed(Timestamp(1_800_000_000_000_000));
        let journal = crate::journal::open(&test.database);
        let workspace = WorkspaceId(clock.new_id());
        let row = entity::workspace::ActiveModel {
            id: Set(workspace.0),
            slug: Set("acme".to_owned()),
            name: Set("Acme".to_owned()),
            salt: Set(SALT.to_vec()),
            created_at: Set(to_column(clock.now())),
        };
        entity::workspace::Entity::insert(row).exec_without_returning(test.database.write()).await.unwrap();
        let bench = Self { test, journal, workspace, owner: WorkerId(clock.new_id()), clock };
        bench.register(bench.owner).await;
        bench
    }

    pub(crate) fn id(&self) -> Uuid {
        self.clock.new_id()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn register(&self, worker: WorkerId) {
        let row = WorkerRow::new(worker, "test", Duration::from_secs(5));
        self.journal.register(&row, self.now()).await.unwrap();
    }

    /// Another worker.
    pub(crate) async fn worker(&self) -> WorkerId {
        let worker = WorkerId(self.id());
        self.register(worker).await;
        worker
    }

    /// So many runs that `owner` drives.
    pub(crate) async fn owned(&self, owner: WorkerId, count: usize) -> Vec<Line> {
        self.made(Some(owner), count).await
    }

    /// So many runs that anybody may take.
    pub(crate) async fn ready(&self, count: usize) -> Vec<Line> {
        self.made(None, count).await
    }

    async fn made(&self, owner: Option<WorkerId>, count: usize) -> Vec<Line> {
        let new: Vec<NewRun> =
            (0..count).map(|_| NewRun { is_owned: owner.is_some(), ..new_run(self.workspace, &self.clock) }).collect();
        let created = self.journal.create(owner, &new).await.unwrap();
        assert!(created.iter().all(|created| matches!(created, Created::New)), "{created:?}");
        new.iter().map(|new| Line::after(new, i64::from(owner.is_some()))).collect()
    }

    pub(crate) async fn flush(&self, owner: WorkerId, runs: Vec<RunFlush>) -> Vec<FlushOutcome> {
        let batch = Batch { id: BatchId(1), runs };
        let answered = self.journal.flush(owner, &batch).await.unwrap();
        assert_eq!(answered.len(), batch.runs.len());
        let outcome = |flush: &RunFlush| answered.iter().find(|(run, _)| *run == flush.run).unwrap().1;
        batch.runs.iter().map(outcome).collect()
    }

    pub(crate) fn message(&self, run: RunId) -> NewMessage {
        NewMessage {
            workspace: self.workspace,
            run,
            id: InboxId(self.id()),
            kind: "signal".to_owned(),
            body: r#"{"name":"paid"}"#.to_owned(),
            created_by: "test".to_owned(),
            at: self.now(),
        }
    }

    pub(crate) async fn row(&self, run: RunId) -> entity::run::Model {
        entity::run::Entity::find_by_id(run.0).one(self.test.database.read()).await.unwrap().unwrap()
    }
}

/// A run like any other.
pub(crate) fn new_run(workspace: WorkspaceId, clock: &Clock) -> NewRun {
    let run = RunId(clock.new_id());
    let (input, _) = ValueRef::of(&SALT, &serde_json::json!({"order": 7}));
    NewRun {
        run,
        event: TriggerEventId(clock.new_id()),
        workspace,
        project: ProjectId(Uuid::from_u128(2)),
        workflow: WorkflowId(Uuid::from_u128(3)),
        version: Some(VersionId(Uuid::from_u128(4))),
        mode: Mode::Live,
        origin: None,
        retry_of: None,
        retried_from: None,
        definition_hash: Digest([5; 32]),
        environment: "default".to_owned(),
        trigger_node: "start".to_owned(),
        kind: TriggerKind::Manual,
        input,
        start_key: None,
        key: Some("order-7".to_owned()),
        labels: [("customer".to_owned(), "Müller".to_owned())].into(),
        priority: 0,
        deadline_at: None,
        created_by: "test".to_owned(),
        trace: None,
        at: clock.now(),
        record: record(run, 1, Digest([0; 32])),
        more: Vec::new(),
        node_runs: Vec::new(),
        blobs: Vec::new(),
        is_owned: false,
        fence: None,
        redelivery_of: None,
        depth: 0,
    }
}

fn record(run: RunId, seq: u64, prev: Digest) -> Record {
    let body = format!("event {seq} of {run}").into_bytes();
    Record { first_seq: seq, last_seq: seq, digest: Digest::of(&prev.0, &body), body, prev }
}

/// Where a run's journal stands, as its driver knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) run: RunId,
    pub(crate) epoch: i64,
    pub(crate) head: u64,
    pub(crate) digest: Digest,
}

impl Line {
    fn after(new: &NewRun, epoch: i64) -> Self {
        Self { run: new.run, epoch, head: new.record.last_seq, digest: new.record.digest }
    }

    /// One more event, and one node run.
    pub(crate) fn flush(&self) -> RunFlush {
        let record = record(self.run, self.head + 1, self.digest);
        RunFlush {
            run: self.run,
            epoch: self.epoch,
            expected_head: self.head,
            head: record.last_seq,
            head_digest: record.digest,
            records: vec![record],
            row: RunRow {
                status: RunStatus::Running,
                claim: Claim::Owned,
                wake_at: None,
                output: None,
                error: None,
                started_at: Some(Timestamp(1_800_000_000_000_001)),
                finished_at: None,
                progress: false,
            },
            node_runs: vec![node_run("fetch", Scope::ROOT)],
            consumed: Vec::new(),
            blobs: Vec::new(),
        }
    }

    /// One more event, after which the run is nobody's.
    pub(crate) fn leave(&self, claim: Claim) -> RunFlush {
        let mut flush = self.flush();
        flush.row.claim = claim;
        flush.row.status = match claim {
            Claim::Done => RunStatus::Succeeded,
            Claim::Dormant => RunStatus::Waiting,
            _ => RunStatus::Running,
        };
        flush
    }

    /// Where it stands once `flush` has committed.
    pub(crate) fn moved(&self, flush: &RunFlush) -> Self {
        Self { head: flush.head, digest: flush.head_digest, ..*self }
    }
}

pub(crate) fn node_run(node: &str, scope: Scope) -> NodeRunRow {
    let (output, _) = ValueRef::of(&SALT, &serde_json::json!({"node": node, "scope": scope.to_string()}));
    NodeRunRow {
        node: node.to_owned(),
        scope,
        node_type: "http.request@1".to_owned(),
        status: NodeRunStatus::Succeeded,
        attempt: 1,
        class: EffectClass::Idempotent,
        port: Some("out".to_owned()),
        output: Some(output),
        error: None,
        signal: None,
        due_at: None,
        items: None,
        items_settled: 0,
        reused_from: None,
        started_at: Some(Timestamp(1_800_000_000_000_002)),
        finished_at: Some(Timestamp(1_800_000_000_000_003)),
    }
}

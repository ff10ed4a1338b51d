//! What a database does for runs: rows, a fence, an inbox. The checks in here are the promises that no crash may break.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::drive::batch::{Batch, Claim, FlushOutcome, NodeRunRow, Record, RunFlush};
use engine::drive::{HeadSeen, LoadedRun};
use engine::graph::Graph;
use engine::id::{InboxId, RunId};
use engine::run::Run;
use engine::run::codec;
use engine::run::event::{Event, Recorded};
use engine::run::replay::replay;
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::run::step::step;
use engine::scope::Scope;
use engine::time::Timestamp;
use engine::value::Digest;

pub(crate) struct Row {
    pub graph: Arc<Graph>,
    pub owner: Option<usize>,
    pub epoch: i64,
    pub head: u64,
    pub digest: Digest,
    pub claim: Claim,
    pub status: RunStatus,
    pub wake_at: Option<Timestamp>,
    pub adoptions: u32,
    pub records: Vec<Record>,
    pub node_runs: BTreeMap<(String, Scope), NodeRunRow>,
    pub inbox: BTreeMap<InboxId, Event>,
    /// The run that it tries again.
    pub retry_of: Option<RunId>,
}

#[derive(Default)]
pub(crate) struct Database {
    pub runs: BTreeMap<RunId, Row>,
    pub flushes: u64,
}

impl Database {
    pub(crate) fn create(
        &mut self,
        run: RunId,
        graph: Arc<Graph>,
        owner: usize,
        at: Timestamp,
        begun: Vec<Event>,
        retry_of: Option<RunId>,
    ) -> Digest {
        let begun: Vec<Recorded> = begun.into_iter().zip(1..).map(|(event, seq)| Recorded { seq, at, event }).collect();
        let mut state = Run::new(run);
        for recorded in &begun {
            // What follows from the last of them is for the driver to record.
            step(&graph, &mut state, at, recorded.event.clone()).unwrap();
        }
        let reused = begun.iter().filter_map(|recorded| match &recorded.event {
            Event::Reused { at, .. } => state.node_run_row(&graph, at),
            _ => None,
        });
        let node_runs = reused.map(|row| ((row.node.clone(), row.scope.clone()), row)).collect();
        let records = codec::encode(run, &begun, codec::NO_RECORD).unwrap();
        let last = records.last().unwrap();
        let (digest, head) = (last.digest, last.last_seq);
        let row = Row {
            graph,
            owner: Some(owner),
            epoch: 1,
            head,
            digest,
            claim: Claim::Owned,
            status: RunStatus::Queued,
            wake_at: None,
            adoptions: 0,
            records,
            node_runs,
            inbox: BTreeMap::new(),
            retry_of,
        };
        self.runs.insert(run, row);
        digest
    }

    /// One transaction: each run as a whole or not at all.
    pub(crate) fn flush(&mut self, owner: usize, batch: &Batch) -> Vec<(RunId, FlushOutcome)> {
        self.flushes += 1;
        batch.runs.iter().map(|flush| (flush.run, self.flush_run(owner, flush))).collect()
    }

    fn flush_run(&mut self, owner: usize, flush: &RunFlush) -> FlushOutcome {
        let row = self.runs.get_mut(&flush.run).unwrap();
        if row.owner != Some(owner) || row.epoch != flush.epoch || row.head != flush.expected_head {
            return FlushOutcome::Refused;
        }
        let mut prev = row.digest;
        let mut seq = row.head;
        for record in &flush.records {
            codec::verify(flush.run, record, prev).unwrap();
            assert_eq!(record.first_seq, seq + 1, "a gap in the journal of {}", flush.run);
            (prev, seq) = (record.digest, record.last_seq);
        }
        assert_eq!((prev, seq), (flush.head_digest, flush.head));
        row.records.extend(flush.records.iter().cloned());
        row.head = flush.head;
        row.digest = flush.head_digest;
        for node_run in &flush.node_runs {
            upsert(&mut row.node_runs, node_run, flush.run);
        }
        for message in &flush.consumed {
            row.inbox.remove(message);
        }
        assert!(!row.status.is_final(), "{} was written after its end", flush.run);
        row.status = flush.row.status;
        row.wake_at = flush.row.wake_at;
        row.claim = flush.row.claim;
        if flush.row.progress {
            row.adoptions = 0;
        }
        if row.claim != Claim::Owned {
            row.owner = None;
        }
        FlushOutcome::Committed
    }

    pub(crate) fn head(&self, owner: usize, epoch: Option<i64>, run: RunId) -> HeadSeen {
        let row = &self.runs[&run];
        HeadSeen { ours: row.owner == Some(owner) && Some(row.epoch) == epoch, head: row.head, digest: row.digest }
    }

    /// Takes what is ready, due or has mail.
    pub(crate) fn claim(&mut self, owner: usize, now: Timestamp) -> Vec<RunId> {
        let free = |row: &Row| match row.claim {
            Claim::Ready => true,
            Claim::Dormant => row.wake_at.is_some_and(|at| at <= now) || !row.inbox.is_empty(),
            Claim::Owned | Claim::Parked | Claim::Done => false,
        };
        self.take_over(owner, free, false)
    }

    /// Takes the runs of a lost owner.
    pub(crate) fn adopt(&mut self, owner: usize, lost: usize) -> Vec<RunId> {
        self.take_over(owner, |row| row.claim == Claim::Owned && row.owner == Some(lost), true)
    }

    fn take_over(&mut self, owner: usize, free: impl Fn(&Row) -> bool, is_adoption: bool) -> Vec<RunId> {
        let taken: Vec<RunId> = self.runs.iter().filter(|(_, row)| free(row)).map(|(id, _)| *id).collect();
        for id in &taken {
            let row = self.runs.get_mut(id).unwrap();
            row.owner = Some(owner);
            row.epoch += 1;
            row.claim = Claim::Owned;
            row.adoptions += u32::from(is_adoption);
        }
        taken
    }

    pub(crate) fn journal(&self, run: RunId) -> Vec<Recorded> {
        let row = &self.runs[&run];
        row.records.iter().flat_map(|record| codec::decode(record).unwrap()).collect()
    }

    pub(crate) fn load(&self, run: RunId) -> LoadedRun {
        let row = &self.runs[&run];
        let replayed = replay(&row.graph, run, self.journal(run)).unwrap_or_else(|error| panic!("{run}: {error}"));
        LoadedRun {
            graph: row.graph.clone(),
            epoch: row.epoch,
            replayed,
            head: row.head,
            head_digest: row.digest,
            adoptions: row.adoptions,
            cancel: None,
        }
    }
}

/// What a reader was once shown as finished stays as it was.
fn upsert(rows: &mut BTreeMap<(String, Scope), NodeRunRow>, row: &NodeRunRow, run: RunId) {
    let at = (row.node.clone(), row.scope.clone());
    if let Some(shown) = rows.get(&at) {
        let is_final = matches!(
            shown.status,
            NodeRunStatus::Succeeded
                | NodeRunStatus::Failed
                | NodeRunStatus::Skipped
                | NodeRunStatus::Canceled
                | NodeRunStatus::TimedOut
        );
        // Calls in flight may still settle as items of a `for_each` that is over already.
        let same = NodeRunRow { items_settled: row.items_settled, ..shown.clone() } == *row;
        assert!(!is_final || same, "{run}: {at:?} was shown as {shown:?} and is now {row:?}");
    }
    rows.insert(at, row.clone());
}

//! Commits whose answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use engine::drive::batch::{Batch, FlushOutcome};
use engine::error::ErrorInfo;
use engine::id::{RunId, WorkerId};
use engine::run::event::Event;
use engine::run::status::RunStatus;
use engine::time::Timestamp;
use runtime::journal::{
    Adopted, Created, Head, InboxRow, Journal, JournalError, LoadedRun, NewMessage, NewRun, Posted, WorkerRow,
    WorkerSeen,
};
use serde_json::json;

use crate::home::{Home, end, on_both};

/// What happens to the flushes in turn: every second one loses its answer, alternately before and after it was done.
struct Cut {
    inner: Arc<dyn Journal>,
    flushes: AtomicU32,
    creates: AtomicU32,
    /// The first creation and every claim lose their answers after they were done.
    loses_takings: bool,
}

impl Cut {
    fn around(inner: Arc<dyn Journal>, loses_takings: bool) -> Arc<dyn Journal> {
        Arc::new(Self { inner, flushes: AtomicU32::new(0), creates: AtomicU32::new(0), loses_takings })
    }
}

#[async_trait]
impl Journal for Cut {
    async fn flush(&self, owner: WorkerId, batch: &Batch) -> Result<Vec<(RunId, FlushOutcome)>, JournalError> {
        let lost = || JournalError::TimedOut(std::time::Duration::ZERO);
        match self.flushes.fetch_add(1, Ordering::SeqCst) % 4 {
            1 => Err(lost()),
            3 => self.inner.flush(owner, batch).await.and(Err(lost())),
            _ => self.inner.flush(owner, batch).await,
        }
    }

    async fn create(&self, owner: Option<WorkerId>, runs: &[NewRun]) -> Result<Vec<Created>, JournalError> {
        let created = self.inner.create(owner, runs).await?;
        let is_lost = self.loses_takings && self.creates.fetch_add(1, Ordering::SeqCst) == 0;
        if is_lost { Err(JournalError::TimedOut(std::time::Duration::ZERO)) } else { Ok(created) }
    }
    async fn heads(&self, runs: &[RunId]) -> Result<Vec<Head>, JournalError> {
        self.inner.heads(runs).await
    }
    async fn claim(&self, owner: WorkerId, now: Timestamp, limit: u32) -> Result<Vec<RunId>, JournalError> {
        self.inner.claim(owner, now, limit).await
    }
    async fn adopt(
        &self,
        owner: WorkerId,
        lost: WorkerId,
        now: Timestamp,
        limit: u32,
        suspect: bool,
    ) -> Result<Adopted, JournalError> {
        self.inner.adopt(owner, lost, now, limit, suspect).await
    }
    async fn park(&self, owner: WorkerId, run: RunId, error: &ErrorInfo) -> Result<(), JournalError> {
        self.inner.park(owner, run, error).await
    }
    async fn load(&self, run: RunId) -> Result<LoadedRun, JournalError> {
        self.inner.load(run).await
    }
    async fn inbox(&self, runs: &[RunId]) -> Result<Vec<InboxRow>, JournalError> {
        self.inner.inbox(runs).await
    }
    async fn inbox_owned(&self, owner: WorkerId) -> Result<Vec<InboxRow>, JournalError> {
        self.inner.inbox_owned(owner).await
    }
    async fn post(&self, message: &NewMessage) -> Result<Posted, JournalError> {
        self.inner.post(message).await
    }
    async fn register(&self, worker: &WorkerRow, now: Timestamp) -> Result<(), JournalError> {
        self.inner.register(worker, now).await
    }
    async fn stopped(&self, worker: WorkerId) -> Result<(), JournalError> {
        self.inner.stopped(worker).await
    }
    async fn workers(&self) -> Result<Vec<WorkerSeen>, JournalError> {
        self.inner.workers().await
    }
}

/// Whether the commit happened or not, the run goes on from what is there: nothing twice, nothing missing.
async fn a_commit_without_an_answer_changes_nothing(home: Home) {
    let runtime = home.runtime_with(|inner| Cut::around(inner, false)).await;
    let mut nodes = serde_json::Map::new();
    let mut edges = Vec::new();
    nodes.insert("start".into(), json!({"type": "trigger.manual@1"}));
    let mut before = "start".to_owned();
    for number in 0..8 {
        let key = format!("n{number}");
        // Waits of no length make each step a commit of its own.
        let node = if number % 2 == 0 {
            json!({"type": "flow.wait@1", "config": {"for": "1ms"}})
        } else {
            json!({"type": "data.set@1", "config": {"value": "{{ input }}"}})
        };
        nodes.insert(key.clone(), node);
        edges.push(json!({"from": before, "to": key}));
        before = key;
    }
    let document = json!({"nodes": nodes, "edges": edges});
    let run = home.start(&runtime, &document, json!({"n": 1})).await;
    let (status, events) = end(&runtime, run).await;
    assert_eq!(status, RunStatus::Succeeded);
    let succeeded = events.iter().filter(|recorded| matches!(recorded.event, Event::AttemptSucceeded { .. })).count();
    assert_eq!(succeeded, 4, "each data.set succeeded once");
    runtime.stop().await;
}

/// A start whose answer was lost is found by its key, and the run is driven although nobody was told of it.
async fn a_start_without_an_answer_is_found_and_driven(home: Home) {
    let runtime = home.runtime_with(|inner| Cut::around(inner, true)).await;
    let document = json!({
        "nodes": {"start": {"type": "trigger.manual@1"}, "set": {"type": "data.set@1", "config": {"value": 1}}},
        "edges": [{"from": "start", "to": "set"}]
    });
    let mut request = home.request(home.define(&document).await, json!({}));
    request.idempotency_key = Some("once".into());
    let lost = runtime.start(request.clone()).await;
    assert!(matches!(lost, Err(runtime::StartError::Journal(_))), "{lost:?}");
    let found = runtime.start(request).await.unwrap();
    assert!(found.replayed);
    assert_eq!(end(&runtime, found.run).await.0, RunStatus::Succeeded);
    runtime.stop().await;
}

on_both! {
    a_start_without_an_answer => super::a_start_without_an_answer_is_found_and_driven;
    a_commit_without_an_answer => super::a_commit_without_an_answer_changes_nothing;
}

//! Runs: reading, and what people say to one under way.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::catalog::EffectClass;
use engine::error::ErrorInfo;
use engine::id::{NodeRunId, RunId, VersionId, WorkflowId};
use engine::run::event::{ReusedFrom, SignalName};
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::scope::Scope;
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use serde_json::{Value, json};

use super::audit::{Action, Context, Done};
use super::page::{Page, PageRequest};
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;
use crate::store::signal_key::SignalKey;

/// Whether a run counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunMode {
    /// A run of a deployed or named version.
    Live,
    /// A try: it stays out of figures and alerts.
    Test,
}

/// One execution of a version, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Of which version; none for a try of a definition that was never published.
    pub version: Option<VersionId>,
    /// The definition it runs.
    pub hash: Digest,
    /// Where.
    pub environment: String,
    /// Whether it counts.
    pub mode: RunMode,
    /// What it is doing.
    pub status: RunStatus,
    /// The business key.
    pub key: Option<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The key of the node that started it.
    pub trigger: String,
    /// What it was given.
    pub input: ValueRef,
    /// Its result.
    pub output: Option<ValueRef>,
    /// Why it failed, or will.
    pub error: Option<ErrorInfo>,
    /// The number of its last event.
    pub last_seq: u64,
    /// When it was committed.
    pub created_at: Timestamp,
    /// When it left QUEUED.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Who started it.
    pub created_by: String,
    /// The run that it tries again.
    pub retry_of: Option<RunId>,
    /// The node that a retried run begins at; none for the start.
    pub retried_from: Option<String>,
}

/// One node's execution, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRun {
    /// The run.
    pub run: RunId,
    /// The node's key.
    pub node: String,
    /// Which item.
    pub scope: Scope,
    /// `group.name@MAJOR`.
    pub node_type: String,
    /// What it is doing.
    pub status: NodeRunStatus,
    /// Its last attempt.
    pub attempt: u32,
    /// What a repeat may do.
    pub effect: EffectClass,
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
    /// How many items a `for_each` has.
    pub items: Option<u32>,
    /// How many of them are settled.
    pub items_settled: u32,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it settled.
    pub finished_at: Option<Timestamp>,
    /// Where its result comes from when it did not run.
    pub reused_from: Option<ReusedFrom>,
}

impl NodeRun {
    /// Run, node key and item.
    pub fn id(&self) -> NodeRunId {
        NodeRunId { run: self.run, node: self.node.clone(), scope: self.scope.clone() }
    }
}

/// Which runs; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// One of these; any when empty.
    pub statuses: Vec<RunStatus>,
    /// Of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Live runs or test runs.
    pub mode: Option<RunMode>,
    /// In this environment.
    pub environment: Option<String>,
    /// With this business key.
    pub key: Option<String>,
    /// With all of these labels: name and value.
    pub labels: Vec<(String, String)>,
    /// Committed at this time or later.
    pub created_since: Option<Timestamp>,
    /// Committed before this time.
    pub created_until: Option<Timestamp>,
    /// Started by this one.
    pub created_by: Option<String>,
    /// Started by one of these kinds of trigger; any when empty.
    pub triggers: Vec<runtime::TriggerKind>,
    /// Trying this run again.
    pub retry_of: Option<RunId>,
}

/// In which order runs are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunOrder {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

/// What a person says about an uncertain node run.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// Do it again with the same idempotency key.
    Retry,
    /// It happened, and this is its result.
    Succeed(Value),
    /// Treat it as failed.
    Fail,
}

/// The run of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: RunId) -> Result<Run, ServiceError> {
    viewer.require(Permission::Read)?;
    store::run::find(app.runtime.database(), &viewer.scope(), id).await?.ok_or(ServiceError::NotFound { what: "run" })
}

const RUNS: &str = "runs";
const NODE_RUNS: &str = "node-runs";

/// Runs by the time they were committed. Ids are ordered by that time, so that a page is right while runs come and go.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    filter: &RunFilter,
    order: RunOrder,
    page: &PageRequest,
) -> Result<Page<Run>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, RUNS, |text| text.parse().ok())?;
    let descending = order == RunOrder::NewestFirst;
    let rows = store::run::list(app.runtime.database(), &viewer.scope(), filter, descending, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(RUNS, &row.id.to_string())))
}

/// A run's node runs, by node key and item. Having the run is the proof that the viewer may see them.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn node_runs(
    app: &App,
    viewer: &Viewer,
    run: &Run,
    statuses: &[NodeRunStatus],
    page: &PageRequest,
) -> Result<Page<NodeRun>, ServiceError> {
    viewer.require(Permission::Read)?;
    let of_run = |text: &str| text.parse().ok().filter(|id: &NodeRunId| id.run == run.id);
    let window = page.window(&viewer.cursors, NODE_RUNS, of_run)?;
    let rows = store::run::node_runs(app.runtime.database(), run.id, statuses, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(NODE_RUNS, &row.id().to_string())))
}

/// The node run of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_node_run(app: &App, viewer: &Viewer, id: &NodeRunId) -> Result<NodeRun, ServiceError> {
    viewer.require(Permission::Read)?;
    let absent = ServiceError::NotFound { what: "node run" };
    if store::run::find(app.runtime.database(), &viewer.scope(), id.run).await?.is_none() {
        return Err(absent);
    }
    let found = store::run::find_node_run(app.runtime.database(), id).await?;
    found.ok_or(absent)
}

/// What moves a waiting node run on.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The name that a node waits for.
    pub name: String,
    /// Tells waits of the same name apart; empty for none.
    pub key: String,
    /// What leaves the waiting node.
    pub payload: Value,
}

/// What was sent under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Nothing, or too long ago.
    Nothing,
    /// This very signal.
    This,
    /// Another signal.
    Another,
}

/// How long a key keeps a signal from being sent again; as long as a key keeps a run from being started again.
const KEY_LIVES: Duration = Duration::from_secs(24 * 3_600);

/// Sends a signal to a run. The same `idempotency_key` sends it once: whoever lost the first answer asks again and
/// learns that it was sent, also when it has ended the run meanwhile.
///
/// # Errors
/// When they may not, the run is not there or has ended, or the key sent something else.
pub async fn signal(
    app: &App,
    viewer: &Viewer,
    id: RunId,
    signal: &Signal,
    idempotency_key: Option<&str>,
) -> Result<Run, ServiceError> {
    viewer.require(Permission::RunSignal)?;
    let Signal { name, key, payload } = signal;
    text::key("name", name)?;
    if !key.is_empty() {
        text::key("key", key)?;
    }
    if let Some(key) = idempotency_key {
        text::key("idempotencyKey", key)?;
    }
    let run = get(app, viewer, id).await?;
    let message = app.runtime.signal_message(viewer.workspace, id, name, key, payload, &viewer.actor()).await?;
    let context = Context::of(app, viewer);
    let once = idempotency_key.map(|key| SignalKey::of(&message, key, context.at.plus(KEY_LIVES)));
    // Asked after the run was read: a run that this signal has ended knows its key by then.
    let before = match &once {
        Some(once) => once.look(app.runtime.database(), context.at).await?,
        None => Sent::Nothing,
    };
    let sent = match before {
        Sent::Nothing => {
            under_way(&run)?;
            let done = Done::new(Action::RunSignaled, id).of(run.workflow).after(json!({"name": name, "key": key}));
            store::run::post_once(app, &context, &message, once.as_ref(), done).await?
        }
        before => before,
    };
    match sent {
        Sent::Nothing | Sent::This => Ok(run),
        Sent::Another => Err(ServiceError::IdempotencyMismatch),
    }
}

/// Stops a run; canceling one that was canceled is not an error.
///
/// # Errors
/// When they may not, the run is not there or has ended otherwise.
pub async fn cancel(app: &App, viewer: &Viewer, id: RunId, reason: &str, force: bool) -> Result<Run, ServiceError> {
    viewer.require(Permission::RunControl)?;
    text::prose("reason", reason)?;
    let run = get(app, viewer, id).await?;
    if run.status == RunStatus::Canceled {
        return Ok(run);
    }
    under_way(&run)?;
    // Nothing of a dead letter is under way, so that there is nothing to wait for.
    let force = force || run.status == RunStatus::Paused;
    let message = app.runtime.cancel_message(viewer.workspace, id, reason, force, &viewer.actor());
    let done = Done::new(Action::RunCancelRequested, id).of(run.workflow);
    let done = done.after(json!({"reason": reason, "force": force}));
    store::run::post_to_dead(app, &Context::of(app, viewer), &message, done).await?;
    Ok(run)
}

/// Lets a dead letter go on: a run that was put aside because it could not be driven.
///
/// # Errors
/// When they may not, or the run is no dead letter.
pub async fn resume(app: &App, viewer: &Viewer, id: RunId) -> Result<Run, ServiceError> {
    viewer.require(Permission::RunControl)?;
    let run = get(app, viewer, id).await?;
    let done = Done::new(Action::RunResumeRequested, id).of(run.workflow);
    if run.status != RunStatus::Paused || !store::run::resume(app, &Context::of(app, viewer), id, done).await? {
        let message = format!("{id} is {}, not PAUSED; there is nothing to resume", run.status.as_str());
        return Err(ServiceError::Conflict { message });
    }
    get(app, viewer, id).await
}

/// Those of these runs that the viewer has, in any order.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn by_ids(app: &App, viewer: &Viewer, ids: &[RunId]) -> Result<Vec<Run>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::run::find_all(app.runtime.database(), &viewer.scope(), ids).await?)
}

/// Says how an uncertain node run ended.
///
/// # Errors
/// When they may not, the node run is not there or is not UNCERTAIN.
pub async fn resolve(app: &App, viewer: &Viewer, id: &NodeRunId, says: Says) -> Result<Run, ServiceError> {
    viewer.require(Permission::RunControl)?;
    let node_run = get_node_run(app, viewer, id).await?;
    if node_run.status != NodeRunStatus::Uncertain {
        let message = format!("{id} is {}, not UNCERTAIN", node_run.status.as_str());
        return Err(ServiceError::Conflict { message });
    }
    let run = get(app, viewer, id.run).await?;
    under_way(&run)?;
    let (says, word) = match says {
        Says::Retry => (runtime::PersonSays::Retry, "RETRY"),
        Says::Succeed(output) => (runtime::PersonSays::Succeed(output), "SUCCEED"),
        Says::Fail => (runtime::PersonSays::Fail, "FAIL"),
    };
    let by = viewer.actor();
    let message = app.runtime.resolve_message(viewer.workspace, id.run, &id.node, &id.scope, says, &by).await?;
    let done = Done::new(Action::NodeRunResolved, id).of(run.workflow).after(json!({"resolution": word}));
    store::run::post(app, &Context::of(app, viewer), &message, done).await?;
    Ok(run)
}

fn under_way(run: &Run) -> Result<(), ServiceError> {
    if run.status.is_final() {
        return Err(ServiceError::Conflict { message: format!("{} has ended: {}", run.id, run.status.as_str()) });
    }
    Ok(())
}

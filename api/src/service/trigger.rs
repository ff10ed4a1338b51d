//! Deployed triggers: what they wait for, what came to them, and holding them back.

use std::sync::{Arc, Weak};

use engine::id::{BackfillId, BindingId, RunId, TriggerEventId, VersionId, WorkflowId};
use engine::schedule::Schedule;
use engine::sensitive::Sensitive;
use engine::time::Timestamp;
use engine::value::ValueRef;
use runtime::database::wall;
use runtime::{AskedStart, Forbidden, Gate, TriggerKind};
use serde_json::Value;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::veil::Veil;
use super::{ServiceError, connection, plan, signature};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

pub mod backfill;
pub mod redelivery;

/// Most firings that are told ahead.
pub const MOST_AHEAD: usize = 100;

/// A trigger in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// Its id; it outlives versions.
    pub id: BindingId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Where.
    pub environment: String,
    /// The key of its node.
    pub node: String,
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// The version that is deployed with it.
    pub version: Option<VersionId>,
    /// The node's config in that version.
    pub config: Value,
    /// Since when, and by whom it is paused.
    pub paused: Option<(Timestamp, String)>,
    /// The last tick that was decided.
    pub decided: Timestamp,
    /// A tick that waits for an earlier run.
    pub held: Option<Timestamp>,
    /// When it is looked at next.
    pub next: Option<Timestamp>,
    /// The last tick that started a run.
    pub last_tick: Option<Timestamp>,
    /// That run.
    pub last_run: Option<RunId>,
}

impl Binding {
    /// When it fires next, as far as is known now: what waits or is being decided comes first. Nothing while it is
    /// paused or not deployed.
    pub fn next_firings(&self, most: usize) -> Vec<Timestamp> {
        let Some(schedule) = self.next.and_then(|_| Schedule::read(&self.config).ok()) else { return Vec::new() };
        let ticks = std::iter::successors(schedule.next_after(self.decided), |tick| schedule.next_after(*tick));
        ticks.take(most.min(MOST_AHEAD)).map(|tick| schedule.fires_at(self.id.0, tick)).collect()
    }
}

/// What became of something that came to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It started a run.
    Started,
    /// It started none.
    Refused,
    /// It waits for its turn.
    Waiting,
}

/// Something that came to a trigger.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: TriggerEventId,
    /// For which workflow.
    pub workflow: WorkflowId,
    /// Where.
    pub environment: String,
    /// The key of the trigger node.
    pub node: String,
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// The run that it started.
    pub run: Option<RunId>,
    /// Why it started none, as a code.
    pub reason: Option<String>,
    /// The same for people.
    pub explanation: Option<String>,
    /// The version that it was for, where the event says it.
    pub version: Option<VersionId>,
    /// What it carried, as far as the event has it: of one that started a run, the run has the bytes.
    pub payload: ValueRef,
    /// What is kept of a request that started nothing: an object.
    pub request: Option<Value>,
    /// The tick of a schedule.
    pub tick: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
    /// The run inside that it comes from.
    pub source_run: Option<RunId>,
    /// How many runs before it started each other inside.
    pub depth: u32,
    /// The event that was delivered again.
    pub redelivery_of: Option<TriggerEventId>,
    /// Who wanted a run for this tick of the past.
    pub backfill: Option<BackfillId>,
}

impl Event {
    /// What became of it.
    pub fn outcome(&self) -> Outcome {
        match (self.run, &self.reason) {
            (Some(_), _) => Outcome::Started,
            (None, Some(_)) => Outcome::Refused,
            (None, None) => Outcome::Waiting,
        }
    }
}

/// Which events; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// For this workflow.
    pub workflow: Option<WorkflowId>,
    /// In this environment.
    pub environment: Option<String>,
    /// To this trigger node.
    pub node: Option<String>,
    /// Of this kind.
    pub kind: Option<TriggerKind>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
}

/// The triggers of a workflow that are or were deployed, by environment and node.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn of_workflow(app: &App, viewer: &Viewer, of: WorkflowId) -> Result<Vec<Binding>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::trigger::of_workflow(app.runtime.database(), &viewer.scope(), of).await?)
}

/// The trigger of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: BindingId) -> Result<Binding, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::trigger::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "trigger" })
}

/// Holds a trigger back: it starts nothing until it is resumed. Runs under way go on.
///
/// # Errors
/// When they may not, or there is no such trigger.
pub async fn pause(app: &App, viewer: &Viewer, id: BindingId) -> Result<Binding, ServiceError> {
    set_paused(app, viewer, id, true).await
}

/// Lets a trigger go on from now: what came due meanwhile was not missed.
///
/// # Errors
/// When they may not, or there is no such trigger.
pub async fn resume(app: &App, viewer: &Viewer, id: BindingId) -> Result<Binding, ServiceError> {
    set_paused(app, viewer, id, false).await
}

async fn set_paused(app: &App, viewer: &Viewer, id: BindingId, paused: bool) -> Result<Binding, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    let context = Context::of(app, viewer);
    store::trigger::pause(app.runtime.database(), &context, id, paused, &viewer.actor()).await
}

const EVENTS: &str = "trigger-events";

/// What came to triggers, the latest first.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn events(
    app: &App,
    viewer: &Viewer,
    filter: &EventFilter,
    page: &PageRequest,
) -> Result<Page<Event>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, EVENTS, |text| text.parse().ok())?;
    let rows = store::trigger::events(app.runtime.database(), &viewer.scope(), filter, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(EVENTS, &row.id.to_string())))
}

/// One thing that came.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn event(app: &App, viewer: &Viewer, id: TriggerEventId) -> Result<Event, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::trigger::event(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "trigger event" })
}

/// The last thing that came to a trigger node outside of tests and whose content is kept; what a builder shows as an
/// example.
///
/// # Errors
/// When they may not read, or the database fails.
pub async fn sample(
    app: &App,
    viewer: &Viewer,
    of: WorkflowId,
    environment: &str,
    node: &str,
) -> Result<Option<Event>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::trigger::sample(app.runtime.database(), &viewer.scope(), of, environment, node).await?)
}

/// What it carried; `None` when that is not kept.
///
/// # Errors
/// When they may not read, or the database fails.
pub async fn payload(app: &App, viewer: &Viewer, of: &Event) -> Result<Option<ValueRef>, ServiceError> {
    viewer.require(Permission::Read)?;
    if let Some(run) = of.run {
        let run = store::run::find(app.runtime.database(), &viewer.scope(), run).await?;
        return Ok(run.map(|run| run.input));
    }
    let is_kept = of.payload.inline.is_some()
        || (of.payload.is_blob() && store::trigger::keeps(app.runtime.database(), viewer.workspace, of).await?);
    Ok(is_kept.then(|| of.payload.clone()))
}

/// The version that it was for; `None` when nothing says it.
///
/// # Errors
/// When they may not read, or the database fails.
pub async fn version_of(app: &App, viewer: &Viewer, of: &Event) -> Result<Option<VersionId>, ServiceError> {
    viewer.require(Permission::Read)?;
    match of.run {
        Some(run) => {
            let run = store::run::find(app.runtime.database(), &viewer.scope(), run).await?;
            Ok(run.and_then(|run| run.version))
        }
        None => Ok(of.version),
    }
}

/// What is hidden of what an event without a run carried: what the version that it was for marks. Of an event that was
/// for a version which is not there any more, everything is hidden.
///
/// # Errors
/// When they may not read, or the definition cannot be read.
pub async fn veil(app: &App, viewer: &Viewer, of: &Event) -> Result<Option<Veil>, ServiceError> {
    viewer.require(Permission::Read)?;
    let runnable = match of.version {
        Some(version) => store::version::runnable(app.runtime.database(), &viewer.scope(), version).await?,
        None => None,
    };
    let Some(runnable) = runnable else {
        return Ok(Sensitive::of(&serde_json::json!({"x-sensitive": true})).map(Veil::of_event));
    };
    let plan = plan::get(app, viewer.workspace, &runnable.hash).await?;
    Ok(plan.sensitive.as_deref().cloned().map(Veil::of_event))
}

/// What the clock asks before it starts a version: the same as whoever starts one by hand is asked.
pub fn gate(app: &Arc<App>) -> Gate {
    let app = Arc::downgrade(app);
    Arc::new(move |asked| {
        let app = Weak::clone(&app);
        Box::pin(async move {
            let Some(app) = app.upgrade() else { return Err(Forbidden::NotNow("the server is stopping".to_owned())) };
            wall::of(asked.workspace, may_start(&app, &asked)).await.map_err(|error| match &error {
                ServiceError::Unavailable { .. } => Forbidden::NotNow(error.to_string()),
                ServiceError::Internal(cause) => Forbidden::NotNow(cause.to_string()),
                _ => Forbidden::No(error.code(), error.to_string()),
            })
        })
    })
}

async fn may_start(app: &App, asked: &AskedStart) -> Result<(), ServiceError> {
    signature::require(app, asked.workspace, asked.version, &asked.definition_hash).await?;
    let plan = plan::get(app, asked.workspace, &asked.definition_hash).await?;
    connection::require(app, asked.workspace, asked.project, &asked.environment, &plan.definition).await
}

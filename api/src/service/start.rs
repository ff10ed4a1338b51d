//! Starting runs: one, or many of the same version in one request.

use std::collections::{BTreeMap, HashMap, HashSet};

use engine::definition::Definition;
use engine::id::{ProjectId, RunId, VersionId, WorkflowId};
use engine::value::Digest;
use futures::future::join_all;
use runtime::StartError;
use serde_json::Value;

use super::artifact::upload::{self, GivenFile};
use super::notification::{self, NewCallback};
use super::run::Run;
use super::workflow::{MANUAL, trigger_nodes};
use super::{ServiceError, connection, plan, signature, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// Most labels of a run.
const LABEL_LIMIT: usize = 32;
/// Most runs of one request.
pub const MOST: usize = 250;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// What is deployed of the workflow of this name.
    Named {
        /// The project's slug.
        project: String,
        /// The workflow's name.
        name: String,
    },
    /// What is deployed of this workflow.
    Workflow(WorkflowId),
    /// This version, deployed or not.
    Version(VersionId),
}

/// What to run, and how often.
#[derive(Debug, Clone)]
pub struct Start {
    /// What to run.
    pub which: Which,
    /// Where.
    pub environment: String,
    /// The key of the trigger node.
    pub trigger: Option<String>,
}

/// One of the runs to start.
#[derive(Debug, Clone, Default)]
pub struct StartOne {
    /// The input.
    pub input: Value,
    /// The same key within 24 hours answers with the same run.
    pub idempotency_key: Option<String>,
    /// A business key.
    pub key: Option<String>,
    /// To find the run by.
    pub labels: BTreeMap<String, String>,
    /// Who outside is told once it has ended.
    pub callback: Option<NewCallback>,
    /// Files that become members of the input.
    pub files: Vec<GivenFile>,
}

/// A run that was asked for; `true` says that the idempotency key had started it before.
pub type Started = (Run, bool);

/// A version that can be run, with all that starting needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runnable {
    /// The project.
    pub project: ProjectId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The version.
    pub version: VersionId,
    /// Its definition.
    pub hash: Digest,
}

/// Starts a run; it is durable when this returns.
///
/// # Errors
/// When they may not, nothing is deployed there, the trigger cannot be told, or the key belongs to another request.
pub async fn start(app: &App, viewer: &Viewer, start: &Start, one: StartOne) -> Result<Started, ServiceError> {
    let mut started = start_all(app, viewer, start, vec![one]).await?;
    started.pop().unwrap_or_else(|| Err(ServiceError::internal("a start has no answer")))
}

/// Starts many runs of one version; what was started is durable when this returns. They share the commits of the
/// moment, but each stands for itself: one that cannot be started stops no other. Answers are in the order asked.
///
/// # Errors
/// When none can be started: they may not, nothing is deployed there, the trigger cannot be told, or there are more
/// than [`MOST`].
pub async fn start_all(
    app: &App,
    viewer: &Viewer,
    start: &Start,
    runs: Vec<StartOne>,
) -> Result<Vec<Result<Started, ServiceError>>, ServiceError> {
    viewer.require(Permission::RunStart)?;
    text::slug("environment", &start.environment)?;
    if runs.len() > MOST {
        let message = format!("a request starts at most {MOST} runs; send the rest in another one");
        return Err(ServiceError::invalid("runs", message));
    }
    let runnable = runnable(app, viewer, &start.which, &start.environment).await?;
    let plan = plan::get(app, viewer.workspace, &runnable.hash).await?;
    let trigger = trigger(app, &plan.definition, start.trigger.as_deref())?;
    if let Err(error) = may_run(app, viewer, &runnable, &start.environment, &plan.definition).await {
        for one in runs {
            note(app, &request(viewer, &runnable, &start.environment, &trigger, one), &error).await;
        }
        return Err(error);
    }
    let begin = |one| begin(app, viewer, &runnable, &start.environment, &trigger, one);
    // Of two with the same key the first one starts the run: the others wait until it has.
    let mut keys = HashSet::new();
    let repeats: Vec<bool> =
        runs.iter().map(|one| one.idempotency_key.clone().is_some_and(|key| !keys.insert(key))).collect();
    let (later, first): (Vec<_>, Vec<_>) =
        runs.into_iter().zip(repeats).enumerate().partition(|(_, (_, again))| *again);
    let starts = first.into_iter().map(|(index, (one, _))| async move { (index, begin(one).await) });
    let mut started: Vec<(usize, Result<runtime::Started, ServiceError>)> = join_all(starts).await;
    for (index, (one, _)) in later {
        started.push((index, begin(one).await));
    }
    started.sort_by_key(|(index, _)| *index);
    let started: Vec<_> = started.into_iter().map(|(_, started)| started).collect();
    let ids: Vec<_> = started.iter().flatten().map(|started| started.run).collect();
    let found = store::run::find_all(app.runtime.database(), &viewer.scope(), &ids).await?;
    let found: HashMap<_, _> = found.into_iter().map(|run| (run.id, run)).collect();
    let answer = |started: runtime::Started| {
        let run = found.get(&started.run).cloned();
        let absent = || ServiceError::internal(format!("{} was committed and is not there", started.run));
        Ok((run.ok_or_else(absent)?, started.replayed))
    };
    Ok(started.into_iter().map(|started| started.and_then(answer)).collect())
}

async fn begin(
    app: &App,
    viewer: &Viewer,
    runnable: &Runnable,
    environment: &str,
    trigger: &str,
    one: StartOne,
) -> Result<runtime::Started, ServiceError> {
    if let Err(error) = check(&one) {
        // What is wrong with the key or the labels is not kept with them.
        let bare = StartOne { input: one.input, ..StartOne::default() };
        note(app, &request(viewer, runnable, environment, trigger, bare), &error).await;
        return Err(error);
    }
    let mut one = one;
    let (callback, files) = (one.callback.take(), std::mem::take(&mut one.files));
    if callback.is_none() && files.is_empty() {
        return Ok(app.runtime.start(request(viewer, runnable, environment, trigger, one)).await?);
    }
    let run = RunId(app.runtime.clock().new_id());
    let mut asked = None;
    if !files.is_empty() {
        let found = upload::find_given(app, viewer, runnable.project, &one.input, &files).await?;
        asked = Some(upload::same_start(&one.input, &found));
        one.input = upload::give(app, viewer, run, one.input, &found).await?;
    }
    let has_callback = callback.is_some();
    if let Some(callback) = callback {
        notification::keep_callback(app, viewer, run, callback).await?;
    }
    let started = app.runtime.start_as_run(request(viewer, runnable, environment, trigger, one), run, asked).await;
    match &started {
        Ok(started) if started.run == run => {}
        // Nobody knows whether the run is there: what is left over goes by itself.
        Err(StartError::Journal(_) | StartError::Stopping) => {}
        // Files that were promised to it go in a day.
        Ok(_) | Err(_) if has_callback => notification::drop_callback(app, viewer, run).await?,
        Ok(_) | Err(_) => {}
    }
    Ok(started?)
}

async fn may_run(
    app: &App,
    viewer: &Viewer,
    runnable: &Runnable,
    environment: &str,
    definition: &Definition,
) -> Result<(), ServiceError> {
    signature::require(app, viewer.workspace, runnable.version, &runnable.hash).await?;
    connection::require(app, viewer.workspace, runnable.project, environment, definition).await
}

/// Leaves an event for a start that is refused here, unless it may go well another time.
async fn note(app: &App, start: &runtime::StartRun, error: &ServiceError) {
    if !matches!(error, ServiceError::Unavailable { .. } | ServiceError::Internal(_)) {
        app.runtime.refused(start, &format!("{}: {error}", error.code())).await;
    }
}

fn request(viewer: &Viewer, runnable: &Runnable, environment: &str, trigger: &str, one: StartOne) -> runtime::StartRun {
    runtime::StartRun {
        workspace: viewer.workspace,
        project: runnable.project,
        workflow: runnable.workflow,
        version: Some(runnable.version),
        definition_hash: runnable.hash,
        environment: environment.to_owned(),
        trigger_node: trigger.to_owned(),
        kind: runtime::TriggerKind::Manual,
        input: one.input,
        idempotency_key: one.idempotency_key,
        key: one.key,
        labels: one.labels,
        priority: 0,
        created_by: viewer.actor(),
        trace: crate::telemetry::request::trace(),
    }
}

fn check(one: &StartOne) -> Result<(), ServiceError> {
    if let Some(key) = &one.idempotency_key {
        text::key("idempotencyKey", key)?;
    }
    if let Some(key) = &one.key {
        text::key("key", key)?;
    }
    if one.labels.len() > LABEL_LIMIT {
        return Err(ServiceError::invalid("labels", format!("a run has at most {LABEL_LIMIT} labels")));
    }
    for (name, value) in &one.labels {
        text::key("labels", name)?;
        text::key("labels", value)?;
    }
    Ok(())
}

pub(super) fn trigger(app: &App, definition: &Definition, wanted: Option<&str>) -> Result<String, ServiceError> {
    let Some(key) = wanted else { return only_manual_trigger(app, definition) };
    let found = trigger_nodes(app, definition).find(|(node, _)| *node == key).map(|(node, _)| node.to_owned());
    found.ok_or_else(|| ServiceError::invalid("trigger", format!("the version has no trigger node `{key}`")))
}

async fn runnable(app: &App, viewer: &Viewer, which: &Which, environment: &str) -> Result<Runnable, ServiceError> {
    let database = app.runtime.database();
    let found = match which {
        Which::Named { project, name } => {
            store::deployment::runnable_by_name(database, &viewer.scope(), project, name, environment).await?
        }
        Which::Workflow(id) => {
            store::deployment::runnable_by_workflow(database, &viewer.scope(), *id, environment).await?
        }
        Which::Version(id) => {
            let found = store::version::runnable(database, &viewer.scope(), *id).await?;
            return found.ok_or(ServiceError::NotFound { what: "version" });
        }
    };
    found.ok_or(ServiceError::NotFound { what: "deployed workflow" })
}

fn only_manual_trigger(app: &App, definition: &Definition) -> Result<String, ServiceError> {
    let mut manual = trigger_nodes(app, definition).filter(|(_, r#type)| r#type.name == MANUAL);
    match (manual.next(), manual.next()) {
        (Some((key, _)), None) => Ok(key.to_owned()),
        (None, _) => Err(ServiceError::invalid("trigger", "the version has no manual trigger; name a trigger node")),
        (Some(_), Some(_)) => {
            Err(ServiceError::invalid("trigger", "the version has several manual triggers; name one of them"))
        }
    }
}

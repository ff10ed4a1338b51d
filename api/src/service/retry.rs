//! Trying a run again: a new run that takes over what succeeded.

use std::collections::BTreeSet;

use engine::id::{RunId, VersionId};
use engine::sensitive::REDACTED;
use runtime::again::RetryRun;
use serde_json::Value;

use super::run::{Run, RunMode};
use super::workflow::Version;
use super::{ServiceError, plan, run, signature, text, version, workflow};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// What to try again, and how.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The run that was.
    pub run: RunId,
    /// The first node that runs; the start when absent.
    pub from: Option<String>,
    /// Another version of the workflow; the same when absent.
    pub version: Option<VersionId>,
    /// What that node gets instead of what leads to it; at the start, what the run gets.
    pub input: Option<Value>,
    /// The same key within 24 hours answers with the same run.
    pub idempotency_key: Option<String>,
}

/// Tries a run again; the new run is durable when this returns. `true` says that the idempotency key had started it
/// before.
///
/// # Errors
/// When they may not, the run has not ended, or something before its first node cannot be taken over.
pub async fn retry(app: &App, viewer: &Viewer, request: Retry) -> Result<(Run, bool), ServiceError> {
    viewer.require(Permission::RunStart)?;
    if let Some(key) = &request.idempotency_key {
        text::key("idempotencyKey", key)?;
    }
    let was = run::get(app, viewer, request.run).await?;
    let Some(version) = was.version.filter(|_| was.mode == RunMode::Live) else {
        let message = format!("{} is a test run; start another one with `testRun`", was.id);
        return Err(ServiceError::Conflict { message });
    };
    if !was.status.is_final() {
        let message = format!("{} is {}; a run is tried again once it has ended", was.id, was.status.as_str());
        return Err(ServiceError::Conflict { message });
    }
    let before = workflow::get_version(app, viewer, version).await?;
    let after = match request.version {
        Some(wanted) if wanted != version => workflow::get_version(app, viewer, wanted).await?,
        _ => before.clone(),
    };
    let runnable = store::version::runnable(app.runtime.database(), &viewer.scope(), after.id).await?;
    let runnable = runnable.ok_or(ServiceError::NotFound { what: "version" })?;
    signature::require(app, viewer.workspace, runnable.version, &runnable.hash).await?;
    if runnable.workflow != was.workflow {
        return Err(ServiceError::invalid("versionId", "`versionId` is a version of another workflow"));
    }
    let plan = plan::get(app, viewer.workspace, &was.hash).await?;
    if plan.sensitive.is_some() && request.input.as_ref().is_some_and(holds_redacted) {
        let message = format!("`input` holds `{REDACTED}`, which hides what you may not see; put the real data there");
        return Err(ServiceError::invalid("input", message));
    }
    let same = unchanged(app, viewer, &before, &after).await?;
    let start = runtime::StartRun {
        workspace: viewer.workspace,
        project: runnable.project,
        workflow: runnable.workflow,
        version: Some(runnable.version),
        definition_hash: runnable.hash,
        environment: was.environment.clone(),
        trigger_node: was.trigger.clone(),
        kind: runtime::TriggerKind::Manual,
        input: Value::Null,
        idempotency_key: request.idempotency_key,
        key: was.key.clone(),
        labels: was.labels.clone(),
        priority: 0,
        created_by: viewer.actor(),
        trace: crate::telemetry::request::trace(),
    };
    let again = RetryRun { start, of: was.id, from: request.from, same, input: request.input };
    let started = app.runtime.retry(again).await?;
    let run = store::run::find(app.runtime.database(), &viewer.scope(), started.run).await?;
    let run = run.ok_or_else(|| ServiceError::internal(format!("{} was committed and is not there", started.run)))?;
    Ok((run, started.replayed))
}

/// Whether somebody edited what they were shown and sent back what stood for hidden data.
fn holds_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(REDACTED),
        Value::Array(items) => items.iter().any(holds_redacted),
        Value::Object(fields) => fields.values().any(holds_redacted),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Keys of the nodes that do the same in both versions.
async fn unchanged(
    app: &App,
    viewer: &Viewer,
    before: &Version,
    after: &Version,
) -> Result<BTreeSet<String>, ServiceError> {
    if before.id == after.id {
        let plan = plan::get(app, viewer.workspace, &after.hash).await?;
        return Ok(plan.definition.nodes.keys().cloned().collect());
    }
    let was = version::hashes(app, viewer, before).await?.nodes;
    let is = version::hashes(app, viewer, after).await?.nodes;
    Ok(is.into_iter().filter(|(key, hash)| was.get(key) == Some(hash)).map(|(key, _)| key).collect())
}

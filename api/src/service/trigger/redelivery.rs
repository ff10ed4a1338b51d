//! Delivering once more what came to a trigger.

use engine::id::TriggerEventId;
use runtime::again::Redelivery;

use super::Event;
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::run::Run;
use crate::service::start::Runnable;
use crate::service::{ServiceError, connection, plan, signature, text};
use crate::store;

/// Which version gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onto {
    /// The version that it was for the first time.
    Same,
    /// What is deployed now.
    Deployed,
}

/// What to deliver again.
#[derive(Debug, Clone)]
pub struct Redeliver {
    /// What came.
    pub event: TriggerEventId,
    /// To which version.
    pub onto: Onto,
    /// The same key within 24 hours answers with the same run.
    pub idempotency_key: Option<String>,
}

/// Delivers it again: a new event, and a run of its own that is durable when this returns. `true` says that the
/// idempotency key had started it before.
///
/// # Errors
/// When they may not, there is no such event, what it carried is not kept, or as for every start.
pub async fn redeliver(app: &App, viewer: &Viewer, request: Redeliver) -> Result<(Run, bool), ServiceError> {
    viewer.require(Permission::RunStart)?;
    if let Some(key) = &request.idempotency_key {
        text::key("idempotencyKey", key)?;
    }
    let event = super::event(app, viewer, request.event).await?;
    let payload = super::payload(app, viewer, &event).await?.ok_or_else(|| {
        let message = format!("what {} carried was not kept, so it cannot be delivered again", event.id);
        ServiceError::Conflict { message }
    })?;
    let runnable = runnable(app, viewer, &event, request.onto).await?;
    signature::require(app, viewer.workspace, runnable.version, &runnable.hash).await?;
    let plan = plan::get(app, viewer.workspace, &runnable.hash).await?;
    let trigger = crate::service::start::trigger(app, &plan.definition, Some(&event.node)).map_err(|_| {
        let message =
            format!("version {} has no trigger node `{}`; choose another version", runnable.version, event.node);
        ServiceError::Conflict { message }
    })?;
    connection::require(app, viewer.workspace, runnable.project, &event.environment, &plan.definition).await?;
    let input = app.runtime.value(viewer.workspace, &payload).await?;
    let start = runtime::StartRun {
        workspace: viewer.workspace,
        project: runnable.project,
        workflow: runnable.workflow,
        version: Some(runnable.version),
        definition_hash: runnable.hash,
        environment: event.environment.clone(),
        trigger_node: trigger,
        kind: event.kind,
        input: serde_json::Value::clone(&input),
        idempotency_key: request.idempotency_key,
        key: None,
        labels: std::collections::BTreeMap::new(),
        priority: 0,
        created_by: viewer.actor(),
        trace: crate::telemetry::request::trace(),
    };
    let started = app.runtime.redeliver(Redelivery { start, of: event.id, depth: event.depth }).await?;
    let run = store::run::find(app.runtime.database(), &viewer.scope(), started.run).await?;
    let run = run.ok_or_else(|| ServiceError::internal(format!("{} was committed and is not there", started.run)))?;
    Ok((run, started.replayed))
}

async fn runnable(app: &App, viewer: &Viewer, event: &Event, onto: Onto) -> Result<Runnable, ServiceError> {
    let (database, scope) = (app.runtime.database(), viewer.scope());
    match onto {
        Onto::Deployed => {
            let of = (event.workflow, &event.environment);
            let found = store::deployment::runnable_by_workflow(database, &scope, of.0, of.1).await?;
            found.ok_or(ServiceError::NotFound { what: "deployed workflow" })
        }
        Onto::Same => {
            let version = super::version_of(app, viewer, event).await?.ok_or_else(|| {
                let message = format!("{} was for no version that is known; deliver it to what is deployed", event.id);
                ServiceError::Conflict { message }
            })?;
            let found = store::version::runnable(database, &viewer.scope(), version).await?;
            found.ok_or(ServiceError::NotFound { what: "version" })
        }
    }
}

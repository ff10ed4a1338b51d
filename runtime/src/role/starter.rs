//! Starts what waits for its turn: runs that something inside asked for, and ticks of the past. A start is decided in the
//! commit that makes its run, or in the one that says why there is none.

use std::collections::HashMap;

use engine::id::{ProjectId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::value::Digest;
use entity::{trigger_binding, trigger_event, workflow};
use futures::future::join_all;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::scheduler::{AskedStart, Forbidden, Gate, NotNow};
use crate::arrival;
use crate::database::Database;
use crate::refusal;
use crate::runtime::{Runtime, StartError, StartRun};

/// Starts that are decided together.
const AT_ONCE: u64 = 512;

/// Who asks for the runs of each kind, as their `created_by` says.
const CREATED_BY: &str = "event";

/// A start that waits, with what it would run.
struct Wanted {
    event: trigger_event::Model,
    target: Option<Target>,
}

/// What is deployed with a trigger.
#[derive(Clone, Copy)]
struct Target {
    project: ProjectId,
    version: VersionId,
    hash: Digest,
    is_paused: bool,
}

/// Decides what waits. How many it looked at, and whether there may be more.
pub(crate) async fn pass(runtime: &Runtime, gate: &Gate) -> Result<(u64, bool), DbErr> {
    let wanted = wanted(runtime.engine_database()).await?;
    let count = wanted.len() as u64;
    let decided = join_all(wanted.into_iter().map(|wanted| async move {
        let (id, workflow) = (TriggerEventId(wanted.event.id), WorkflowId(wanted.event.workflow_id));
        match decide(runtime, gate, wanted).await {
            Ok(is_decided) => is_decided,
            Err(error) => {
                tracing::warn!(
                    error = %error, trigger_event.id = %id, workflow.id = %workflow,
                    "a start of {workflow} could not be decided; it is tried again"
                );
                false
            }
        }
    }))
    .await;
    let decided = decided.into_iter().filter(|is_decided| *is_decided).count() as u64;
    Ok((decided, count == AT_ONCE && decided > 0))
}

async fn wanted(database: &Database) -> Result<Vec<Wanted>, DbErr> {
    let events = arrival::waiting(database, AT_ONCE).await?;
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = events.iter().filter_map(|event| event.binding_id).collect();
    let bindings = trigger_binding::Entity::find().filter(trigger_binding::Column::Id.is_in(ids));
    let bindings = bindings.all(database.read()).await?;
    let of = bindings.iter().map(|binding| binding.workflow_id);
    let workflows = workflow::Entity::find().filter(workflow::Column::Id.is_in(of)).all(database.read()).await?;
    let workflows: HashMap<Uuid, workflow::Model> = workflows.into_iter().map(|found| (found.id, found)).collect();
    let target = |binding: &trigger_binding::Model| {
        let workflow = workflows.get(&binding.workflow_id).filter(|workflow| workflow.archived_at.is_none())?;
        Some(Target {
            project: ProjectId(workflow.project_id),
            version: VersionId(binding.version_id?),
            hash: Digest(binding.definition_hash.clone()?.try_into().ok()?),
            is_paused: binding.paused_at.is_some(),
        })
    };
    let targets: HashMap<Uuid, Target> =
        bindings.iter().filter_map(|binding| Some((binding.id, target(binding)?))).collect();
    let with_target = |event: trigger_event::Model| {
        let target = event.binding_id.and_then(|id| targets.get(&id)).copied();
        Wanted { event, target }
    };
    Ok(events.into_iter().map(with_target).collect())
}

/// `false` when it goes on waiting.
async fn decide(runtime: &Runtime, gate: &Gate, wanted: Wanted) -> Result<bool, NotNow> {
    let database = runtime.engine_database();
    let Wanted { event, target } = wanted;
    let id = TriggerEventId(event.id);
    let refuse = async |reason: String| -> Result<bool, NotNow> {
        if arrival::refuse(database, id, &reason).await? {
            tracing::info!(trigger_event.id = %id, "{id} starts no run: {reason}");
        }
        Ok(true)
    };
    let Some(target) = target else {
        return refuse("NOT_DEPLOYED: nothing is deployed with this trigger any more".to_owned()).await;
    };
    if target.is_paused && event.backfill_id.is_none() {
        return refuse("PAUSED: the trigger is paused".to_owned()).await;
    }
    let asked = AskedStart {
        workspace: WorkspaceId(event.workspace_id),
        project: target.project,
        version: target.version,
        definition_hash: target.hash,
        environment: event.environment.clone(),
    };
    match gate(asked).await {
        Ok(()) => {}
        Err(Forbidden::NotNow(why)) => return Err(NotNow::Gate(why)),
        Err(Forbidden::No(code, why)) => return refuse(format!("{code}: {why}")).await,
    }
    match start(runtime, &event, &target).await {
        Ok(()) => Ok(true),
        // Whoever wants many runs of the past waits until there is room for them.
        Err(NotNow::Start(StartError::Quota(_))) if event.backfill_id.is_some() => Ok(false),
        Err(NotNow::Start(error)) => match refusal::reason(&error) {
            Some(reason) => refuse(reason).await,
            None => Err(NotNow::Start(error)),
        },
        Err(error) => Err(error),
    }
}

async fn start(runtime: &Runtime, event: &trigger_event::Model, target: &Target) -> Result<(), NotNow> {
    let workspace = WorkspaceId(event.workspace_id);
    let input = runtime.value(workspace, &arrival::payload(event)?).await?;
    let request = StartRun {
        workspace,
        project: target.project,
        workflow: WorkflowId(event.workflow_id),
        version: Some(target.version),
        definition_hash: target.hash,
        environment: event.environment.clone(),
        trigger_node: event.node_key.clone(),
        kind: event.kind.into(),
        input: serde_json::Value::clone(&input),
        idempotency_key: None,
        key: None,
        labels: std::collections::BTreeMap::new(),
        priority: 0,
        created_by: created_by(event),
        trace: None,
    };
    runtime.start_waiting(request, TriggerEventId(event.id)).await.map(drop).map_err(NotNow::Start)
}

fn created_by(event: &trigger_event::Model) -> String {
    match event.backfill_id {
        Some(_) => "backfill".to_owned(),
        None => CREATED_BY.to_owned(),
    }
}

//! Tells triggers what happened inside. What happened stands in the outbox since the commit that it happened in; it goes
//! from there in the commit that stores a waiting start for each trigger that hears it. Whoever is stopped in between has
//! told nobody, and the next one tells all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use engine::error::ErrorInfo;
use engine::id::{BindingId, NodeRunId, RunId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::listen::{Ear, Happening, Heard, Listener, MOST_DEEP, What};
use engine::run::status::RunStatus;
use engine::sensitive::Sensitive;
use engine::value::{Digest, ValueRef};
use entity::word::{self, BindingKind};
use entity::{event_outbox, node_run, project, run, trigger_binding, trigger_event, workflow};
use sea_orm::prelude::DateTimeUtc;
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::scheduler::NotNow;
use crate::arrival::{self, Arrival};
use crate::runtime::{Runtime, TriggerKind};

/// Most happenings of one pass.
const AT_ONCE: u64 = 256;
/// Largest output of a run that another one is given, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// A trigger that listens.
struct Bound {
    row: trigger_binding::Model,
    kind: TriggerKind,
    listener: Listener,
    project: Uuid,
}

/// What happened, read.
struct Told {
    /// What tells it from others that come to the same trigger.
    key: String,
    /// What a run is given.
    given: Value,
    /// The subject of an event; `None` for the end of a run.
    subject: Option<String>,
    /// What the run is doing.
    status: RunStatus,
    /// The workflow's name.
    workflow: String,
    /// How many runs there are in a row now that started each other inside.
    depth: u32,
}

/// Hands on what stands in the outbox. How much it was, and whether there may be more.
pub(crate) async fn pass(runtime: &Runtime) -> Result<(u64, bool), DbErr> {
    let database = runtime.engine_database();
    let select = event_outbox::Entity::find().order_by_asc(event_outbox::Column::Id).limit(AT_ONCE);
    let mut listeners: HashMap<Uuid, Vec<Bound>> = HashMap::new();
    let (mut told, mut arrivals) = (Vec::new(), Vec::new());
    let rows = select.all(database.read()).await?;
    let is_full = rows.len() as u64 == AT_ONCE;
    for row in rows {
        let listeners = match listeners.entry(row.workspace_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(listening(runtime, row.workspace_id).await?),
        };
        match heard(runtime, &row, listeners).await {
            Ok(heard) => {
                told.push(row.id);
                arrivals.extend(heard);
            }
            Err(error) => {
                let run = RunId(row.run_id);
                tracing::warn!(error = %error, run.id = %run, "what happened in {run} could not be told; again soon");
            }
        }
    }
    if told.is_empty() {
        return Ok((0, false));
    }
    let write = database.begin_write().await?;
    let gone = event_outbox::Entity::delete_many().filter(event_outbox::Column::Id.is_in(told.iter().copied()));
    if gone.exec(&write).await?.rows_affected != told.len() as u64 {
        // Another process has told some of it meanwhile.
        write.rollback().await?;
        return Ok((0, false));
    }
    arrival::insert(&write, &arrivals).await?;
    write.commit().await?;
    Ok((told.len() as u64, is_full))
}

/// The deployed triggers of a workspace that listen. One whose config cannot be read hears nothing.
async fn listening(runtime: &Runtime, workspace: Uuid) -> Result<Vec<Bound>, DbErr> {
    let found: Vec<(trigger_binding::Model, Option<workflow::Model>)> = trigger_binding::Entity::find()
        .join(JoinType::InnerJoin, crate::binding::to_workflow())
        .select_also(workflow::Entity)
        .filter(trigger_binding::Column::WorkspaceId.eq(workspace))
        .filter(trigger_binding::Column::Kind.is_in([BindingKind::Event, BindingKind::Error, BindingKind::Workflow]))
        .filter(trigger_binding::Column::VersionId.is_not_null())
        .filter(workflow::Column::ArchivedAt.is_null())
        .all(runtime.engine_database().read())
        .await?;
    let read = |(row, of): (trigger_binding::Model, Option<workflow::Model>)| {
        let (ear, kind) = match row.kind {
            BindingKind::Event => (Ear::Event, TriggerKind::Event),
            BindingKind::Error => (Ear::Error, TriggerKind::Error),
            BindingKind::Workflow => (Ear::Workflow, TriggerKind::Workflow),
            BindingKind::Schedule | BindingKind::Webhook => return None,
        };
        let listener = Listener::read(ear, &serde_json::from_str(&row.config).ok()?).ok()?;
        Some(Bound { kind, listener, project: of?.project_id, row })
    };
    Ok(found.into_iter().filter_map(read).collect())
}

/// What becomes of a happening: a start that waits, or the reason why there is none, for each trigger that hears it.
async fn heard(runtime: &Runtime, row: &event_outbox::Model, listeners: &[Bound]) -> Result<Vec<Arrival>, NotNow> {
    let of_environment = |bound: &&Bound| bound.row.environment == row.environment;
    if !listeners.iter().any(|bound| of_environment(&bound)) {
        return Ok(Vec::new());
    }
    let Some(told) = read(runtime, row).await? else { return Ok(Vec::new()) };
    let workspace = WorkspaceId(row.workspace_id);
    let Some(tenant) = runtime.definitions().tenant(workspace).await? else { return Ok(Vec::new()) };
    let mut arrivals = Vec::new();
    for bound in listeners.iter().filter(of_environment) {
        let happening = Happening {
            what: told.subject.as_deref().map_or(What::Ended(told.status), What::Published),
            workflow: &told.workflow,
            same_project: bound.project == row.project_id,
            own: bound.row.workflow_id == row.workflow_id,
        };
        if !bound.listener.listens_to(happening) {
            continue;
        }
        let given = given(bound.kind, &told.given);
        let unclear = match bound.listener.lets_pass(&given) {
            Heard::No => continue,
            Heard::Yes => None,
            Heard::Unclear(why) => Some(format!("FILTER_FAILED: {why}")),
        };
        arrivals.push(Arrival {
            id: TriggerEventId(runtime.clock().new_id()),
            workspace,
            workflow: WorkflowId(bound.row.workflow_id),
            environment: bound.row.environment.clone(),
            node: bound.row.node_key.clone(),
            kind: bound.kind,
            version: bound.row.version_id.map(VersionId),
            reason: reason(bound, told.depth).or(unclear),
            payload: runtime.values().keep(&tenant, given).await?,
            keeps_payload: true,
            dedupe_key: None,
            binding: Some(BindingId(bound.row.id)),
            tick: None,
            source: Some((RunId(row.run_id), told.key.clone())),
            depth: told.depth,
            backfill: None,
            at: runtime.now(),
        });
    }
    Ok(arrivals)
}

/// What a run of this kind of trigger is given: who hears of failures gets no output.
fn given(kind: TriggerKind, told: &Value) -> Value {
    let mut given = told.clone();
    if let (TriggerKind::Error, Some(fields)) = (kind, given.as_object_mut()) {
        fields.remove("output");
    }
    given
}

fn reason(bound: &Bound, depth: u32) -> Option<String> {
    if bound.row.paused_at.is_some() {
        return Some("PAUSED: the trigger is paused".to_owned());
    }
    (depth > MOST_DEEP)
        .then(|| format!("LOOP: {MOST_DEEP} runs in a row have started each other; the next one would be one too many"))
}

/// What happened; `None` when what it happened to is not kept any more.
async fn read(runtime: &Runtime, row: &event_outbox::Model) -> Result<Option<Told>, NotNow> {
    let read = runtime.engine_database().read();
    let (Some(of), Some(workflow), Some(project)) = (
        run::Entity::find_by_id(row.run_id).one(read).await?,
        workflow::Entity::find_by_id(row.workflow_id).one(read).await?,
        project::Entity::find_by_id(row.project_id).one(read).await?,
    ) else {
        return Ok(None);
    };
    let Some(status) = RunStatus::ALL.iter().copied().find(|status| status.as_str() == of.status.as_str()) else {
        return Ok(None);
    };
    let depth = depth(runtime, of.trigger_event_id).await?.saturating_add(1);
    let (key, given, subject) = if row.node_key.is_empty() {
        (format!("{}", RunId(of.id)), ended(runtime, &of, &workflow.name, &project.slug).await?, None)
    } else {
        let Some((key, given, subject)) = published(runtime, row, &workflow.name).await? else { return Ok(None) };
        (key, given, Some(subject))
    };
    Ok(Some(Told { key, given, subject, status, workflow: workflow.name, depth }))
}

async fn depth(runtime: &Runtime, event: Option<Uuid>) -> Result<u32, DbErr> {
    let Some(event) = event else { return Ok(0) };
    let select = trigger_event::Entity::find_by_id(event).select_only().column(trigger_event::Column::Depth);
    let found: Option<i32> = select.into_tuple().one(runtime.engine_database().read()).await?;
    Ok(found.and_then(|depth| u32::try_from(depth).ok()).unwrap_or_default())
}

/// What `event.publish` put out, with where it comes from.
async fn published(
    runtime: &Runtime,
    row: &event_outbox::Model,
    workflow: &str,
) -> Result<Option<(String, Value, String)>, NotNow> {
    let key = (row.run_id, row.node_key.clone(), row.scope.clone());
    let Some(found) = node_run::Entity::find_by_id(key).one(runtime.engine_database().read()).await? else {
        return Ok(None);
    };
    let value = value(found.output_digest, found.output_len, found.output_kind, found.output);
    let Some(value) = value else { return Ok(None) };
    let mut event = Value::clone(&*runtime.value(WorkspaceId(row.workspace_id), &value).await?);
    let Some(subject) = event.get("subject").and_then(Value::as_str).map(str::to_owned) else { return Ok(None) };
    let run = RunId(row.run_id);
    if let Some(fields) = event.as_object_mut() {
        fields.insert("run".to_owned(), Value::from(run.to_string()));
        fields.insert("workflow".to_owned(), Value::from(workflow));
    }
    let key = NodeRunId { run, node: row.node_key.clone(), scope: row.scope.parse().unwrap_or_default() };
    let key = key.to_string();
    // A disabled node hands on what it was given, which may be an event of somebody else.
    let is_its_own = event.get("id").and_then(Value::as_str) == Some(key.as_str());
    Ok(is_its_own.then_some((key, event, subject)))
}

/// A run that has ended.
async fn ended(runtime: &Runtime, of: &run::Model, workflow: &str, project: &str) -> Result<Value, NotNow> {
    let error = match of.error.as_deref().and_then(|error| serde_json::from_str::<ErrorInfo>(error).ok()) {
        Some(error) => Some(told_error(runtime, of, error).await?),
        None => None,
    };
    let output = value(of.output_digest.clone(), of.output_len, of.output_kind, of.output.clone());
    let output = match output.filter(|output| output.len <= LARGEST) {
        Some(output) => Value::clone(&*runtime.value(WorkspaceId(of.workspace_id), &output).await?),
        None => Value::Null,
    };
    Ok(json!({
        "run": {
            "id": RunId(of.id).to_string(),
            "workflow": workflow,
            "project": project,
            "status": of.status.as_str(),
            "key": of.key,
            "created_by": of.created_by,
            "created_at": text(of.created_at),
            "finished_at": of.finished_at.map(text),
        },
        "output": output,
        "error": error,
    }))
}

/// A run's error without what its workflow marks as sensitive: those who see the other workflow's runs see it there.
async fn told_error(runtime: &Runtime, of: &run::Model, mut error: ErrorInfo) -> Result<Value, NotNow> {
    let workspace = WorkspaceId(of.workspace_id);
    let hash = of.definition_hash.clone().try_into();
    let hash = Digest(hash.map_err(|_| DbErr::Type("run.definition_hash".to_owned()))?);
    let (graph, _) = runtime.definitions().get(workspace, hash).await?;
    let digest = Some(of.input_digest.clone());
    let input = value(digest, Some(of.input_len), Some(of.input_kind), of.input.clone());
    if let (Some(sensitive), Some(input)) = (graph.input_schema.as_ref().and_then(Sensitive::of), input) {
        let input = runtime.value(workspace, &input).await?;
        if let Some(clean) = sensitive.found_in(&input).cleaned(&error.message) {
            error.message = clean;
        }
    }
    Ok(json!({"code": error.code, "message": error.message, "node": error.node}))
}

fn value(
    digest: Option<Vec<u8>>,
    len: Option<i64>,
    kind: Option<word::ValueKind>,
    inline: Option<Vec<u8>>,
) -> Option<ValueRef> {
    Some(ValueRef {
        digest: Digest(digest?.try_into().ok()?),
        len: u64::try_from(len?).ok()?,
        kind: arrival::kind(kind?),
        inline: inline.map(Into::into),
    })
}

fn text(at: DateTimeUtc) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

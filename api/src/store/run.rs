//! Reads of runs and node runs. Only the journal writer changes them.

use std::collections::BTreeMap;

use bytes::Bytes;
use engine::catalog::EffectClass;
use engine::error::ErrorInfo;
use engine::id::{NodeRunId, RunId, VersionId, WorkflowId};
use engine::run::event::{ReusedFrom, SignalName};
use engine::run::status::{NodeRunStatus, RunStatus};
use engine::scope::Scope;
use engine::value::{ValueKind, ValueRef};
use entity::{node_run, run, trigger_event, word};
use runtime::journal::NewMessage;
use runtime::{Database, PostError};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{ColumnTrait as _, DbBackend, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select};

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::of_workflow;
use super::signal_key::SignalKey;
use super::{at, digest, json, timestamp};
use crate::app::App;
use crate::auth::Scope as Seen;
use crate::service::audit::{Context, Done};
use crate::service::page::Window;
use crate::service::run::{NodeRun, Run, RunFilter, RunMode, Sent};

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Seen) -> Select<run::Entity> {
    run::Entity::find()
        .filter(run::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_workflow(scope, run::Column::WorkflowId))
}

/// The runs of these ids that are in the workspace, in no order.
pub(crate) async fn find_all(database: &Database, scope: &Seen, ids: &[RunId]) -> Result<Vec<Run>, DbErr> {
    let select = in_scope(scope).filter(run::Column::Id.is_in(ids.iter().map(|id| id.0)));
    select.all(database.read()).await?.into_iter().map(read).collect()
}

/// The run of this id.
pub(crate) async fn find(database: &Database, scope: &Seen, id: RunId) -> Result<Option<Run>, DbErr> {
    let found = in_scope(scope).filter(run::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// Leaves a message for a run, with its audit row, and wakes the run.
pub(crate) async fn post(app: &App, context: &Context, message: &NewMessage, done: Done) -> Result<(), PostError> {
    post_once(app, context, message, None, done).await.map(drop)
}

/// As [`post`], unless the key was taken; what was sent under it before.
pub(crate) async fn post_once(
    app: &App,
    context: &Context,
    message: &NewMessage,
    once: Option<&SignalKey>,
    done: Done,
) -> Result<Sent, PostError> {
    let mut change = Change::begin(app.runtime.database(), context).await?;
    if let Some(once) = once {
        // First of all, so that two of the same key wait for each other here.
        let before = once.take(change.connection(), context.at).await?;
        if before != Sent::Nothing {
            change.rollback().await?;
            return Ok(before);
        }
    }
    app.runtime.post_within(change.connection(), message).await?;
    change.record(done);
    change.commit().await?;
    app.runtime.bus().notify_inbox(message.run);
    Ok(Sent::Nothing)
}

/// As [`post`]; a dead letter is taken again, so that it reads the message before it does anything else.
pub(crate) async fn post_to_dead(
    app: &App,
    context: &Context,
    message: &NewMessage,
    done: Done,
) -> Result<(), PostError> {
    let mut change = Change::begin(app.runtime.database(), context).await?;
    app.runtime.post_within(change.connection(), message).await?;
    let (workspace, run) = (message.workspace, message.run);
    let was_dead = app.runtime.resume_within(change.connection(), workspace, run, false).await?;
    change.record(done);
    change.commit().await?;
    app.runtime.bus().notify_inbox(run);
    if was_dead {
        app.runtime.bus().notify_ready();
    }
    Ok(())
}

/// Lets a dead letter go on; `false` when it is none.
pub(crate) async fn resume(app: &App, context: &Context, run: RunId, done: Done) -> Result<bool, PostError> {
    let mut change = Change::begin(app.runtime.database(), context).await?;
    if !app.runtime.resume_within(change.connection(), context.workspace, run, true).await? {
        change.rollback().await?;
        return Ok(false);
    }
    change.record(done);
    change.commit().await?;
    app.runtime.bus().notify_ready();
    Ok(true)
}

/// A page of runs by age.
pub(crate) async fn list(
    database: &Database,
    scope: &Seen,
    filter: &RunFilter,
    descending: bool,
    window: Window<RunId>,
) -> Result<Listed<Run>, DbErr> {
    let select = filtered(database, in_scope(scope), filter);
    keyset::list(database, select, (&[run::Column::Id], descending), window, |id| vec![id.0.into()], read).await
}

fn filtered(database: &Database, mut select: Select<run::Entity>, filter: &RunFilter) -> Select<run::Entity> {
    use run::Column as C;
    if !filter.statuses.is_empty() {
        select = select.filter(C::Status.is_in(filter.statuses.iter().map(|status| status.as_str())));
    }
    for (name, value) in &filter.labels {
        select = select.filter(label(database, name, value));
    }
    if !filter.triggers.is_empty() {
        select = select.filter(started_by(&filter.triggers));
    }
    let mode = filter.mode.map(|mode| match mode {
        RunMode::Live => word::RunMode::Live,
        RunMode::Test => word::RunMode::Test,
    });
    let all = [
        filter.workflow.map(|workflow| C::WorkflowId.eq(workflow.0)),
        mode.map(|mode| C::Mode.eq(mode)),
        filter.environment.as_ref().map(|environment| C::Environment.eq(environment)),
        filter.key.as_ref().map(|key| C::Key.eq(key)),
        filter.created_since.map(|since| C::CreatedAt.gte(at(since))),
        filter.created_until.map(|until| C::CreatedAt.lt(at(until))),
        filter.created_by.as_ref().map(|by| C::CreatedBy.eq(by)),
        filter.retry_of.map(|run| C::RetryOf.eq(run.0)),
    ];
    all.into_iter().flatten().fold(select, |select, condition| select.filter(condition))
}

/// Whether a run's event came from one of these kinds of trigger: a look into an index for each run.
fn started_by(kinds: &[runtime::TriggerKind]) -> Expr {
    let words = kinds.iter().map(|kind| word::TriggerKind::from(*kind).as_str());
    let mut one = Query::select();
    one.expr(Expr::value(1))
        .from(trigger_event::Entity)
        .and_where(Expr::col((trigger_event::Entity, trigger_event::Column::Kind)).is_in(words))
        .and_where(
            Expr::col((trigger_event::Entity, trigger_event::Column::Id))
                .equals((run::Entity, run::Column::TriggerEventId)),
        );
    Expr::exists(one)
}

/// The latest test run of a workflow in an environment that has ended.
pub(crate) async fn latest_test(
    database: &Database,
    scope: &Seen,
    workflow: WorkflowId,
    environment: &str,
) -> Result<Option<Run>, DbErr> {
    let ended = RunStatus::ALL.iter().filter(|status| status.is_final()).map(|status| status.as_str());
    let found = in_scope(scope)
        .filter(run::Column::WorkflowId.eq(workflow.0))
        .filter(run::Column::Mode.eq(word::RunMode::Test))
        .filter(run::Column::Environment.eq(environment))
        .filter(run::Column::Status.is_in(ended))
        .order_by_desc(run::Column::Id)
        .one(database.read())
        .await?;
    found.map(read).transpose()
}

/// Whether a run has a label. Labels are JSON in a text column, which each database reads in its own words.
fn label(database: &Database, name: &str, value: &str) -> Expr {
    let sql = match database.read().get_database_backend() {
        DbBackend::Sqlite => "EXISTS (SELECT 1 FROM json_each(run.labels) l WHERE l.key = ? AND l.value = ?)",
        _ => "run.labels::jsonb ->> $1 = $2",
    };
    Expr::cust_with_values(sql, [name, value])
}

/// Up to `limit` node runs of a run by key and item, after one.
pub(crate) async fn node_runs(
    database: &Database,
    id: RunId,
    statuses: &[NodeRunStatus],
    window: Window<NodeRunId>,
) -> Result<Listed<NodeRun>, DbErr> {
    use node_run::Column as C;
    let mut select = node_run::Entity::find().filter(C::RunId.eq(id.0));
    if !statuses.is_empty() {
        select = select.filter(C::Status.is_in(statuses.iter().map(|status| status.as_str())));
    }
    let values = |id: NodeRunId| vec![id.node.into(), id.scope.to_string().into()];
    keyset::list(database, select, (&[C::NodeKey, C::Scope], false), window, values, read_node_run).await
}

/// The node run of this id; whether its run is in a workspace is for the caller to have asked.
pub(crate) async fn find_node_run(database: &Database, id: &NodeRunId) -> Result<Option<NodeRun>, DbErr> {
    let key = (id.run.0, id.node.clone(), id.scope.to_string());
    node_run::Entity::find_by_id(key).one(database.read()).await?.map(read_node_run).transpose()
}

fn read(model: run::Model) -> Result<Run, DbErr> {
    let input = value(&model.input_digest, model.input_len, model.input_kind, model.input)?;
    let output = output(model.output_digest, model.output_len, model.output_kind, model.output)?;
    Ok(Run {
        id: RunId(model.id),
        workflow: WorkflowId(model.workflow_id),
        version: model.version_id.map(VersionId),
        hash: digest(&model.definition_hash)?,
        environment: model.environment,
        mode: match model.mode {
            word::RunMode::Live => RunMode::Live,
            word::RunMode::Test => RunMode::Test,
        },
        status: RunStatus::parse(model.status.as_str()).ok_or_else(|| unknown(model.status.as_str()))?,
        key: model.key,
        labels: json::<BTreeMap<String, String>>(&model.labels)?,
        trigger: model.trigger_node,
        input,
        output,
        error: error(model.error.as_deref())?,
        last_seq: u64::try_from(model.head_seq).unwrap_or_default(),
        created_at: timestamp(model.created_at),
        started_at: model.started_at.map(timestamp),
        finished_at: model.finished_at.map(timestamp),
        created_by: model.created_by,
        retry_of: model.retry_of.map(RunId),
        retried_from: model.origin_node,
    })
}

fn read_node_run(model: node_run::Model) -> Result<NodeRun, DbErr> {
    let output = output(model.output_digest, model.output_len, model.output_kind, model.output)?;
    let key = model.signal_key.unwrap_or_default();
    Ok(NodeRun {
        run: RunId(model.run_id),
        scope: model.scope.parse::<Scope>().map_err(|error| DbErr::Type(error.to_string()))?,
        node: model.node_key,
        node_type: model.node_type,
        status: NodeRunStatus::parse(model.status.as_str()).ok_or_else(|| unknown(model.status.as_str()))?,
        attempt: count(model.attempt),
        effect: match model.effect {
            word::Effect::Pure => EffectClass::Pure,
            word::Effect::Idempotent => EffectClass::Idempotent,
            word::Effect::Effectful => EffectClass::Effectful,
        },
        port: model.port,
        output,
        error: error(model.error.as_deref())?,
        signal: model.signal_name.map(|name| SignalName { name, key }),
        due_at: model.due_at.map(timestamp),
        items: model.items.map(count),
        items_settled: count(model.items_settled),
        started_at: model.started_at.map(timestamp),
        finished_at: model.finished_at.map(timestamp),
        reused_from: model.reused_from.as_deref().map(reused_from).transpose()?,
    })
}

fn reused_from(text: &str) -> Result<ReusedFrom, DbErr> {
    match text {
        "PIN" => Ok(ReusedFrom::Pin),
        hex => Uuid::try_parse(hex).map(ReusedFrom::Run).map_err(|error| DbErr::Type(error.to_string())),
    }
}

fn value(hash: &[u8], len: i64, kind: word::ValueKind, inline: Option<Vec<u8>>) -> Result<ValueRef, DbErr> {
    let kind = match kind {
        word::ValueKind::Null => ValueKind::Null,
        word::ValueKind::Boolean => ValueKind::Boolean,
        word::ValueKind::Number => ValueKind::Number,
        word::ValueKind::String => ValueKind::String,
        word::ValueKind::List => ValueKind::List,
        word::ValueKind::Object => ValueKind::Object,
    };
    let len = u64::try_from(len).map_err(|error| DbErr::Type(error.to_string()))?;
    Ok(ValueRef { digest: digest(hash)?, len, kind, inline: inline.map(Bytes::from) })
}

fn output(
    hash: Option<Vec<u8>>,
    len: Option<i64>,
    kind: Option<word::ValueKind>,
    inline: Option<Vec<u8>>,
) -> Result<Option<ValueRef>, DbErr> {
    match (hash, len, kind) {
        (Some(hash), Some(len), Some(kind)) => value(&hash, len, kind, inline).map(Some),
        _ => Ok(None),
    }
}

fn error(text: Option<&str>) -> Result<Option<ErrorInfo>, DbErr> {
    text.map(json).transpose()
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

fn unknown(word: &str) -> DbErr {
    DbErr::Type(format!("`{word}` is no status"))
}

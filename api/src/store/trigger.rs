//! Triggers of deployed versions, and what came to them.

use engine::definition::Definition;
use engine::id::{BackfillId, BindingId, RunId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::schedule::Schedule;
use engine::time::Timestamp;
use entity::word::{self, BindingKind};
use entity::{blob_ref, definition, run, trigger_binding, trigger_event, version, workflow};
use runtime::Database;
use runtime::binding::next_look;
use runtime::secret::WorkspaceKey;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};
use serde_json::{Value, json};

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope;
use super::{at, json, timestamp};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::page::Window;
use crate::service::trigger::{Binding, Event, EventFilter, Outcome};

pub(crate) mod backfill;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<trigger_binding::Entity> {
    trigger_binding::Entity::find()
        .filter(trigger_binding::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(scope::of_workflow(scope, trigger_binding::Column::WorkflowId))
}

fn read(model: trigger_binding::Model) -> Result<Binding, DbErr> {
    Ok(Binding {
        id: BindingId(model.id),
        workflow: WorkflowId(model.workflow_id),
        environment: model.environment,
        node: model.node_key,
        kind: model.kind.into(),
        version: model.version_id.map(VersionId),
        config: json(&model.config)?,
        paused: model.paused_at.map(timestamp).zip(model.paused_by),
        decided: timestamp(model.decided_at),
        held: model.held_at.map(timestamp),
        next: model.next_at.map(timestamp),
        last_tick: model.last_tick_at.map(timestamp),
        last_run: model.last_run_id.map(RunId),
    })
}

/// The triggers of a workflow that were ever deployed, by environment and node.
pub(crate) async fn of_workflow(database: &Database, scope: &Scope, of: WorkflowId) -> Result<Vec<Binding>, DbErr> {
    let select = in_scope(scope)
        .filter(trigger_binding::Column::WorkflowId.eq(of.0))
        .order_by_asc(trigger_binding::Column::Environment)
        .order_by_asc(trigger_binding::Column::NodeKey);
    select.all(database.read()).await?.into_iter().map(read).collect()
}

/// The trigger of this id.
pub(crate) async fn find(database: &Database, scope: &Scope, id: BindingId) -> Result<Option<Binding>, DbErr> {
    let found = in_scope(scope).filter(trigger_binding::Column::Id.eq(id.0)).one(database.read()).await?;
    found.map(read).transpose()
}

/// A trigger node that has a binding.
struct Wanted {
    node: String,
    kind: BindingKind,
    config: Value,
}

/// What a version brings along: the trigger nodes that something starts by itself.
async fn bound_nodes(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    of: VersionId,
) -> Result<(Vec<u8>, Vec<Wanted>), ServiceError> {
    let found =
        version::Entity::find_by_id(of.0).one(write).await?.ok_or(ServiceError::NotFound { what: "version" })?;
    let key = (workspace.0, found.definition_hash.clone());
    let document = definition::Entity::find_by_id(key).one(write).await?;
    let document = document.ok_or_else(|| ServiceError::internal(format!("the definition of {of} is missing")))?;
    let document: Value = json(&document.document)?;
    let read = Definition::from_json(&document).map_err(|problem| ServiceError::internal(problem.message))?;
    let wanted = read.nodes.into_iter().filter_map(|(node, found)| {
        let (_, kind) = BOUND.iter().find(|(r#type, _)| found.r#type.starts_with(r#type))?;
        Some(Wanted { node, kind: *kind, config: found.config })
    });
    Ok((found.definition_hash, wanted.collect()))
}

/// The node types that have a binding, of any major version.
const BOUND: &[(&str, BindingKind)] = &[
    ("trigger.schedule@", BindingKind::Schedule),
    ("trigger.webhook@", BindingKind::Webhook),
    ("trigger.event@", BindingKind::Event),
    ("trigger.error@", BindingKind::Error),
    ("trigger.workflow@", BindingKind::Workflow),
];

/// Lets the triggers of an environment be those of a version, from now on; `None` for none. Whoever calls this holds
/// the workflow. A rule that stays as it was goes on where it is. Webhooks get their addresses, whose secrets are sealed
/// by `key`.
pub(super) async fn bind_in(
    change: &Change,
    of: &workflow::Model,
    environment: &str,
    version: Option<VersionId>,
    key: Option<&WorkspaceKey>,
) -> Result<(), ServiceError> {
    let (context, write) = (change.context(), change.connection());
    let (hash, mut wanted) = match version {
        Some(version) => {
            let (hash, wanted) = bound_nodes(write, context.workspace, version).await?;
            (Some(hash), wanted)
        }
        None => (None, Vec::new()),
    };
    let rows = in_scope(&context.scope())
        .filter(trigger_binding::Column::WorkflowId.eq(of.id))
        .filter(trigger_binding::Column::Environment.eq(environment))
        .lock_exclusive()
        .all(write)
        .await?;
    for row in rows {
        let place = wanted.iter().position(|wanted| wanted.node == row.node_key);
        let found = place.map(|index| wanted.swap_remove(index));
        let revision = row.revision + 1;
        let mut new = trigger_binding::ActiveModel::from(row.clone());
        match found {
            Some(Wanted { kind, config, .. }) => {
                let is_same = row.kind == kind && json::<Value>(&row.config)? == config;
                let goes_on = row.version_id.is_some() && is_same;
                let decided = if goes_on { timestamp(row.decided_at) } else { not_before(&row, context.at) };
                new.version_id = Set(version.map(|version| version.0));
                new.definition_hash = Set(hash.clone());
                new.next_at = Set(next(kind, &config, BindingId(row.id), decided, row.paused_at.is_some()).map(at));
                new.kind = Set(kind);
                new.config = Set(config.to_string());
                new.decided_at = Set(at(decided));
                new.held_at = Set(row.held_at.filter(|_| goes_on));
            }
            None => {
                new.version_id = Set(None);
                new.definition_hash = Set(None);
                new.next_at = Set(None);
                new.held_at = Set(None);
            }
        }
        new.revision = Set(revision);
        new.updated_at = Set(at(context.at));
        let row = new.update(write).await?;
        if row.kind == BindingKind::Webhook && row.version_id.is_some() {
            super::hook::address_in(change, of, &row, key).await?;
        }
    }
    let Some((version, hash)) = version.zip(hash) else { return Ok(()) };
    for Wanted { node, kind, config } in wanted {
        let id = BindingId(context.new_id().0);
        let new = trigger_binding::Model {
            id: id.0,
            workspace_id: context.workspace.0,
            workflow_id: of.id,
            environment: environment.to_owned(),
            node_key: node,
            kind,
            version_id: Some(version.0),
            definition_hash: Some(hash.clone()),
            next_at: next(kind, &config, id, context.at, false).map(at),
            config: config.to_string(),
            paused_at: None,
            paused_by: None,
            decided_at: at(context.at),
            held_at: None,
            last_tick_at: None,
            last_run_id: None,
            revision: 0,
            created_at: at(context.at),
            updated_at: at(context.at),
        };
        let row = trigger_binding::ActiveModel::from(new.clone()).reset_all();
        trigger_binding::Entity::insert(row).exec_without_returning(write).await?;
        if kind == BindingKind::Webhook {
            super::hook::address_in(change, of, &new, key).await?;
        }
    }
    Ok(())
}

/// When somebody has to look at it; only schedules are looked at.
fn next(
    kind: BindingKind,
    config: &Value,
    binding: BindingId,
    decided: Timestamp,
    is_paused: bool,
) -> Option<Timestamp> {
    if kind != BindingKind::Schedule || is_paused {
        return None;
    }
    let schedule = Schedule::read(config).ok()?;
    next_look(&schedule, binding, decided)
}

/// From when on ticks are decided anew: the clock here may be behind the one of whoever decided the last tick.
fn not_before(row: &trigger_binding::Model, now: Timestamp) -> Timestamp {
    now.max(timestamp(row.decided_at))
}

/// Lets the triggers of a workflow that goes into the archive rest, or go on from now.
pub(super) async fn rest_in(change: &Change, of: WorkflowId, rests: bool) -> Result<(), DbErr> {
    let (context, write) = (change.context(), change.connection());
    let rows = in_scope(&context.scope())
        .filter(trigger_binding::Column::WorkflowId.eq(of.0))
        .filter(trigger_binding::Column::VersionId.is_not_null())
        .lock_exclusive()
        .all(write)
        .await?;
    for row in rows {
        go_on_in(change, row.clone(), rests || row.paused_at.is_some()).await?;
    }
    Ok(())
}

/// Writes when it fires next: never while it stands, and otherwise as its rule says from now on. What came due while
/// somebody had stopped it was not missed.
async fn go_on_in(change: &Change, row: trigger_binding::Model, stands: bool) -> Result<trigger_binding::Model, DbErr> {
    let now = change.context().at;
    let config = json(&row.config)?;
    let mut new = trigger_binding::ActiveModel::from(row.clone());
    let decided = not_before(&row, now);
    new.next_at = Set(next(row.kind, &config, BindingId(row.id), decided, stands).map(at));
    if !stands {
        new.decided_at = Set(at(decided));
    }
    new.held_at = Set(None);
    new.revision = Set(row.revision + 1);
    new.updated_at = Set(at(now));
    new.update(change.connection()).await
}

/// Pauses a trigger or lets it go on; what is so already stays.
pub(crate) async fn pause(
    database: &Database,
    context: &Context,
    id: BindingId,
    paused: bool,
    by: &str,
) -> Result<Binding, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let absent = || ServiceError::NotFound { what: "trigger" };
    let found = in_scope(&context.scope()).filter(trigger_binding::Column::Id.eq(id.0));
    let of = found.clone().one(change.connection()).await?.ok_or_else(absent)?.workflow_id;
    // The workflow first, as whoever deploys or archives it does.
    let of = super::workflow::get_in(&change, WorkflowId(of)).await?;
    let mut row = found.lock_exclusive().one(change.connection()).await?.ok_or_else(absent)?;
    if row.paused_at.is_some() == paused {
        change.rollback().await?;
        return Ok(read(row)?);
    }
    row.paused_at = paused.then(|| at(context.at));
    row.paused_by = paused.then(|| by.to_owned());
    let mut new = trigger_binding::ActiveModel::from(row);
    new.paused_at.reset();
    new.paused_by.reset();
    let row = new.update(change.connection()).await?;
    let stands = paused || row.version_id.is_none() || of.archived_at.is_some();
    let row = go_on_in(&change, row, stands).await?;
    let shown = |paused: bool| json!({"environment": row.environment, "node": row.node_key, "paused": paused});
    let done = Done::new(if paused { Action::TriggerPaused } else { Action::TriggerResumed }, id);
    change.record(done.of(WorkflowId(of.id)).before(shown(!paused)).after(shown(paused)));
    change.commit().await?;
    Ok(read(row)?)
}

/// A page of what came to triggers, the latest first.
pub(crate) async fn events(
    database: &Database,
    scope: &Scope,
    filter: &EventFilter,
    window: Window<TriggerEventId>,
) -> Result<Listed<Event>, DbErr> {
    use trigger_event::Column as C;
    let mut select = trigger_event::Entity::find().filter(C::WorkspaceId.eq(scope.workspace.0));
    select = select.filter(scope::of_workflow(scope, C::WorkflowId));
    let kind = filter.kind.map(word::TriggerKind::from);
    let all = [
        filter.workflow.map(|workflow| C::WorkflowId.eq(workflow.0)),
        filter.environment.as_ref().map(|environment| C::Environment.eq(environment)),
        filter.node.as_ref().map(|node| C::NodeKey.eq(node)),
        kind.map(|kind| C::Kind.eq(kind)),
        filter.outcome.map(|outcome| match outcome {
            Outcome::Started => C::RunId.is_not_null(),
            Outcome::Refused => C::RunId.is_null().and(C::Reason.is_not_null()),
            Outcome::Waiting => C::RunId.is_null().and(C::Reason.is_null()),
        }),
    ];
    for condition in all.into_iter().flatten() {
        select = select.filter(condition);
    }
    let order = (&[C::Id][..], true);
    keyset::list(database, select, order, window, |id| vec![id.0.into()], read_event).await
}

/// One thing that came.
pub(crate) async fn event(database: &Database, scope: &Scope, id: TriggerEventId) -> Result<Option<Event>, DbErr> {
    let found =
        trigger_event::Entity::find_by_id(id.0).filter(trigger_event::Column::WorkspaceId.eq(scope.workspace.0));
    let found = found.filter(scope::of_workflow(scope, trigger_event::Column::WorkflowId));
    found.one(database.read()).await?.map(read_event).transpose()
}

/// The last thing that came to a trigger node outside of tests and whose content a row keeps.
pub(crate) async fn sample(
    database: &Database,
    scope: &Scope,
    of: WorkflowId,
    environment: &str,
    node: &str,
) -> Result<Option<Event>, DbErr> {
    use trigger_event::Column as C;
    let live = run::Entity::find()
        .select_only()
        .expr(Expr::value(1))
        .filter(Expr::col((run::Entity, run::Column::Id)).equals((trigger_event::Entity, C::RunId)))
        .filter(run::Column::Mode.eq(word::RunMode::Live))
        .into_query();
    trigger_event::Entity::find()
        .filter(C::WorkspaceId.eq(scope.workspace.0))
        .filter(scope::of_workflow(scope, C::WorkflowId))
        .filter(C::WorkflowId.eq(of.0))
        .filter(C::Environment.eq(environment))
        .filter(C::NodeKey.eq(node))
        .filter(C::Payload.is_not_null().or(Expr::exists(live)))
        .order_by_desc(C::Id)
        .one(database.read())
        .await?
        .map(read_event)
        .transpose()
}

/// Whether a large payload of an event without a run is kept.
pub(crate) async fn keeps(database: &Database, workspace: WorkspaceId, of: &Event) -> Result<bool, DbErr> {
    let found = blob_ref::Entity::find_by_id((of.id.0, of.payload.digest.0.to_vec()))
        .filter(blob_ref::Column::WorkspaceId.eq(workspace.0))
        .one(database.read())
        .await?;
    Ok(found.is_some())
}

fn read_event(model: trigger_event::Model) -> Result<Event, DbErr> {
    let payload = runtime::arrival::payload(&model)?;
    let (reason, explanation) = match model.reason.as_deref().map(|reason| reason.split_once(": ")) {
        Some(Some((code, text))) => (Some(code.to_owned()), Some(text.to_owned())),
        Some(None) => (model.reason, None),
        None => (None, None),
    };
    Ok(Event {
        id: TriggerEventId(model.id),
        workflow: WorkflowId(model.workflow_id),
        environment: model.environment,
        node: model.node_key,
        kind: model.kind.into(),
        run: model.run_id.map(RunId),
        reason,
        explanation,
        version: model.version_id.map(VersionId),
        payload,
        request: model.request.as_deref().map(json).transpose()?,
        tick: model.tick_at.map(timestamp),
        received_at: timestamp(model.received_at),
        source_run: model.source_run_id.map(RunId),
        depth: u32::try_from(model.depth).unwrap_or_default(),
        redelivery_of: model.redelivery_of.map(TriggerEventId),
        backfill: model.backfill_id.map(BackfillId),
    })
}

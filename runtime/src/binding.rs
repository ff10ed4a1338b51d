//! Deployed schedules as rows. Whoever decides a tick names the revision that it has seen: a pause, a deployment or
//! another process in between leaves that decision without effect.

use engine::id::{BindingId, ProjectId, RunId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::schedule::Schedule;
use engine::time::Timestamp;
use engine::value::{Digest, ValueRef};
use entity::{run, trigger_binding as row, workflow};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, JoinType, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, RelationDef, UpdateMany,
};
use serde_json::Value;

use crate::arrival::{self, Arrival};
use crate::database::{Database, from_column, to_column};
use crate::runtime::TriggerKind;

/// A schedule that is deployed.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) id: BindingId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) project: ProjectId,
    pub(crate) workflow: WorkflowId,
    pub(crate) environment: String,
    pub(crate) node: String,
    pub(crate) version: VersionId,
    pub(crate) hash: Digest,
    pub(crate) config: Value,
    pub(crate) decided: Timestamp,
    pub(crate) held: Option<Timestamp>,
    pub(crate) last_run: Option<RunId>,
    pub(crate) revision: i64,
}

/// A tick that starts no run.
pub(crate) struct LeftOut<'a> {
    pub(crate) tick: Timestamp,
    pub(crate) event: TriggerEventId,
    pub(crate) reason: &'a str,
    pub(crate) payload: ValueRef,
}

/// When a rule that was decided up to a tick is to be looked at next.
pub fn next_look(schedule: &Schedule, binding: BindingId, decided: Timestamp) -> Option<Timestamp> {
    schedule.next_after(decided).map(|tick| schedule.fires_at(binding.0, tick))
}

pub(crate) fn to_workflow() -> RelationDef {
    row::Entity::belongs_to(workflow::Entity).from(row::Column::WorkflowId).to(workflow::Column::Id).into()
}

/// The schedules that are due, of all workspaces, the longest due first.
pub(crate) async fn due(database: &Database, now: Timestamp, limit: u64) -> Result<Vec<Bound>, DbErr> {
    let found: Vec<(row::Model, Option<workflow::Model>)> = row::Entity::find()
        .join(JoinType::InnerJoin, to_workflow())
        .select_also(workflow::Entity)
        .filter(row::Column::NextAt.lte(to_column(now)))
        .order_by_asc(row::Column::NextAt)
        .limit(limit)
        .all(database.read())
        .await?;
    found.into_iter().filter_map(|(model, workflow)| read(model, &workflow?).transpose()).collect()
}

fn read(model: row::Model, of: &workflow::Model) -> Result<Option<Bound>, DbErr> {
    let (Some(version), Some(hash)) = (model.version_id, model.definition_hash) else { return Ok(None) };
    let hash = hash.try_into().map_err(|_| DbErr::Type("trigger_binding.definition_hash".to_owned()))?;
    Ok(Some(Bound {
        id: BindingId(model.id),
        workspace: WorkspaceId(model.workspace_id),
        project: ProjectId(of.project_id),
        workflow: WorkflowId(model.workflow_id),
        environment: model.environment,
        node: model.node_key,
        version: VersionId(version),
        hash: Digest(hash),
        config: serde_json::from_str(&model.config).map_err(|error| DbErr::Json(error.to_string()))?,
        decided: from_column(model.decided_at),
        held: model.held_at.map(from_column),
        last_run: model.last_run_id.map(RunId),
        revision: model.revision,
    }))
}

fn change(of: &Bound) -> UpdateMany<row::Entity> {
    row::Entity::update_many()
        .col_expr(row::Column::Revision, Expr::col(row::Column::Revision).add(1))
        .filter(row::Column::Id.eq(of.id.0))
        .filter(row::Column::Revision.eq(of.revision))
}

async fn changed(write: &impl ConnectionTrait, change: UpdateMany<row::Entity>) -> Result<bool, DbErr> {
    Ok(change.exec(write).await?.rows_affected == 1)
}

/// Sets when somebody looks at it next, and which tick waits; `false` when it has changed.
pub(crate) async fn look_at(
    database: &Database,
    of: &Bound,
    next: Option<Timestamp>,
    held: Option<Timestamp>,
) -> Result<bool, DbErr> {
    let change = change(of)
        .col_expr(row::Column::NextAt, Expr::value(next.map(to_column)))
        .col_expr(row::Column::HeldAt, Expr::value(held.map(to_column)));
    changed(database.write(), change).await
}

/// Decides ticks against a run, with an event for each; `false` when the binding has changed and nothing was written.
pub(crate) async fn leave_out(
    database: &Database,
    of: &Bound,
    ticks: &[LeftOut<'_>],
    next: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let Some(last) = ticks.last() else { return Ok(true) };
    let write = database.begin_write().await?;
    let change = change(of)
        .col_expr(row::Column::DecidedAt, Expr::value(to_column(last.tick)))
        .col_expr(row::Column::HeldAt, Expr::value(Option::<chrono::DateTime<chrono::Utc>>::None))
        .col_expr(row::Column::NextAt, Expr::value(next.map(to_column)));
    if !changed(&write, change).await? {
        write.rollback().await?;
        return Ok(false);
    }
    let arrivals: Vec<Arrival> = ticks.iter().map(|left| arrival(of, left, now)).collect();
    arrival::insert(&write, &arrivals).await?;
    write.commit().await?;
    Ok(true)
}

fn arrival(of: &Bound, left: &LeftOut<'_>, now: Timestamp) -> Arrival {
    Arrival {
        id: left.event,
        workspace: of.workspace,
        workflow: of.workflow,
        environment: of.environment.clone(),
        node: of.node.clone(),
        kind: TriggerKind::Schedule,
        version: Some(of.version),
        reason: Some(left.reason.to_owned()),
        payload: left.payload.clone(),
        keeps_payload: true,
        dedupe_key: None,
        binding: Some(of.id),
        tick: Some(left.tick),
        source: None,
        depth: 0,
        backfill: None,
        at: now,
    }
}

/// Whether a run is under way.
pub(crate) async fn is_live(database: &Database, id: RunId) -> Result<bool, DbErr> {
    let finished: Option<Option<chrono::DateTime<chrono::Utc>>> = run::Entity::find_by_id(id.0)
        .select_only()
        .column(run::Column::FinishedAt)
        .into_tuple()
        .one(database.read())
        .await?;
    Ok(finished == Some(None))
}

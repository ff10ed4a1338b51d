//! Runs as processes look for them.

use engine::id::{RunId, WorkerId};
use entity::run::{Column, Entity};
use entity::word::RunClaim;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::database::Database;
use crate::trace::{TraceContext, TraceId, trace_of};

/// The runs that a worker owns, of every workspace: a process drives them all alike.
///
/// # Errors
/// When the database fails.
pub async fn owned_by(database: &Database, worker: WorkerId) -> Result<Vec<RunId>, DbErr> {
    let ids: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::OwnerId.eq(worker.0))
        .filter(Column::Claim.eq(RunClaim::Owned))
        .into_tuple()
        .all(database.read())
        .await?;
    Ok(ids.into_iter().map(RunId).collect())
}

/// The trace that a run is in; `None` when its row is gone.
///
/// # Errors
/// When the database fails.
pub async fn trace(database: &Database, run: RunId) -> Result<Option<TraceId>, DbErr> {
    let found: Option<Option<String>> =
        Entity::find_by_id(run.0).select_only().column(Column::Traceparent).into_tuple().one(database.read()).await?;
    let asked = |parent: Option<String>| parent.and_then(|parent| TraceContext::read(&parent, None));
    Ok(found.map(|parent| trace_of(run, asked(parent))))
}

//! Runs as processes look for them.

use engine::id::{RunId, WorkerId};
use entity::run::{Column, Entity};
use entity::word::RunClaim;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::database::Database;

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

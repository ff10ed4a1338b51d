//! Whose rights changed a moment ago. The one table here that is read over all workspaces: a process asks it whether
//! anything concerns what is open in it.

use engine::time::Timestamp;
use entity::access_change as row;
use runtime::Database;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::at;

/// Says within a change whose rights are others from its commit on.
pub(crate) async fn insert(
    write: &impl ConnectionTrait,
    subjects: Vec<(Uuid, String)>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let rows = subjects.into_iter().map(|(id, subject)| row::ActiveModel {
        id: Set(id),
        subject: Set(subject),
        at: Set(at(now)),
    });
    row::Entity::insert_many(rows).exec_without_returning(write).await.map(drop)
}

/// What changed since then.
pub(crate) async fn since(database: &Database, since: Timestamp) -> Result<Vec<(Uuid, String)>, DbErr> {
    let rows = row::Entity::find().filter(row::Column::At.gte(at(since))).all(database.read()).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.subject)).collect())
}

/// Lets go of what every process has seen.
pub(crate) async fn forget(database: &Database, before: Timestamp) -> Result<(), DbErr> {
    row::Entity::delete_many().filter(row::Column::At.lt(at(before))).exec(database.write()).await.map(drop)
}

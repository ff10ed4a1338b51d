//! How long the events of workspaces are kept.

use std::time::Duration;

use engine::time::Timestamp;
use entity::workspace_event;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use crate::database::{Database, to_column};

/// How long the events of a workspace can be read again.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Deletes events that readers were promised for long enough. How many.
///
/// # Errors
/// When the database fails.
pub async fn forget(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    let kept = i64::try_from(KEPT_FOR.as_micros()).unwrap_or(i64::MAX);
    let before = to_column(Timestamp(now.0.saturating_sub(kept)));
    let old = workspace_event::Entity::delete_many().filter(workspace_event::Column::At.lt(before));
    Ok(old.exec(database.write()).await?.rows_affected)
}

//! Test runs, which are kept for seven days.

use std::time::Duration;

use engine::time::Timestamp;
use entity::word::{RunClaim, RunMode};
use entity::{artifact, blob_ref, journal, node_run, run, run_inbox, trigger_event};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use uuid::Uuid;

use crate::database::{Database, to_column};

/// How long a test run is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 86_400);
/// Most runs deleted in one transaction.
const AT_ONCE: u64 = 100;

/// Deletes test runs that are older than [`KEPT_FOR`], with everything that belongs to them; one that is driven at this
/// moment goes the next time. How many.
///
/// # Errors
/// When the database fails; what was deleted before stays deleted.
pub async fn forget(database: &Database, now: Timestamp) -> Result<u64, DbErr> {
    let kept = i64::try_from(KEPT_FOR.as_micros()).unwrap_or(i64::MAX);
    let limit = to_column(Timestamp(now.0.saturating_sub(kept)));
    let mut count = 0;
    loop {
        let write = database.begin_write().await?;
        let rows: Vec<(Uuid, Option<Uuid>)> = run::Entity::find()
            .select_only()
            .columns([run::Column::Id, run::Column::TriggerEventId])
            .filter(run::Column::Mode.eq(RunMode::Test))
            .filter(run::Column::CreatedAt.lt(limit))
            .filter(run::Column::Claim.ne(RunClaim::Owned))
            .order_by_asc(run::Column::Id)
            .limit(AT_ONCE)
            .into_tuple()
            .all(&write)
            .await?;
        let (old, events): (Vec<Uuid>, Vec<Option<Uuid>>) = rows.into_iter().unzip();
        // The row first: whoever took the run meanwhile keeps it.
        let gone = run::Entity::delete_many()
            .filter(run::Column::Id.is_in(old.iter().copied()))
            .filter(run::Column::Claim.ne(RunClaim::Owned))
            .exec(&write)
            .await?
            .rows_affected;
        if gone != old.len() as u64 {
            write.rollback().await?;
            return Ok(count);
        }
        let of = old.iter().copied();
        journal::Entity::delete_many().filter(journal::Column::RunId.is_in(of.clone())).exec(&write).await?;
        node_run::Entity::delete_many().filter(node_run::Column::RunId.is_in(of.clone())).exec(&write).await?;
        blob_ref::Entity::delete_many().filter(blob_ref::Column::RunId.is_in(of.clone())).exec(&write).await?;
        artifact::Entity::delete_many().filter(artifact::Column::RunId.is_in(of.clone())).exec(&write).await?;
        run_inbox::Entity::delete_many().filter(run_inbox::Column::RunId.is_in(of)).exec(&write).await?;
        let events = events.into_iter().flatten();
        trigger_event::Entity::delete_many().filter(trigger_event::Column::Id.is_in(events)).exec(&write).await?;
        write.commit().await?;
        count += gone;
        if gone < AT_ONCE {
            return Ok(count);
        }
    }
}

//! What a workspace may use, and what it uses.

use std::time::Duration;

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use entity::word::RunClaim;
use entity::{blob, run, start_dedupe, workspace_quota};
use sea_orm::sea_query::{Asterisk, Expr, Query, UnionType};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait as _, DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _, QuerySelect,
};
use uuid::Uuid;

use crate::database::{Database, from_column, to_column};
use crate::quota::{Quota, Recent};

/// The workspace's bounds; none when nobody set any.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId) -> Result<Quota, DbErr> {
    let found = workspace_quota::Entity::find_by_id(workspace.0).one(database.read()).await?;
    let unsigned = |bound: Option<i64>| bound.and_then(|bound| u64::try_from(bound).ok());
    Ok(found.map_or_else(Quota::default, |row| Quota {
        runs_per_minute: unsigned(row.runs_per_minute),
        active_runs: unsigned(row.active_runs),
        payload_bytes: unsigned(row.payload_bytes),
        code_time: unsigned(row.code_time_ms).map(Duration::from_millis),
        code_memory_bytes: unsigned(row.code_memory_bytes),
    }))
}

/// Runs that started since then.
pub(crate) async fn recent(database: &Database, workspace: WorkspaceId, since: Timestamp) -> Result<Recent, DbErr> {
    use run::Column as C;
    let (runs, oldest): (i64, Option<sea_orm::prelude::DateTimeUtc>) = run::Entity::find()
        .select_only()
        .column_as(C::Id.count(), "runs")
        .column_as(C::CreatedAt.min(), "oldest")
        .filter(C::WorkspaceId.eq(workspace.0))
        // Ids carry their time: this is what the index goes by.
        .filter(C::Id.gte(first_id(since)))
        .filter(C::CreatedAt.gt(to_column(since)))
        .into_tuple()
        .one(database.read())
        .await?
        .unwrap_or_default();
    Ok(Recent { runs: u64::try_from(runs).unwrap_or_default(), oldest: oldest.map(from_column) })
}

/// Runs under way: each claim has an index of its own, of such runs alone. One statement, because a run that goes from
/// one claim to another in between would count twice or not at all.
pub(crate) async fn active(database: &Database, workspace: WorkspaceId) -> Result<u64, DbErr> {
    use run::Column as C;
    let of = |claim: RunClaim| {
        let mut runs = run::Entity::find().filter(C::WorkspaceId.eq(workspace.0)).filter(C::Claim.eq(claim));
        QuerySelect::query(&mut runs).clear_selects().column(C::Id).take()
    };
    let mut under_way = of(RunClaim::Ready);
    under_way.union(UnionType::All, of(RunClaim::Owned)).union(UnionType::All, of(RunClaim::Dormant));
    let mut counted = Query::select();
    counted.expr_as(Expr::col(Asterisk).count(), "runs").from_subquery(under_way, "under_way");
    let row = database.read().query_one(&counted).await?;
    let runs: i64 = row.map(|row| row.try_get("", "runs")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(runs).unwrap_or_default())
}

/// Bytes of values that are kept beside the database.
pub(crate) async fn stored_bytes(database: &Database, workspace: WorkspaceId) -> Result<u64, DbErr> {
    use blob::Column as C;
    let lens: Option<Option<i64>> = blob::Entity::find()
        .select_only()
        .column_as(Expr::col(C::Size).sum().cast_as("bigint"), "bytes")
        .filter(C::WorkspaceId.eq(workspace.0))
        .into_tuple()
        .one(database.read())
        .await?;
    Ok(lens.flatten().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default())
}

/// Whether a start key stands for a run already.
pub(crate) async fn is_known(
    database: &Database,
    workspace: WorkspaceId,
    workflow: Uuid,
    key: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let found = start_dedupe::Entity::find_by_id((workspace.0, workflow, key.to_owned())).one(database.read()).await?;
    Ok(found.is_some_and(|row| from_column(row.expires_at) > now))
}

/// The smallest UUIDv7 of a moment.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u128::from(u64::try_from(at.0 / 1000).unwrap_or_default());
    Uuid::from_u128(millis << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_later_moments_are_larger() {
        let at = Timestamp(1_700_000_000_123_000);
        let id = uuid::Builder::from_unix_timestamp_millis(1_700_000_000_123, &[0; 10]).into_uuid();
        assert!(first_id(at) <= id);
        assert!(first_id(Timestamp(at.0 + 1000)) > id);
    }
}

//! What workspaces may use.

use entity::workspace_quota;
use runtime::{Database, Quota};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _};

use super::at;
use super::change::Change;
use crate::service::audit::{Context, Done};

/// Keeps the workspace's bounds.
pub(crate) async fn put(
    database: &Database,
    context: &Context,
    quota: &Quota,
    by: &str,
    done: Done,
) -> Result<(), DbErr> {
    use workspace_quota::Column as C;
    let signed = |bound: Option<u64>| bound.map(|bound| i64::try_from(bound).unwrap_or(i64::MAX));
    let row = workspace_quota::ActiveModel {
        workspace_id: Set(context.workspace.0),
        runs_per_minute: Set(signed(quota.runs_per_minute)),
        active_runs: Set(signed(quota.active_runs)),
        payload_bytes: Set(signed(quota.payload_bytes)),
        code_time_ms: Set(quota.code_time.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))),
        code_memory_bytes: Set(signed(quota.code_memory_bytes)),
        updated_by: Set(by.to_owned()),
        updated_at: Set(at(context.at)),
    };
    let anew = [
        C::RunsPerMinute,
        C::ActiveRuns,
        C::PayloadBytes,
        C::CodeTimeMs,
        C::CodeMemoryBytes,
        C::UpdatedBy,
        C::UpdatedAt,
    ];
    let anew = OnConflict::column(C::WorkspaceId).update_columns(anew).to_owned();
    let mut change = Change::begin(database, context).await?;
    workspace_quota::Entity::insert(row).on_conflict(anew).exec_without_returning(change.connection()).await?;
    change.record(done);
    change.commit().await
}

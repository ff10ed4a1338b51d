//! Which hosts workspaces' nodes may call.

use entity::workspace_egress;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _};

use super::at;
use super::change::Change;
use crate::service::audit::{Context, Done};

/// Keeps the workspace's list, or takes it away.
pub(crate) async fn put(
    database: &Database,
    context: &Context,
    hosts: Option<&[String]>,
    by: &str,
    done: Done,
) -> Result<(), DbErr> {
    use workspace_egress::Column as C;
    let mut change = Change::begin(database, context).await?;
    match hosts {
        Some(hosts) => {
            let row = workspace_egress::ActiveModel {
                workspace_id: Set(context.workspace.0),
                allowed_hosts: Set(serde_json::to_string(hosts).map_err(|error| DbErr::Json(error.to_string()))?),
                updated_by: Set(by.to_owned()),
                updated_at: Set(at(context.at)),
            };
            let anew = [C::AllowedHosts, C::UpdatedBy, C::UpdatedAt];
            let anew = OnConflict::column(C::WorkspaceId).update_columns(anew).to_owned();
            workspace_egress::Entity::insert(row).on_conflict(anew).exec_without_returning(change.connection()).await?;
        }
        None => {
            workspace_egress::Entity::delete_by_id(context.workspace.0).exec(change.connection()).await?;
        }
    }
    change.record(done);
    change.commit().await
}

//! Which hosts workspaces' nodes may call.

use engine::id::WorkspaceId;
use entity::workspace_egress;
use sea_orm::{DbErr, EntityTrait as _};

use crate::database::Database;

/// The workspace's list; `None` when it has none of its own.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId) -> Result<Option<Vec<String>>, DbErr> {
    let found = workspace_egress::Entity::find_by_id(workspace.0).one(database.read()).await?;
    let read = |row: workspace_egress::Model| serde_json::from_str(&row.allowed_hosts);
    found.map(read).transpose().map_err(|error| DbErr::Json(error.to_string()))
}

//! Documents by their hash.

use engine::id::WorkspaceId;
use engine::value::Digest;
use entity::definition;
use runtime::Database;
use sea_orm::{DbErr, EntityTrait as _};
use serde_json::Value;

/// The document of this hash.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId, hash: &Digest) -> Result<Option<Value>, DbErr> {
    let key = (workspace.0, hash.0.to_vec());
    let found = definition::Entity::find_by_id(key).one(database.read()).await?;
    found.map(|model| serde_json::from_str(&model.document).map_err(|error| DbErr::Json(error.to_string()))).transpose()
}

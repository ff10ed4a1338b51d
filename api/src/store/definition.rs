//! Documents by their hash.

use engine::definition::canonical::canonical_bytes;
use engine::id::WorkspaceId;
use engine::time::Timestamp;
use engine::value::Digest;
use entity::definition;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _};
use serde_json::Value;

use super::at;

/// The document of this hash.
pub(crate) async fn find(database: &Database, workspace: WorkspaceId, hash: &Digest) -> Result<Option<Value>, DbErr> {
    let key = (workspace.0, hash.0.to_vec());
    let found = definition::Entity::find_by_id(key).one(database.read()).await?;
    found.map(|model| serde_json::from_str(&model.document).map_err(|error| DbErr::Json(error.to_string()))).transpose()
}

/// Keeps a document under its hash, once.
pub(crate) async fn keep(
    database: &Database,
    workspace: WorkspaceId,
    hash: &Digest,
    document: &Value,
    now: Timestamp,
) -> Result<(), DbErr> {
    use definition::Column as C;
    let document = String::from_utf8(canonical_bytes(document)).map_err(|error| DbErr::Json(error.to_string()))?;
    let row = definition::ActiveModel {
        workspace_id: Set(workspace.0),
        hash: Set(hash.0.to_vec()),
        document: Set(document),
        created_at: Set(at(now)),
    };
    let once = OnConflict::columns([C::WorkspaceId, C::Hash]).do_nothing().to_owned();
    definition::Entity::insert(row).on_conflict(once).exec_without_returning(database.write()).await?;
    Ok(())
}

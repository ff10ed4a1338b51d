//! What the results of a version's nodes depend on.

use std::collections::BTreeMap;

use engine::id::{VersionId, WorkspaceId};
use engine::value::Digest;
use entity::version_hashes;
use runtime::Database;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::digest;
use crate::service::version::Hashes;

/// What was kept when the version was published; `None` for versions that are older than this table.
pub(crate) async fn find(
    database: &Database,
    workspace: WorkspaceId,
    version: VersionId,
) -> Result<Option<Hashes>, DbErr> {
    let found = version_hashes::Entity::find_by_id(version.0)
        .filter(version_hashes::Column::WorkspaceId.eq(workspace.0))
        .one(database.read())
        .await?;
    let Some(model) = found else { return Ok(None) };
    Ok(Some(Hashes { types: read(&model.node_types)?, nodes: read(&model.node_hashes)? }))
}

/// Keeps them with a new version.
pub(super) async fn insert_in(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    version: VersionId,
    hashes: &Hashes,
) -> Result<(), DbErr> {
    let model = version_hashes::Model {
        version_id: version.0,
        workspace_id: workspace.0,
        node_types: text(&hashes.types)?,
        node_hashes: text(&hashes.nodes)?,
    };
    version_hashes::Entity::insert(model.into_active_model()).exec_without_returning(write).await?;
    Ok(())
}

fn text(hashes: &BTreeMap<String, Digest>) -> Result<String, DbErr> {
    let words: BTreeMap<&str, String> = hashes.iter().map(|(key, hash)| (key.as_str(), hash.to_string())).collect();
    serde_json::to_string(&words).map_err(|error| DbErr::Json(error.to_string()))
}

fn read(text: &str) -> Result<BTreeMap<String, Digest>, DbErr> {
    let words: BTreeMap<String, String> = serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))?;
    let read = |(key, word): (String, String)| {
        let bytes = hex::decode(word).map_err(|error| DbErr::Type(error.to_string()))?;
        Ok((key, digest(&bytes)?))
    };
    words.into_iter().map(read).collect()
}

//! Who vouches for versions.

use engine::id::{VersionId, WorkspaceId};
use entity::version_signature;
use runtime::Database;
use runtime::secret::Signer;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _};

/// A version's signature; `None` when it has none.
pub(crate) async fn find(
    database: &Database,
    workspace: WorkspaceId,
    version: VersionId,
) -> Result<Option<version_signature::Model>, DbErr> {
    version_signature::Entity::find_by_id(version.0)
        .filter(version_signature::Column::WorkspaceId.eq(workspace.0))
        .one(database.read())
        .await
}

/// Signs a new version.
pub(super) async fn insert_in(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    version: VersionId,
    signer: &Signer,
    statement: &[u8],
) -> Result<(), DbErr> {
    let model = version_signature::Model {
        version_id: version.0,
        workspace_id: workspace.0,
        workspace_key_id: signer.id().0,
        signature: signer.sign(statement),
    };
    version_signature::Entity::insert(model.into_active_model()).exec_without_returning(write).await?;
    Ok(())
}

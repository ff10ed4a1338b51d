//! Tenants.

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use entity::workspace;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use super::at;
use crate::auth::cursor::CursorKey;
use crate::service::workspace::Workspace;

pub(super) fn read(model: workspace::Model) -> Workspace {
    Workspace { id: WorkspaceId(model.id), slug: model.slug, name: model.name }
}

/// The workspace of this id.
pub(crate) async fn find(database: &Database, id: WorkspaceId) -> Result<Option<Workspace>, DbErr> {
    Ok(workspace::Entity::find_by_id(id.0).one(database.read()).await?.map(read))
}

/// What the cursors of this workspace are signed with.
pub(crate) async fn cursors(database: &Database, id: WorkspaceId) -> Result<Option<CursorKey>, DbErr> {
    let Some(found) = workspace::Entity::find_by_id(id.0).one(database.read()).await? else { return Ok(None) };
    let salt = found.salt.try_into().map_err(|_| DbErr::Type("a workspace's salt has 16 bytes".to_owned()))?;
    Ok(Some(CursorKey::of_salt(salt)))
}

/// The workspace of this name in URLs.
pub(crate) async fn find_by_slug(database: &Database, slug: &str) -> Result<Option<Workspace>, DbErr> {
    let found = workspace::Entity::find().filter(workspace::Column::Slug.eq(slug)).one(database.read()).await?;
    Ok(found.map(read))
}

/// Makes a workspace; false when its slug is taken.
pub(crate) async fn insert(
    database: &Database,
    new: &Workspace,
    salt: [u8; 16],
    now: Timestamp,
) -> Result<bool, DbErr> {
    let row = workspace::ActiveModel {
        id: Set(new.id.0),
        slug: Set(new.slug.clone()),
        name: Set(new.name.clone()),
        salt: Set(salt.to_vec()),
        created_at: Set(at(now)),
    };
    let once = OnConflict::column(workspace::Column::Slug).do_nothing().to_owned();
    let write = database.begin_write().await?;
    let rows = workspace::Entity::insert(row).on_conflict(once).exec_without_returning(&write).await?;
    write.commit().await?;
    Ok(rows == 1)
}

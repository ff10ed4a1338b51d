//! Folders of workflows.

use engine::id::{ProjectId, WorkspaceId};
use engine::time::Timestamp;
use entity::project;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use super::at;

/// The project of this name in URLs, with that name.
pub(crate) async fn find_by_slug(
    database: &Database,
    workspace: WorkspaceId,
    slug: &str,
) -> Result<Option<(ProjectId, String)>, DbErr> {
    let found = project::Entity::find()
        .filter(project::Column::WorkspaceId.eq(workspace.0))
        .filter(project::Column::Slug.eq(slug))
        .one(database.read())
        .await?;
    Ok(found.map(|model| (ProjectId(model.id), model.slug)))
}

/// Makes a project unless its slug is taken.
pub(crate) async fn insert(
    database: &Database,
    workspace: WorkspaceId,
    id: ProjectId,
    slug: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = project::ActiveModel {
        id: Set(id.0),
        workspace_id: Set(workspace.0),
        slug: Set(slug.to_owned()),
        name: Set(slug.to_owned()),
        created_at: Set(at(now)),
    };
    let once = OnConflict::columns([project::Column::WorkspaceId, project::Column::Slug]).do_nothing().to_owned();
    let write = database.begin_write().await?;
    project::Entity::insert(row).on_conflict(once).exec_without_returning(&write).await?;
    write.commit().await
}

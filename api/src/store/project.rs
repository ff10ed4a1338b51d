//! Folders of workflows.

use engine::id::{ProjectId, WorkspaceId};
use entity::project;
use runtime::Database;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    QueryFilter as _, Select,
};
use serde_json::json;

use super::change::Change;
use super::keyset::{self, Listed};
use super::scope::of_project;
use super::{at, environment, timestamp, unless_taken};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::page::Window;
use crate::service::project::{Environment, Project};

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<project::Entity> {
    project::Entity::find()
        .filter(project::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, project::Column::Id))
}

pub(super) fn read(model: project::Model) -> Project {
    Project { id: ProjectId(model.id), slug: model.slug, title: model.name, created_at: timestamp(model.created_at) }
}

/// The project of this name in URLs.
pub(crate) async fn find_by_slug(database: &Database, scope: &Scope, slug: &str) -> Result<Option<Project>, DbErr> {
    let found = in_scope(scope).filter(project::Column::Slug.eq(slug)).one(database.read()).await?;
    Ok(found.map(read))
}

/// Those of these projects that are in the workspace.
pub(crate) async fn by_ids(database: &Database, scope: &Scope, ids: &[ProjectId]) -> Result<Vec<Project>, DbErr> {
    let ids = ids.iter().map(|id| id.0);
    let rows = in_scope(scope).filter(project::Column::Id.is_in(ids)).all(database.read()).await?;
    Ok(rows.into_iter().map(read).collect())
}

/// A page of projects by slug.
pub(crate) async fn list(database: &Database, scope: &Scope, window: Window<String>) -> Result<Listed<Project>, DbErr> {
    let (select, order) = (in_scope(scope), (&[project::Column::Slug][..], false));
    keyset::list(database, select, order, window, |slug| vec![slug.into()], |model| Ok(read(model))).await
}

/// Makes the first project unless it is there. Several processes may do this at once.
pub(crate) async fn bootstrap(
    database: &Database,
    workspace: WorkspaceId,
    new: &Project,
    first: &Environment,
) -> Result<(), DbErr> {
    let once = OnConflict::columns([project::Column::WorkspaceId, project::Column::Slug]).do_nothing().to_owned();
    let write = database.begin_write().await?;
    let rows = project::Entity::insert(row(workspace, new)).on_conflict(once).exec_without_returning(&write).await?;
    if rows == 1 {
        environment::insert_in(&write, workspace, first).await?;
    }
    write.commit().await
}

/// Makes a project with its first environment.
pub(crate) async fn create(
    database: &Database,
    context: &Context,
    new: &Project,
    first: &Environment,
) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    keep(&mut change, context.workspace, new, first).await?;
    Ok(change.commit().await?)
}

/// Makes a project with its first environment within a change.
pub(super) async fn keep(
    change: &mut Change,
    workspace: WorkspaceId,
    new: &Project,
    first: &Environment,
) -> Result<(), ServiceError> {
    let write = change.connection();
    let inserted = project::Entity::insert(row(workspace, new)).exec_without_returning(write).await;
    unless_taken(inserted, "slug", "project", &new.slug)?;
    environment::insert_in(write, workspace, first).await?;
    change.record(Done::new(Action::ProjectCreated, new.id).after(json!({"slug": new.slug, "title": new.title})));
    Ok(())
}

/// Gives a project another title.
pub(crate) async fn rename(
    database: &Database,
    context: &Context,
    id: ProjectId,
    title: &str,
) -> Result<Project, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = find_in(change.connection(), &context.scope(), id).await?;
    let found = found.ok_or(ServiceError::NotFound { what: "project" })?;
    if found.name == title {
        return Ok(read(found));
    }
    let done = Done::new(Action::ProjectUpdated, id).before(json!({"title": found.name}));
    let mut row = project::ActiveModel::from(found);
    row.name = Set(title.to_owned());
    let renamed = row.update(change.connection()).await?;
    change.record(done.after(json!({"title": renamed.name})));
    change.commit().await?;
    Ok(read(renamed))
}

pub(super) async fn find_in(
    connection: &impl ConnectionTrait,
    scope: &Scope,
    id: ProjectId,
) -> Result<Option<project::Model>, DbErr> {
    in_scope(scope).filter(project::Column::Id.eq(id.0)).one(connection).await
}

fn row(workspace: WorkspaceId, new: &Project) -> project::ActiveModel {
    project::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(workspace.0),
        slug: Set(new.slug.clone()),
        name: Set(new.title.clone()),
        created_at: Set(at(new.created_at)),
    }
}

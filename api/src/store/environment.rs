//! Where versions can be deployed to.

use engine::id::{EnvironmentId, ProjectId, WorkspaceId};
use entity::{deployment, environment, workflow};
use runtime::Database;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, JoinType,
    ModelTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
};
use serde_json::json;

use super::change::Change;
use super::scope::of_project;
use super::{at, deployment::to_workflow, timestamp, unless_taken};
use crate::auth::Scope;
use crate::service::ServiceError;
use crate::service::audit::{Action, Context, Done};
use crate::service::project::Environment;

/// The only way into the table: there is no query without a scope.
fn in_scope(scope: &Scope) -> Select<environment::Entity> {
    environment::Entity::find()
        .filter(environment::Column::WorkspaceId.eq(scope.workspace.0))
        .filter(of_project(scope, environment::Column::ProjectId))
}

fn read(model: environment::Model) -> Environment {
    Environment {
        id: EnvironmentId(model.id),
        project: ProjectId(model.project_id),
        name: model.name,
        title: model.title,
        created_at: timestamp(model.created_at),
    }
}

/// The environments of these projects, by name.
pub(crate) async fn of_projects(
    database: &Database,
    scope: &Scope,
    of: &[ProjectId],
) -> Result<Vec<Environment>, DbErr> {
    let rows = in_scope(scope)
        .filter(environment::Column::ProjectId.is_in(of.iter().map(|id| id.0)))
        .order_by_asc(environment::Column::Name)
        .all(database.read())
        .await?;
    Ok(rows.into_iter().map(read).collect())
}

/// The environment of this id.
pub(crate) async fn find(database: &Database, scope: &Scope, id: EnvironmentId) -> Result<Option<Environment>, DbErr> {
    let found = in_scope(scope).filter(environment::Column::Id.eq(id.0)).one(database.read()).await?;
    Ok(found.map(read))
}

/// The names of a project's environments, as a transaction sees them. None of them goes away before its end.
pub(super) async fn names_in(
    write: &impl ConnectionTrait,
    scope: &Scope,
    project: ProjectId,
) -> Result<Vec<String>, DbErr> {
    let rows = in_scope(scope).filter(environment::Column::ProjectId.eq(project.0)).lock_shared();
    Ok(rows.all(write).await?.into_iter().map(|row| row.name).collect())
}

pub(super) async fn insert_in(
    write: &impl ConnectionTrait,
    workspace: WorkspaceId,
    new: &Environment,
) -> Result<(), DbErr> {
    let row = environment::ActiveModel {
        id: Set(new.id.0),
        workspace_id: Set(workspace.0),
        project_id: Set(new.project.0),
        name: Set(new.name.clone()),
        title: Set(new.title.clone()),
        created_at: Set(at(new.created_at)),
    };
    environment::Entity::insert(row).exec_without_returning(write).await.map(drop)
}

/// Makes an environment.
pub(crate) async fn create(database: &Database, context: &Context, new: &Environment) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let inserted = insert_in(change.connection(), context.workspace, new).await;
    unless_taken(inserted, "name", "environment", &new.name)?;
    let after = json!({"project": new.project.to_string(), "name": new.name, "title": new.title});
    change.record(Done::new(Action::EnvironmentCreated, new.id).after(after));
    Ok(change.commit().await?)
}

async fn get_in(change: &Change, id: EnvironmentId) -> Result<environment::Model, ServiceError> {
    let found = in_scope(&change.context().scope()).filter(environment::Column::Id.eq(id.0)).lock_exclusive();
    found.one(change.connection()).await?.ok_or(ServiceError::NotFound { what: "environment" })
}

/// Gives an environment another title.
pub(crate) async fn rename(
    database: &Database,
    context: &Context,
    id: EnvironmentId,
    title: &str,
) -> Result<Environment, ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = get_in(&change, id).await?;
    if found.title == title {
        return Ok(read(found));
    }
    let done = Done::new(Action::EnvironmentUpdated, id).before(json!({"title": found.title}));
    let mut row = environment::ActiveModel::from(found);
    row.title = Set(title.to_owned());
    let renamed = row.update(change.connection()).await?;
    change.record(done.after(json!({"title": renamed.title})));
    change.commit().await?;
    Ok(read(renamed))
}

/// Deletes an environment unless something is deployed in it. Whoever deploys holds the environment until its end, so
/// nothing comes in between.
pub(crate) async fn delete(database: &Database, context: &Context, id: EnvironmentId) -> Result<(), ServiceError> {
    let mut change = Change::begin(database, context).await?;
    let found = get_in(&change, id).await?;
    let deployed = deployment::Entity::find()
        .join(JoinType::InnerJoin, to_workflow())
        .filter(deployment::Column::WorkspaceId.eq(context.workspace.0))
        .filter(workflow::Column::ProjectId.eq(found.project_id))
        .filter(deployment::Column::Environment.eq(&found.name))
        .count(change.connection())
        .await?;
    if deployed > 0 {
        let message = format!("{deployed} workflow(s) are deployed in `{}`; undeploy them first", found.name);
        return Err(ServiceError::Conflict { message });
    }
    let before = json!({"project": ProjectId(found.project_id).to_string(), "name": found.name, "title": found.title});
    found.delete(change.connection()).await?;
    change.record(Done::new(Action::EnvironmentDeleted, id).before(before));
    Ok(change.commit().await?)
}

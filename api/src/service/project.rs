//! Projects and their environments.

use std::collections::BTreeSet;

use engine::id::{EnvironmentId, ProjectId};
use engine::time::Timestamp;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::workspace::DEFAULT_SLUG;
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, ProjectLimit, Scope, Viewer};
use crate::store;

/// A folder of workflows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name in URLs, unique in the workspace.
    pub slug: String,
    /// Its name for people.
    pub title: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where versions of a project's workflows can be deployed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// Its project.
    pub project: ProjectId,
    /// What deployments and runs call it, unique in the project.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// When it was made.
    pub created_at: Timestamp,
}

const LIST: &str = "projects";

/// Projects by slug.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn list(app: &App, viewer: &Viewer, page: &PageRequest) -> Result<Page<Project>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, LIST, |slug| Some(slug.to_owned()))?;
    let rows = store::project::list(app.runtime.database(), &viewer.scope(), window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(LIST, &row.slug)))
}

/// The project of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: ProjectId) -> Result<Project, ServiceError> {
    by_ids(app, viewer, &[id]).await?.pop().ok_or(ServiceError::NotFound { what: "project" })
}

/// The project of this slug.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_by_slug(app: &App, viewer: &Viewer, slug: &str) -> Result<Project, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::project::find_by_slug(app.runtime.database(), &viewer.scope(), slug).await?;
    found.ok_or(ServiceError::NotFound { what: "project" })
}

/// Those of these projects that the viewer has, in any order.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn by_ids(app: &App, viewer: &Viewer, ids: &[ProjectId]) -> Result<Vec<Project>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::project::by_ids(app.runtime.database(), &viewer.scope(), ids).await?)
}

/// Most projects that a credential may be limited to.
const MOST_IN_LIMIT: usize = 100;

/// The limit of a credential that is to see these projects; without any, as many as the viewer sees. Nobody gives away
/// more than they have: a project that they do not see is not there.
///
/// # Errors
/// `NotFound` for a name that is no project's; no name, or too many.
pub async fn limit(app: &App, viewer: &Viewer, slugs: Option<&[String]>) -> Result<ProjectLimit, ServiceError> {
    let Some(slugs) = slugs else { return Ok(viewer.projects.clone()) };
    limit_in(app.runtime.database(), &viewer.scope(), slugs).await
}

/// The same within a scope.
pub(crate) async fn limit_in(
    database: &runtime::Database,
    scope: &Scope,
    slugs: &[String],
) -> Result<ProjectLimit, ServiceError> {
    if slugs.is_empty() || slugs.len() > MOST_IN_LIMIT {
        let message = format!("`projects` names 1 to {MOST_IN_LIMIT} projects; leave it out for all of them");
        return Err(ServiceError::invalid("projects", message));
    }
    let mut ids = BTreeSet::new();
    for slug in slugs {
        let found = store::project::find_by_slug(database, scope, slug).await?;
        ids.insert(found.ok_or(ServiceError::NotFound { what: "project" })?.id);
    }
    Ok(Some(ids.into_iter().collect()))
}

/// Makes a project with the environment `default`.
///
/// # Errors
/// When they may not, a name cannot be used or is taken.
pub async fn create(app: &App, viewer: &Viewer, slug: String, title: Option<String>) -> Result<Project, ServiceError> {
    viewer.require(Permission::ProjectManage)?;
    text::slug("slug", &slug)?;
    let context = Context::of(app, viewer);
    let project = Project {
        id: ProjectId(app.runtime.clock().new_id()),
        title: title_or(title, &slug)?,
        slug,
        created_at: context.at,
    };
    let environment = default_environment(EnvironmentId(app.runtime.clock().new_id()), &project);
    store::project::create(app.runtime.database(), &context, &project, &environment).await?;
    Ok(project)
}

/// The environment that every project begins with.
pub(super) fn default_environment(id: EnvironmentId, of: &Project) -> Environment {
    Environment {
        id,
        project: of.id,
        name: DEFAULT_SLUG.to_owned(),
        title: "Default".to_owned(),
        created_at: of.created_at,
    }
}

/// Gives a project another name for people. Its slug stays: URLs of webhooks have it.
///
/// # Errors
/// When they may not, it is not there, or the title cannot be used.
pub async fn rename(app: &App, viewer: &Viewer, id: ProjectId, title: &str) -> Result<Project, ServiceError> {
    viewer.require(Permission::ProjectManage)?;
    text::key("title", title)?;
    store::project::rename(app.runtime.database(), &Context::of(app, viewer), id, title).await
}

/// The environments of these projects, by name.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn environments(app: &App, viewer: &Viewer, of: &[ProjectId]) -> Result<Vec<Environment>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::environment::of_projects(app.runtime.database(), &viewer.scope(), of).await?)
}

/// The environment of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_environment(app: &App, viewer: &Viewer, id: EnvironmentId) -> Result<Environment, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::environment::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "environment" })
}

/// Makes an environment.
///
/// # Errors
/// When they may not, the project is not there, a name cannot be used or is taken.
pub async fn create_environment(
    app: &App,
    viewer: &Viewer,
    project: ProjectId,
    name: String,
    title: Option<String>,
) -> Result<Environment, ServiceError> {
    viewer.require(Permission::ProjectManage)?;
    text::slug("name", &name)?;
    get(app, viewer, project).await?;
    let context = Context::of(app, viewer);
    let environment = Environment {
        id: EnvironmentId(app.runtime.clock().new_id()),
        project,
        title: title_or(title, &name)?,
        name,
        created_at: context.at,
    };
    store::environment::create(app.runtime.database(), &context, &environment).await?;
    Ok(environment)
}

/// Gives an environment another name for people. What deployments and runs call it stays.
///
/// # Errors
/// When they may not, it is not there, or the title cannot be used.
pub async fn rename_environment(
    app: &App,
    viewer: &Viewer,
    id: EnvironmentId,
    title: &str,
) -> Result<Environment, ServiceError> {
    viewer.require(Permission::ProjectManage)?;
    text::key("title", title)?;
    store::environment::rename(app.runtime.database(), &Context::of(app, viewer), id, title).await
}

/// Deletes an environment in which nothing is deployed.
///
/// # Errors
/// When they may not, it is not there, it is `default`, or something is deployed in it.
pub async fn delete_environment(app: &App, viewer: &Viewer, id: EnvironmentId) -> Result<EnvironmentId, ServiceError> {
    viewer.require(Permission::ProjectManage)?;
    let found = get_environment(app, viewer, id).await?;
    if found.name == DEFAULT_SLUG {
        let message = "every project keeps its environment `default`".to_owned();
        return Err(ServiceError::Conflict { message });
    }
    store::environment::delete(app.runtime.database(), &Context::of(app, viewer), id).await?;
    Ok(id)
}

fn title_or(title: Option<String>, otherwise: &str) -> Result<String, ServiceError> {
    let title = title.unwrap_or_else(|| otherwise.to_owned());
    text::key("title", &title)?;
    Ok(title)
}

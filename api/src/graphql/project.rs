//! Projects and their environments.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::loader::EnvironmentsOf;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::auth::Permission;
use crate::service::ServiceError;
use crate::service::project::{self, Environment, Project};

/// A folder of workflows with environments of its own.
pub struct ProjectObject(pub(super) Project);

/// A folder of workflows with environments of its own.
#[Object(name = "Project")]
impl ProjectObject {
    /// The id, `prj_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whether the viewer may rename it, and make environments in it.
    async fn viewer_can_change(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::ProjectManage))
    }

    /// Whether the viewer may make workflows in it.
    async fn viewer_can_create_workflows(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::WorkflowEdit))
    }

    /// Its name in files and URLs, unique in the workspace. It never changes.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// What people call it.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Where versions of its workflows can be deployed to, by name.
    async fn environments(&self, ctx: &Context<'_>) -> Result<Vec<EnvironmentObject>> {
        let found = ctx.reads()?.load_one(EnvironmentsOf(self.0.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(EnvironmentObject).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }
}

/// Where versions of a project's workflows can be deployed to.
pub struct EnvironmentObject(pub(super) Environment);

/// Where versions of a project's workflows can be deployed to.
#[Object(name = "Environment")]
impl EnvironmentObject {
    /// The id, `env_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What deployments and runs call it, unique in the project. It never changes.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What people call it.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Result<ProjectObject> {
        let found = ctx.reads()?.load_one(self.0.project).await?;
        Ok(ProjectObject(found.ok_or(ServiceError::NotFound { what: "project" })?))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }
}

/// Reading projects.
#[derive(Default)]
pub struct ProjectQuery;

#[Object]
impl ProjectQuery {
    /// The project of this slug; null with NOT_FOUND when there is none.
    async fn project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its slug.", default = "default")] slug: String,
    ) -> Result<Option<ProjectObject>> {
        Ok(Some(ProjectObject(project::get_by_slug(ctx.app()?, ctx.viewer()?, &slug).await?)))
    }

    /// Projects by slug.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<ProjectObject>> {
        let page = project::list(ctx.app()?, ctx.viewer()?, &window(first, after, last, before)?).await?;
        Ok(connection(page, ProjectObject))
    }
}

/// A project to make.
#[derive(InputObject)]
pub struct CreateProjectInput {
    /// Its name in files and URLs: lower-case letters, digits, `-` and `_`, up to 63.
    slug: String,
    /// What people call it; the slug when absent.
    title: Option<String>,
}

/// Another title for a project.
#[derive(InputObject)]
pub struct UpdateProjectInput {
    /// The project.
    project_id: ID,
    /// What people call it from now on.
    title: String,
}

/// What came of making or changing a project.
#[derive(SimpleObject)]
pub struct ProjectPayload {
    /// The project as it is now.
    project: Option<ProjectObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// An environment to make.
#[derive(InputObject)]
pub struct CreateEnvironmentInput {
    /// Its project.
    project_id: ID,
    /// What deployments and runs call it: lower-case letters, digits, `-` and `_`, up to 63.
    name: String,
    /// What people call it; the name when absent.
    title: Option<String>,
}

/// Another title for an environment.
#[derive(InputObject)]
pub struct UpdateEnvironmentInput {
    /// The environment.
    environment_id: ID,
    /// What people call it from now on.
    title: String,
}

/// What came of making or changing an environment.
#[derive(SimpleObject)]
pub struct EnvironmentPayload {
    /// The environment as it is now.
    environment: Option<EnvironmentObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// An environment to delete.
#[derive(InputObject)]
pub struct DeleteEnvironmentInput {
    /// The environment.
    environment_id: ID,
}

/// What came of deleting an environment.
#[derive(SimpleObject)]
pub struct DeleteEnvironmentPayload {
    /// The id of what is gone.
    deleted_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Making and changing projects and environments.
#[derive(Default)]
pub struct ProjectMutation;

#[Object]
impl ProjectMutation {
    /// Makes a project with the environment `default`.
    async fn create_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project.")] input: CreateProjectInput,
    ) -> Result<ProjectPayload> {
        let made = project::create(ctx.app()?, ctx.viewer()?, input.slug, input.title).await;
        let (project, user_errors) = settle(made)?;
        Ok(ProjectPayload { project: project.map(ProjectObject), user_errors })
    }

    /// Gives a project another title.
    async fn update_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project and its title.")] input: UpdateProjectInput,
    ) -> Result<ProjectPayload> {
        let answer = match id(&input.project_id, "project") {
            Ok(wanted) => project::rename(ctx.app()?, ctx.viewer()?, wanted, &input.title).await,
            Err(error) => Err(error),
        };
        let (project, user_errors) = settle(answer)?;
        Ok(ProjectPayload { project: project.map(ProjectObject), user_errors })
    }

    /// Makes an environment.
    async fn create_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment.")] input: CreateEnvironmentInput,
    ) -> Result<EnvironmentPayload> {
        let answer = match id(&input.project_id, "project") {
            Ok(of) => project::create_environment(ctx.app()?, ctx.viewer()?, of, input.name, input.title).await,
            Err(error) => Err(error),
        };
        let (environment, user_errors) = settle(answer)?;
        Ok(EnvironmentPayload { environment: environment.map(EnvironmentObject), user_errors })
    }

    /// Gives an environment another title.
    async fn update_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment and its title.")] input: UpdateEnvironmentInput,
    ) -> Result<EnvironmentPayload> {
        let answer = match id(&input.environment_id, "environment") {
            Ok(wanted) => project::rename_environment(ctx.app()?, ctx.viewer()?, wanted, &input.title).await,
            Err(error) => Err(error),
        };
        let (environment, user_errors) = settle(answer)?;
        Ok(EnvironmentPayload { environment: environment.map(EnvironmentObject), user_errors })
    }

    /// Deletes an environment in which nothing is deployed; never `default`.
    async fn delete_environment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment.")] input: DeleteEnvironmentInput,
    ) -> Result<DeleteEnvironmentPayload> {
        let answer = match id(&input.environment_id, "environment") {
            Ok(wanted) => project::delete_environment(ctx.app()?, ctx.viewer()?, wanted).await,
            Err(error) => Err(error),
        };
        let (deleted, user_errors) = settle(answer)?;
        Ok(DeleteEnvironmentPayload { deleted_id: deleted.map(|id| id.to_string().into()), user_errors })
    }
}

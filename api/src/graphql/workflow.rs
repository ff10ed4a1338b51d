//! Workflows: what is there, and what is deployed.

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::definition::problem;

use super::Result;
use super::deployment::{DeploymentChangeObject, DeploymentObject};
use super::draft::DraftObject;
use super::loader::{DeployedOf, LatestOf};
use super::page::{Relay, connection, cost, window};
use super::project::ProjectObject;
use super::request::{Asked as _, time};
use super::trigger::{TriggerBindingObject, TriggerEventObject};
use super::version::VersionObject;
use crate::auth::Permission;
use crate::service::surroundings::Place;
use crate::service::workflow::{self, Trigger, Workflow, WorkflowFilter};
use crate::service::{ServiceError, deployment, draft, trigger};

pub mod change;

/// A named thing that has versions.
pub struct WorkflowObject(pub(super) Workflow);

/// A named thing that has versions.
#[Object(name = "Workflow")]
impl WorkflowObject {
    /// The id, `wf_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whether the viewer may change it and its drafts.
    async fn viewer_can_edit(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::WorkflowEdit))
    }

    /// Whether the viewer may publish a version of it, and run its draft.
    async fn viewer_can_publish(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::WorkflowPublish))
    }

    /// Whether the viewer may say where which version runs, and pause its triggers.
    async fn viewer_can_deploy(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::WorkflowDeploy))
    }

    /// Whether the viewer may start a run of it.
    async fn viewer_can_start(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::RunStart))
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Result<ProjectObject> {
        let found = ctx.reads()?.load_one(self.0.project_id).await?;
        Ok(ProjectObject(found.ok_or(ServiceError::NotFound { what: "project" })?))
    }

    /// Its name, unique in the project.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What people call it; the name when nobody said.
    async fn title(&self) -> &str {
        self.0.title.as_deref().unwrap_or(&self.0.name)
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// To find it by, sorted.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Where lists show it, such as `billing/eu`; empty at the top.
    async fn folder_path(&self) -> &str {
        &self.0.folder
    }

    /// Since when lists hide it and it cannot be started; null when it is not archived.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at.map(time)
    }

    /// What people edit before it is published.
    #[graphql(complexity = "20 + child_complexity")]
    async fn draft(&self, ctx: &Context<'_>) -> Result<DraftObject> {
        Ok(DraftObject(draft::get_main(ctx.app()?, ctx.viewer()?, self.0.id).await?))
    }

    /// Its versions, the latest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<VersionObject>> {
        let page = window(first, after, last, before)?;
        let page = workflow::versions(ctx.app()?, ctx.viewer()?, self.0.id, &page).await?;
        Ok(connection(page, VersionObject))
    }

    /// What was deployed of it over time, the latest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn deployment_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only in this environment.")] environment: Option<String>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<DeploymentChangeObject>> {
        let page = window(first, after, last, before)?;
        let (app, viewer) = (ctx.app()?, ctx.viewer()?);
        let page = deployment::history(app, viewer, self.0.id, environment.as_deref(), &page).await?;
        Ok(connection(page, DeploymentChangeObject))
    }

    /// The version with the highest number.
    async fn latest_version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        Ok(ctx.reads()?.load_one(LatestOf(self.0.id)).await?.map(VersionObject))
    }

    /// Which version each environment runs.
    async fn deployments(&self, ctx: &Context<'_>) -> Result<Vec<DeploymentObject>> {
        let found = ctx.reads()?.load_one(DeployedOf(self.0.id)).await?;
        Ok(found.unwrap_or_default().into_iter().map(DeploymentObject).collect())
    }

    /// What starts runs of the latest version.
    #[graphql(complexity = "20 + child_complexity")]
    async fn triggers(&self, ctx: &Context<'_>) -> Result<Vec<TriggerObject>> {
        let Some(latest) = ctx.reads()?.load_one(LatestOf(self.0.id)).await? else { return Ok(Vec::new()) };
        let triggers = workflow::triggers(ctx.app()?, ctx.viewer()?, &self.0, &latest).await?;
        Ok(triggers.into_iter().map(TriggerObject::from).collect())
    }

    /// Its triggers that are or were deployed and start runs by themselves, by environment and node: schedules, and those
    /// that listen to events, failures and ends of runs.
    #[graphql(complexity = "20 + child_complexity")]
    async fn trigger_bindings(&self, ctx: &Context<'_>) -> Result<Vec<TriggerBindingObject>> {
        let found = trigger::of_workflow(ctx.app()?, ctx.viewer()?, self.0.id).await?;
        Ok(found.into_iter().map(TriggerBindingObject).collect())
    }

    /// The last thing that came to one of its trigger nodes outside of tests and whose content is kept: an example of
    /// what runs are given. Null when nothing came.
    #[graphql(complexity = "5 + child_complexity")]
    async fn sample_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key of the trigger node.")] node: String,
        #[graphql(desc = "The environment.", default = "default")] environment: String,
    ) -> Result<Option<TriggerEventObject>> {
        let found = trigger::sample(ctx.app()?, ctx.viewer()?, self.0.id, &environment, &node).await?;
        Ok(found.map(TriggerEventObject))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it, its draft or its versions last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }
}

/// A node that starts runs.
#[derive(SimpleObject)]
#[graphql(name = "Trigger")]
pub struct TriggerObject {
    /// Its key in the definition.
    node: String,
    /// Its node type, such as `trigger.webhook@1`.
    r#type: String,
    /// Where a webhook takes requests in the environment `default`, below the server's address; null for other triggers,
    /// and where the URL is a secret, which `Webhook.urls` tells.
    path: Option<String>,
}

impl From<Trigger> for TriggerObject {
    fn from(trigger: Trigger) -> Self {
        Self { node: trigger.node, r#type: trigger.node_type, path: trigger.path }
    }
}

/// What a list does with archived workflows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(name = "ArchivedFilter", remote = "workflow::Archived")]
pub enum ArchivedName {
    /// Leaves them out.
    #[default]
    Exclude,
    /// Shows nothing else.
    Only,
    /// Shows them with the others.
    Include,
}

/// Which workflows; all that is said must hold.
#[derive(InputObject, Default)]
#[graphql(name = "WorkflowFilter")]
pub struct WorkflowFilterInput {
    /// With this tag.
    tag: Option<String>,
    /// In this folder or one below it, such as `billing`.
    folder_path: Option<String>,
    /// With each of these words in name, title or description; upper or lower case does not matter for a to z.
    text: Option<String>,
    /// What to do with archived ones.
    #[graphql(default)]
    archived: ArchivedName,
}

/// What workflows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum WorkflowOrderField {
    /// Their names.
    Name,
    /// When they were made.
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
}

/// Which end a list begins at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// The smallest or oldest first.
    #[default]
    Asc,
    /// The largest or newest first.
    Desc,
}

/// The order of workflows.
#[derive(InputObject)]
pub struct WorkflowOrder {
    /// What to order by.
    field: WorkflowOrderField,
    /// Which end to begin at.
    #[graphql(default)]
    direction: OrderDirection,
}

impl From<WorkflowOrder> for workflow::WorkflowOrder {
    fn from(order: WorkflowOrder) -> Self {
        let descending = order.direction == OrderDirection::Desc;
        match order.field {
            WorkflowOrderField::Name => Self::Name { descending },
            WorkflowOrderField::CreatedAt => Self::CreatedAt { descending },
            WorkflowOrderField::UpdatedAt => Self::UpdatedAt { descending },
        }
    }
}

/// Reading workflows.
#[derive(Default)]
pub struct WorkflowQuery;

#[Object]
impl WorkflowQuery {
    /// The workflow of this name, archived or not; null with NOT_FOUND when there is none.
    async fn workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project's slug.", default = "default")] project: String,
        #[graphql(desc = "The workflow's name.")] name: String,
    ) -> Result<Option<WorkflowObject>> {
        Ok(Some(WorkflowObject(workflow::get_by_name(ctx.app()?, ctx.viewer()?, &project, &name).await?)))
    }

    /// Workflows, by name unless another order is asked for.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a list is paged, filtered and ordered in one field")]
    async fn workflows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project's slug; all projects when absent.")] project: Option<String>,
        #[graphql(desc = "Which ones.", default)] filter: WorkflowFilterInput,
        #[graphql(desc = "In which order.")] order_by: Option<WorkflowOrder>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<WorkflowObject>> {
        let filter = WorkflowFilter {
            project,
            tag: filter.tag,
            folder: filter.folder_path,
            text: filter.text,
            archived: filter.archived.into(),
        };
        let order = order_by.map_or(workflow::WorkflowOrder::Name { descending: false }, Into::into);
        let page = window(first, after, last, before)?;
        let page = workflow::list(ctx.app()?, ctx.viewer()?, &filter, order, &page).await?;
        Ok(connection(page, WorkflowObject))
    }

    /// Everything that is wrong with a definition, or may be. Nothing is saved.
    #[graphql(complexity = "50 + child_complexity")]
    async fn validate_definition(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document in the form `flowforge/v1`.")] definition: Json<serde_json::Value>,
        #[graphql(
            desc = "The slug of the project that it is for; without it, names of connections and variables pass."
        )]
        project: Option<String>,
        #[graphql(default = "default", desc = "The environment of the project that it is for.")] environment: String,
    ) -> Result<Vec<ProblemObject>> {
        let place = project.map(|project| Place { project, environment });
        let problems = draft::problems(ctx.app()?, ctx.viewer()?, &definition.0, place.as_ref()).await?;
        Ok(problems.into_iter().map(ProblemObject::from).collect())
    }
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Severity", remote = "problem::Severity")]
pub enum SeverityName {
    /// It cannot be published.
    Error,
    /// It can, but may not do what its author thinks.
    Warning,
}

/// One thing that is wrong with a definition.
#[derive(SimpleObject)]
#[graphql(name = "Problem")]
pub struct ProblemObject {
    /// Its stable code, such as `PORT_TAKEN`.
    code: String,
    /// How much it matters.
    severity: SeverityName,
    /// JSON pointer into the definition.
    path: String,
    /// Line in the text at `path`, from 1; for expressions.
    line: Option<u32>,
    /// Column in that line, in characters from 1.
    column: Option<u32>,
    /// The key of the node it belongs to.
    node: Option<String>,
    /// What is wrong.
    message: String,
    /// What to do next.
    hint: String,
}

impl From<problem::Problem> for ProblemObject {
    fn from(problem: problem::Problem) -> Self {
        Self {
            code: problem.code.as_str().to_owned(),
            severity: problem.severity.into(),
            path: problem.path,
            line: problem.position.map(|position| position.line),
            column: problem.position.map(|position| position.column),
            node: problem.node,
            message: problem.message,
            hint: problem.hint,
        }
    }
}

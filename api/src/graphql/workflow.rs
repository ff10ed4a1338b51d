//! Workflows: what is there, what is deployed, publishing and deploying.

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::definition::problem;

use super::Result;
use super::loader::{DeployedOf, LatestOf};
use super::page::{connection, cost, request};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use super::version::VersionObject;
use crate::service::ServiceError;
use crate::service::workflow::{self, Deployment, Publish, Published, Trigger, Workflow};

/// A named thing that has versions.
pub struct WorkflowObject(pub(super) Workflow);

/// A named thing that has versions.
#[Object(name = "Workflow")]
impl WorkflowObject {
    /// The id, `wf_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The slug of its project.
    async fn project(&self) -> &str {
        &self.0.project
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

    /// Its versions, the latest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Connection<String, VersionObject>> {
        let later = after.is_some();
        let page = workflow::versions(ctx.app()?, ctx.viewer()?, self.0.id, &request(first, after)?).await?;
        Ok(connection(page, later, VersionObject))
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

    /// When it was first published.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it last got a version or another title.
    async fn updated_at(&self) -> DateTime<Utc> {
        time(self.0.updated_at)
    }
}

/// Which version an environment runs.
pub struct DeploymentObject(Deployment);

/// Which version an environment runs.
#[Object(name = "Deployment")]
impl DeploymentObject {
    /// The environment, such as `default`.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The version that new runs take there.
    async fn version(&self, ctx: &Context<'_>) -> Result<VersionObject> {
        let found = ctx.reads()?.load_one(self.0.version).await?;
        Ok(VersionObject(found.ok_or(ServiceError::NotFound { what: "version" })?))
    }

    /// When that was last changed.
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
    /// Where a webhook takes requests, below the server's address.
    path: Option<String>,
}

impl From<Trigger> for TriggerObject {
    fn from(trigger: Trigger) -> Self {
        Self { node: trigger.node, r#type: trigger.node_type, path: trigger.path }
    }
}

/// Reading workflows.
#[derive(Default)]
pub struct WorkflowQuery;

#[Object]
impl WorkflowQuery {
    /// The workflow of this name; null with NOT_FOUND when there is none.
    async fn workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project's slug.", default = "default")] project: String,
        #[graphql(desc = "The workflow's name.")] name: String,
    ) -> Result<Option<WorkflowObject>> {
        Ok(Some(WorkflowObject(workflow::get_by_name(ctx.app()?, ctx.viewer()?, &project, &name).await?)))
    }

    /// Workflows by name.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn workflows(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The project's slug; all projects when absent.")] project: Option<String>,
        #[graphql(desc = "How many, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Connection<String, WorkflowObject>> {
        let later = after.is_some();
        let page = workflow::list(ctx.app()?, ctx.viewer()?, project.as_deref(), &request(first, after)?).await?;
        Ok(connection(page, later, WorkflowObject))
    }
}

/// A definition to publish.
#[derive(InputObject)]
pub struct PublishWorkflowInput {
    /// The project's slug.
    #[graphql(default = "default")]
    project: String,
    /// The workflow's name: lower-case letters, digits, `-` and `_`, up to 63. It is made when it is not there.
    name: String,
    /// What people call it; as it was when absent.
    title: Option<String>,
    /// What it is for; as it was when absent.
    description: Option<String>,
    /// The document in the form `flowforge/v1`, at most 4 MiB.
    definition: Json<serde_json::Value>,
    /// What is new.
    note: Option<String>,
    /// Whether the environment runs it from now on.
    #[graphql(default = true)]
    deploy: bool,
    /// Which environment.
    #[graphql(default = "default")]
    environment: String,
}

/// What came of publishing.
#[derive(SimpleObject)]
pub struct PublishWorkflowPayload {
    /// The workflow.
    workflow: Option<WorkflowObject>,
    /// The version that has this definition now.
    version: Option<VersionObject>,
    /// False when the latest version had the same definition already: nothing was made.
    created: bool,
    /// What is wrong with the definition; warnings also when it was published.
    problems: Vec<ProblemObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
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

/// Which version an environment runs from now on.
#[derive(InputObject)]
pub struct DeployVersionInput {
    /// The version.
    version_id: ID,
    /// The environment.
    #[graphql(default = "default")]
    environment: String,
}

/// What came of deploying.
#[derive(SimpleObject)]
pub struct DeployVersionPayload {
    /// The environment with its version.
    deployment: Option<DeploymentObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Publishing and deploying.
#[derive(Default)]
pub struct WorkflowMutation;

#[Object]
impl WorkflowMutation {
    /// Makes a definition the next version of a workflow, unless the latest version has it already.
    async fn publish_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The definition, and where it belongs.")] input: PublishWorkflowInput,
    ) -> Result<PublishWorkflowPayload> {
        let request = Publish {
            project: input.project,
            name: input.name,
            title: input.title,
            description: input.description,
            definition: input.definition.0,
            note: input.note,
            deploy_to: input.deploy.then_some(input.environment),
        };
        let (answer, mut user_errors) = settle(workflow::publish(ctx.app()?, ctx.viewer()?, request).await)?;
        let mut payload = PublishWorkflowPayload {
            workflow: None,
            version: None,
            created: false,
            problems: Vec::new(),
            user_errors: Vec::new(),
        };
        match answer {
            None => {}
            Some(Published::Refused { problems }) => {
                let errors = problems.iter().filter(|problem| problem.severity == problem::Severity::Error).count();
                user_errors.push(UserError::definition_invalid(errors));
                payload.problems = problems.into_iter().map(ProblemObject::from).collect();
            }
            Some(Published::Version { workflow, version, created, problems }) => {
                payload.problems = problems.into_iter().map(ProblemObject::from).collect();
                payload.workflow = Some(WorkflowObject(*workflow));
                payload.version = Some(VersionObject(*version));
                payload.created = created;
            }
        }
        payload.user_errors = user_errors;
        Ok(payload)
    }

    /// Lets an environment run a version from now on; runs under way keep theirs.
    async fn deploy_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version and the environment.")] input: DeployVersionInput,
    ) -> Result<DeployVersionPayload> {
        let answer = match id(&input.version_id, "version") {
            Ok(version) => workflow::deploy(ctx.app()?, ctx.viewer()?, version, &input.environment).await,
            Err(error) => Err(error),
        };
        let (deployment, user_errors) = settle(answer)?;
        Ok(DeployVersionPayload { deployment: deployment.map(DeploymentObject), user_errors })
    }
}

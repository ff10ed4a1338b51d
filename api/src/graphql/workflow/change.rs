//! Making, changing and publishing workflows.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject};
use engine::definition::problem;
use serde_json::Value;

use super::{ProblemObject, WorkflowObject};
use crate::graphql::Result;
use crate::graphql::request::{Asked as _, id};
use crate::graphql::user_error::{UserError, settle};
use crate::graphql::version::VersionObject;
use crate::service::ServiceError;
use crate::service::workflow::change::{self, About, Create};
use crate::service::workflow::{self, Publish, Published, Workflow};

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
    /// To find it by, in the place of those it has; as they were when absent.
    tags: Option<Vec<String>>,
    /// Where lists show it, such as `billing/eu`; empty for the top; as it was when absent.
    folder_path: Option<String>,
    /// The document in the form `flowforge/v1`, at most 4 MiB.
    definition: Json<Value>,
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

impl PublishWorkflowPayload {
    /// Sorts what came of publishing.
    pub(in crate::graphql) fn of(answer: Result<Published, ServiceError>) -> Result<Self> {
        let (answer, mut user_errors) = settle(answer)?;
        let shown = |problems: Vec<problem::Problem>| problems.into_iter().map(ProblemObject::from).collect();
        Ok(match answer {
            None => Self { workflow: None, version: None, created: false, problems: Vec::new(), user_errors },
            Some(Published::Refused { problems }) => {
                let errors = problems.iter().filter(|problem| problem.severity == problem::Severity::Error).count();
                user_errors.push(UserError::definition_invalid(errors));
                Self { workflow: None, version: None, created: false, problems: shown(problems), user_errors }
            }
            Some(Published::Version { workflow, version, created, warnings }) => Self {
                workflow: Some(WorkflowObject(*workflow)),
                version: Some(VersionObject(*version)),
                created,
                problems: shown(warnings),
                user_errors,
            },
        })
    }
}

/// A workflow to make.
#[derive(InputObject)]
pub struct CreateWorkflowInput {
    /// The project's slug.
    #[graphql(default = "default")]
    project: String,
    /// Its name, unique in the project: lower-case letters, digits, `-` and `_`, up to 63.
    name: String,
    /// What people call it.
    title: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// To find it by: up to 32, each of 1 to 63 characters without quotes and backslashes.
    tags: Option<Vec<String>>,
    /// Where lists show it, such as `billing/eu`.
    folder_path: Option<String>,
    /// What its draft begins as: any object; a document without nodes when absent.
    document: Option<Json<Value>>,
    /// The sidecar that its draft begins with.
    sidecar: Option<Json<Value>>,
}

/// What to say about a workflow; what is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateWorkflowInput {
    /// The workflow.
    workflow_id: ID,
    /// What people call it.
    title: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// To find it by, in the place of those it has.
    tags: Option<Vec<String>>,
    /// Where lists show it; empty for the top.
    folder_path: Option<String>,
}

/// A workflow to archive.
#[derive(InputObject)]
pub struct ArchiveWorkflowInput {
    /// The workflow.
    workflow_id: ID,
}

/// A workflow to take out of the archive.
#[derive(InputObject)]
pub struct UnarchiveWorkflowInput {
    /// The workflow.
    workflow_id: ID,
}

/// A workflow to copy.
#[derive(InputObject)]
pub struct DuplicateWorkflowInput {
    /// The workflow.
    workflow_id: ID,
    /// The slug of the copy's project; the same project when absent.
    project: Option<String>,
    /// The copy's name.
    name: String,
    /// What people call the copy; as the original when absent.
    title: Option<String>,
}

/// A workflow to put into another project.
#[derive(InputObject)]
pub struct MoveWorkflowInput {
    /// The workflow.
    workflow_id: ID,
    /// The slug of the project that it goes to.
    project: String,
}

/// A workflow to delete.
#[derive(InputObject)]
pub struct DeleteWorkflowInput {
    /// The workflow.
    workflow_id: ID,
}

/// What came of making or changing a workflow.
#[derive(SimpleObject)]
pub struct WorkflowPayload {
    /// The workflow as it is now.
    workflow: Option<WorkflowObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl WorkflowPayload {
    fn of(answer: Result<Workflow, ServiceError>) -> Result<Self> {
        let (workflow, user_errors) = settle(answer)?;
        Ok(Self { workflow: workflow.map(WorkflowObject), user_errors })
    }
}

/// What came of deleting a workflow.
#[derive(SimpleObject)]
pub struct DeleteWorkflowPayload {
    /// The id of what is gone.
    deleted_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Making, changing and publishing workflows.
#[derive(Default)]
pub struct WorkflowMutation;

#[Object]
impl WorkflowMutation {
    /// Makes a workflow with a draft and no version.
    async fn create_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] input: CreateWorkflowInput,
    ) -> Result<WorkflowPayload> {
        let about =
            About { title: input.title, description: input.description, tags: input.tags, folder: input.folder_path };
        let request = Create {
            project: input.project,
            name: input.name,
            about,
            document: input.document.map(|document| document.0),
            sidecar: input.sidecar.map(|sidecar| sidecar.0),
        };
        WorkflowPayload::of(change::create(ctx.app()?, ctx.viewer()?, request).await)
    }

    /// Changes what is said about a workflow.
    async fn update_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to say.")] input: UpdateWorkflowInput,
    ) -> Result<WorkflowPayload> {
        let about =
            About { title: input.title, description: input.description, tags: input.tags, folder: input.folder_path };
        WorkflowPayload::of(match id(&input.workflow_id, "workflow") {
            Ok(wanted) => change::update(ctx.app()?, ctx.viewer()?, wanted, about).await,
            Err(error) => Err(error),
        })
    }

    /// Hides a workflow from lists and stops it from being started; runs under way go on. It can be taken back.
    async fn archive_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] input: ArchiveWorkflowInput,
    ) -> Result<WorkflowPayload> {
        WorkflowPayload::of(match id(&input.workflow_id, "workflow") {
            Ok(wanted) => change::archive(ctx.app()?, ctx.viewer()?, wanted, true).await,
            Err(error) => Err(error),
        })
    }

    /// Takes a workflow out of the archive.
    async fn unarchive_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] input: UnarchiveWorkflowInput,
    ) -> Result<WorkflowPayload> {
        WorkflowPayload::of(match id(&input.workflow_id, "workflow") {
            Ok(wanted) => change::archive(ctx.app()?, ctx.viewer()?, wanted, false).await,
            Err(error) => Err(error),
        })
    }

    /// Makes a workflow with the draft of another. Versions and deployments are not copied.
    async fn duplicate_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The original and the copy.")] input: DuplicateWorkflowInput,
    ) -> Result<WorkflowPayload> {
        WorkflowPayload::of(match id(&input.workflow_id, "workflow") {
            Ok(wanted) => {
                let (app, viewer) = (ctx.app()?, ctx.viewer()?);
                change::duplicate(app, viewer, wanted, input.project, input.name, input.title).await
            }
            Err(error) => Err(error),
        })
    }

    /// Puts a workflow into another project; URLs of its webhooks change with it.
    async fn move_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow and the project.")] input: MoveWorkflowInput,
    ) -> Result<WorkflowPayload> {
        WorkflowPayload::of(match id(&input.workflow_id, "workflow") {
            Ok(wanted) => change::move_to(ctx.app()?, ctx.viewer()?, wanted, &input.project).await,
            Err(error) => Err(error),
        })
    }

    /// Deletes an archived workflow that has no runs under way, with its versions and drafts. Its runs stay until
    /// they are too old.
    async fn delete_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] input: DeleteWorkflowInput,
    ) -> Result<DeleteWorkflowPayload> {
        let answer = match id(&input.workflow_id, "workflow") {
            Ok(wanted) => change::delete(ctx.app()?, ctx.viewer()?, wanted).await,
            Err(error) => Err(error),
        };
        let (deleted, user_errors) = settle(answer)?;
        Ok(DeleteWorkflowPayload { deleted_id: deleted.map(|id| id.to_string().into()), user_errors })
    }

    /// Makes a definition the next version of a workflow, unless the latest version has it already. A draft that was
    /// not changed since the version before goes along.
    async fn publish_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The definition, and where it belongs.")] input: PublishWorkflowInput,
    ) -> Result<PublishWorkflowPayload> {
        let about =
            About { title: input.title, description: input.description, tags: input.tags, folder: input.folder_path };
        let request = Publish {
            project: input.project,
            name: input.name,
            about,
            definition: input.definition.0,
            note: input.note,
            deploy_to: input.deploy.then_some(input.environment),
        };
        PublishWorkflowPayload::of(workflow::publish(ctx.app()?, ctx.viewer()?, request).await)
    }
}

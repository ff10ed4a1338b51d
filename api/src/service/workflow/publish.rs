//! Making definitions versions.

use engine::definition::Definition;
use engine::definition::canonical;
use engine::definition::problem::{Problem, Severity};
use engine::id::{DeploymentChangeId, DeploymentId, DraftId, ProjectId, VersionId, WorkflowId};
use serde_json::{Value, json};

use super::change::NewWorkflow;
use super::{Publish, Published, Workflow, get};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::audit::Context;
use crate::service::deployment::Placing;
use crate::service::surroundings::{DEFAULT_ENVIRONMENT, Known};
use crate::service::version::Hashes;
use crate::service::{ServiceError, draft, hook, project, signature, text};
use crate::store;
use crate::store::publication::{Publication, Saved, Target};

/// A draft to publish.
#[derive(Debug, Clone)]
pub struct PublishDraft {
    /// The draft.
    pub draft: DraftId,
    /// The revision that its author saw.
    pub expected: i64,
    /// What is new.
    pub note: Option<String>,
    /// The environment that runs it from now on.
    pub deploy_to: Option<String>,
}

/// Makes a definition the next version of a workflow, unless the latest version has it already.
///
/// # Errors
/// When they may not, a name cannot be used, the project or the environment is not there, or the workflow is archived.
pub async fn publish(app: &App, viewer: &Viewer, request: Publish) -> Result<Published, ServiceError> {
    may_publish(viewer, request.deploy_to.as_deref(), request.note.as_deref())?;
    text::slug("name", &request.name)?;
    let about = request.about.checked()?;
    let project = project::get_by_slug(app, viewer, &request.project).await?;
    let deploy_to = request.deploy_to.as_deref();
    let examined = match Examined::of(app, viewer, request.definition, project.id, deploy_to).await? {
        Ok(examined) => examined,
        Err(problems) => return Ok(Published::Refused { problems }),
    };
    let context = Context::of(app, viewer);
    let id = WorkflowId(app.runtime.clock().new_id());
    let draft = DraftId(app.runtime.clock().new_id());
    let document = examined.document.clone();
    let workflow = Workflow {
        id,
        project_id: project.id,
        project: project.slug.clone(),
        name: request.name,
        title: about.title.clone().filter(|title| !title.is_empty()),
        description: about.description.clone().filter(|description| !description.is_empty()),
        tags: about.tags.clone().unwrap_or_default(),
        folder: about.folder.clone().unwrap_or_default(),
        archived_at: None,
        created_at: context.at,
        updated_at: context.at,
    };
    let draft = draft::first(draft, id, document, json!({}), &viewer.actor(), context.at);
    let target = Target::Named { project, new: Box::new(NewWorkflow { workflow, draft }), about };
    let signer = signature::signer(app, viewer.workspace).await?;
    let placing = placing(app, viewer, request.deploy_to).await?;
    let publication =
        Publication { signer, placing, ..examined.publication(app, viewer, context, target, request.note) };
    match store::publication::save(app.runtime.database(), &publication).await? {
        Saved::Version { workflow, version, created } => {
            done(app, viewer, workflow, *version, created, examined.warnings).await
        }
        Saved::DraftMoved => Err(ServiceError::internal("a publishing without a draft waited for one")),
    }
}

/// Makes a draft's document the next version of its workflow, unless the latest version has it already.
///
/// # Errors
/// When they may not, the draft or the environment is not there, the workflow is archived, or with
/// [`ServiceError::RevisionConflict`] the draft as somebody else left it.
pub async fn publish_draft(app: &App, viewer: &Viewer, request: PublishDraft) -> Result<Published, ServiceError> {
    may_publish(viewer, request.deploy_to.as_deref(), request.note.as_deref())?;
    let draft = draft::expected(app, viewer, request.draft, request.expected).await?;
    let project = get(app, viewer, draft.workflow).await?.project_id;
    let deploy_to = request.deploy_to.as_deref();
    let examined = match Examined::of(app, viewer, draft.document, project, deploy_to).await? {
        Ok(examined) => examined,
        Err(problems) => return Ok(Published::Refused { problems }),
    };
    let context = Context::of(app, viewer);
    let target = Target::Draft { workflow: draft.workflow, draft: draft.id, revision: draft.revision };
    let signer = signature::signer(app, viewer.workspace).await?;
    let placing = placing(app, viewer, request.deploy_to).await?;
    let publication =
        Publication { signer, placing, ..examined.publication(app, viewer, context, target, request.note) };
    match store::publication::save(app.runtime.database(), &publication).await? {
        Saved::Version { workflow, version, created } => {
            done(app, viewer, workflow, *version, created, examined.warnings).await
        }
        Saved::DraftMoved => Err(ServiceError::RevisionConflict(Box::new(draft::get(app, viewer, draft.id).await?))),
    }
}

fn may_publish(viewer: &Viewer, deploy_to: Option<&str>, note: Option<&str>) -> Result<(), ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    if let Some(environment) = deploy_to {
        viewer.require(Permission::WorkflowDeploy)?;
        text::slug("environment", environment)?;
    }
    note.map_or(Ok(()), |note| text::prose("note", note))
}

async fn done(
    app: &App,
    viewer: &Viewer,
    workflow: WorkflowId,
    version: super::Version,
    created: bool,
    warnings: Vec<Problem>,
) -> Result<Published, ServiceError> {
    let workflow = get(app, viewer, workflow).await?;
    tracing::info!(
        workflow.id = %workflow.id, version.id = %version.id, version.number = version.number, created,
        "workflow {} has version {}", workflow.name, version.number
    );
    Ok(Published::Version { workflow: Box::new(workflow), version: Box::new(version), created, warnings })
}

/// Where a version is deployed that is published now.
async fn placing(app: &App, viewer: &Viewer, deploy_to: Option<String>) -> Result<Option<Placing>, ServiceError> {
    let Some(environment) = deploy_to else { return Ok(None) };
    let clock = app.runtime.clock();
    Ok(Some(Placing {
        deployment: DeploymentId(clock.new_id()),
        change: DeploymentChangeId(clock.new_id()),
        environment,
        expected: None,
        by: viewer.actor(),
        url_key: hook::sealing_key(app, viewer.workspace).await?,
    }))
}

/// A document that can be published.
struct Examined {
    document: Value,
    definition: Definition,
    warnings: Vec<Problem>,
}

impl Examined {
    /// Looks at a document. An environment that it is deployed to must have all that it names; until then that may
    /// come, so that what is missing is worth a warning.
    async fn of(
        app: &App,
        viewer: &Viewer,
        document: Value,
        project: ProjectId,
        deploy_to: Option<&str>,
    ) -> Result<Result<Self, Vec<Problem>>, ServiceError> {
        let environment = deploy_to.unwrap_or(DEFAULT_ENVIRONMENT);
        let known = Known::load(app, viewer.workspace, project, environment).await?;
        let mut problems = known.examine(app, &document).problems;
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        if problems.iter().any(is_error) {
            if deploy_to.is_some()
                || known.lacks(app, &document).len() < problems.iter().filter(|one| is_error(one)).count()
            {
                return Ok(Err(problems));
            }
            problems.iter_mut().for_each(|problem| problem.severity = Severity::Warning);
        }
        Ok(match Definition::from_json(&document) {
            Ok(definition) => Ok(Self { document, definition, warnings: problems }),
            Err(problem) => Err(vec![problem]),
        })
    }

    fn publication(
        &self,
        app: &App,
        viewer: &Viewer,
        context: Context,
        target: Target,
        note: Option<String>,
    ) -> Publication {
        let clock = app.runtime.clock();
        Publication {
            context,
            target,
            definition: self.document.clone(),
            hash: canonical::hash(&self.document),
            hashes: Hashes::of(app, &self.definition),
            signer: None,
            note: note.unwrap_or_default(),
            by: viewer.actor(),
            version_id: VersionId(clock.new_id()),
            placing: None,
        }
    }
}

//! Workflows, their versions, and which of them environments run.

use engine::catalog::{Catalog as _, NodeTypeName};
use engine::definition::Definition;
use engine::definition::canonical;
use engine::definition::problem::{Problem, Severity};
use engine::graph;
use engine::id::{DeploymentId, ProjectId, VersionId, WorkflowId};
use engine::time::Timestamp;
use engine::value::Digest;
use serde_json::Value;

use super::audit::Context;
use super::page::{Page, PageRequest, cursor, place};
use super::version::Hashes;
use super::{ServiceError, connection, plan, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// A named thing that has versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its project's slug.
    pub project: String,
    /// Its name, unique in the project.
    pub name: String,
    /// What people call it.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it was first published.
    pub created_at: Timestamp,
    /// When it last got a version or another title.
    pub updated_at: Timestamp,
}

/// One immutable, numbered definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Counts from 1 within the workflow.
    pub number: i32,
    /// The definition's content address.
    pub hash: Digest,
    /// What its author wrote about it.
    pub note: Option<String>,
    /// When it was published.
    pub created_at: Timestamp,
    /// Who published it.
    pub created_by: String,
}

/// Which version an environment runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Where.
    pub environment: String,
    /// Which version.
    pub version: VersionId,
    /// When that was last changed.
    pub updated_at: Timestamp,
}

/// A node that starts runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Its key.
    pub node: String,
    /// Its node type.
    pub node_type: String,
    /// Where a webhook takes requests.
    pub path: Option<String>,
}

/// What to publish, and where.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The project's slug.
    pub project: String,
    /// The workflow's name.
    pub name: String,
    /// What people call it; as it was when absent.
    pub title: Option<String>,
    /// What it is for; as it was when absent.
    pub description: Option<String>,
    /// The document.
    pub definition: Value,
    /// What is new.
    pub note: Option<String>,
    /// The environment that runs it from now on.
    pub deploy_to: Option<String>,
}

/// What came of publishing.
#[derive(Debug)]
pub enum Published {
    /// The definition has problems; nothing was saved.
    Refused {
        /// All of them.
        problems: Vec<Problem>,
    },
    /// It is the latest version.
    Version {
        /// The workflow.
        workflow: Box<Workflow>,
        /// The version.
        version: Box<Version>,
        /// False when it was the latest version already.
        created: bool,
        /// What may not do what its author thinks: warnings.
        problems: Vec<Problem>,
    },
}

/// The workflow of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: WorkflowId) -> Result<Workflow, ServiceError> {
    by_ids(app, viewer, &[id]).await?.pop().ok_or(ServiceError::NotFound { what: "workflow" })
}

/// The workflow of this name.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_by_name(app: &App, viewer: &Viewer, project: &str, name: &str) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::workflow::find_by_name(app.runtime.database(), viewer.workspace, project, name).await?;
    found.ok_or(ServiceError::NotFound { what: "workflow" })
}

/// Those of these workflows that the viewer has, in any order.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn by_ids(app: &App, viewer: &Viewer, ids: &[WorkflowId]) -> Result<Vec<Workflow>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::workflow::by_ids(app.runtime.database(), viewer.workspace, ids).await?)
}

/// Workflows by name.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    project: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Workflow>, ServiceError> {
    viewer.require(Permission::Read)?;
    let after = match &page.after {
        None => None,
        Some(text) => {
            let place = place(LIST, text)?;
            let (id, name) = place.split_once(' ').ok_or_else(wrong_cursor)?;
            Some((name.to_owned(), id.parse().map_err(|_| wrong_cursor())?))
        }
    };
    let limit = u64::from(page.first) + 1;
    let rows = store::workflow::list(app.runtime.database(), viewer.workspace, project, after, limit).await?;
    Ok(Page::of(rows, page.first, |row| cursor(LIST, &format!("{} {}", row.id, row.name))))
}

const LIST: &str = "workflows";
const VERSIONS: &str = "versions";

fn wrong_cursor() -> ServiceError {
    ServiceError::invalid("after", "`after` is not a cursor of this list")
}

/// The version of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_version(app: &App, viewer: &Viewer, id: VersionId) -> Result<Version, ServiceError> {
    versions_by_ids(app, viewer, &[id]).await?.pop().ok_or(ServiceError::NotFound { what: "version" })
}

/// Those of these versions that the viewer has, in any order.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn versions_by_ids(app: &App, viewer: &Viewer, ids: &[VersionId]) -> Result<Vec<Version>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::version::by_ids(app.runtime.database(), viewer.workspace, ids).await?)
}

/// A workflow's versions, the latest first.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn versions(
    app: &App,
    viewer: &Viewer,
    workflow: WorkflowId,
    page: &PageRequest,
) -> Result<Page<Version>, ServiceError> {
    viewer.require(Permission::Read)?;
    let before = match &page.after {
        None => None,
        Some(text) => Some(place(VERSIONS, text)?.parse().map_err(|_| wrong_cursor())?),
    };
    let limit = u64::from(page.first) + 1;
    let rows = store::version::list(app.runtime.database(), viewer.workspace, workflow, before, limit).await?;
    Ok(Page::of(rows, page.first, |row| cursor(VERSIONS, &row.number.to_string())))
}

/// The version with the highest number of each of these workflows.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn latest_versions(app: &App, viewer: &Viewer, of: &[WorkflowId]) -> Result<Vec<Version>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::version::latest(app.runtime.database(), viewer.workspace, of).await?)
}

/// Everything that is deployed of these workflows, by environment.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn deployments(app: &App, viewer: &Viewer, of: &[WorkflowId]) -> Result<Vec<Deployment>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::deployment::of_workflows(app.runtime.database(), viewer.workspace, of).await?)
}

/// A version's document.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn definition(app: &App, viewer: &Viewer, version: &Version) -> Result<Value, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::definition::find(app.runtime.database(), viewer.workspace, &version.hash).await?;
    found.ok_or_else(|| ServiceError::internal(format!("the definition of {} is missing", version.id)))
}

/// The nodes of a version that start runs.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn triggers(
    app: &App,
    viewer: &Viewer,
    workflow: &Workflow,
    version: &Version,
) -> Result<Vec<Trigger>, ServiceError> {
    let plan = plan::get(app, viewer.workspace, &version.hash).await?;
    let workspace = super::workspace::get(app, viewer).await?;
    let path = |key: &str| format!("/hooks/{}/{}/{}/{key}", workspace.slug, workflow.project, workflow.name);
    let triggers = trigger_nodes(app, &plan.definition).map(|(key, r#type)| Trigger {
        node: key.to_owned(),
        node_type: r#type.to_string(),
        path: (r#type.name == WEBHOOK).then(|| path(key)),
    });
    Ok(triggers.collect())
}

/// The environment that a publication is judged by when it is not deployed.
const DEFAULT_ENVIRONMENT: &str = "default";

/// The node type that takes requests from outside.
pub(super) const WEBHOOK: &str = "trigger.webhook";
/// The node type that people and programs start runs by.
pub(super) const MANUAL: &str = "trigger.manual";

/// The trigger nodes of a document with their types.
pub(super) fn trigger_nodes<'a>(
    app: &App,
    definition: &'a Definition,
) -> impl Iterator<Item = (&'a str, NodeTypeName)> {
    let registry = app.runtime.registry();
    definition.nodes.iter().filter_map(move |(key, node)| {
        let name: NodeTypeName = node.r#type.parse().ok()?;
        let descriptor = registry.descriptor(&name)?;
        descriptor.is_trigger().then_some((key.as_str(), name))
    })
}

/// Makes a definition the next version of a workflow, unless the latest version has it already.
///
/// # Errors
/// When they may not, a name cannot be used, or the project is not there.
pub async fn publish(app: &App, viewer: &Viewer, request: Publish) -> Result<Published, ServiceError> {
    viewer.require(Permission::WorkflowPublish)?;
    text::slug("name", &request.name)?;
    if let Some(environment) = &request.deploy_to {
        viewer.require(Permission::WorkflowDeploy)?;
        text::slug("environment", environment)?;
    }
    for (field, prose) in [("title", &request.title), ("description", &request.description), ("note", &request.note)] {
        prose.as_deref().map_or(Ok(()), |prose| text::prose(field, prose))?;
    }
    let definition = match checked(app, &request.definition) {
        Ok(definition) => definition,
        Err(problems) => return Ok(Published::Refused { problems }),
    };
    let database = app.runtime.database();
    let project = store::project::find_by_slug(database, viewer.workspace, &request.project).await?;
    let (project, slug) = project.ok_or(ServiceError::NotFound { what: "project" })?;
    let environment = request.deploy_to.as_deref().unwrap_or(DEFAULT_ENVIRONMENT);
    let mut problems = connection::problems(app, viewer.workspace, project, environment, &definition).await?;
    if request.deploy_to.is_some() && !problems.is_empty() {
        return Ok(Published::Refused { problems });
    }
    // Only what is deployed needs its connections; until then they may come.
    problems.iter_mut().for_each(|problem| problem.severity = Severity::Warning);
    let publication = store::publication::Publication {
        context: Context::of(app, viewer),
        workspace: viewer.workspace,
        project,
        project_slug: slug,
        hash: canonical::hash(&request.definition),
        hashes: Hashes::of(app, &definition),
        now: app.runtime.now(),
        by: viewer.actor(),
        workflow_id: WorkflowId(app.runtime.clock().new_id()),
        version_id: VersionId(app.runtime.clock().new_id()),
        deployment_id: DeploymentId(app.runtime.clock().new_id()),
        request,
    };
    let (workflow, version, created) = store::publication::save(database, &publication).await?;
    tracing::info!(
        workflow.id = %workflow.id, version.id = %version.id, version.number = version.number, created,
        "workflow {} has version {}", workflow.name, version.number
    );
    Ok(Published::Version { workflow: Box::new(workflow), version: Box::new(version), created, problems })
}

fn checked(app: &App, document: &Value) -> Result<Definition, Vec<Problem>> {
    let examined = graph::examine(document, app.runtime.registry());
    if examined.graph.is_none() {
        return Err(examined.problems);
    }
    Definition::from_json(document).map_err(|problem| vec![problem])
}

/// Lets an environment run a version from now on.
///
/// # Errors
/// When they may not, or the version is not there.
pub async fn deploy(
    app: &App,
    viewer: &Viewer,
    version: VersionId,
    environment: &str,
) -> Result<Deployment, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    text::slug("environment", environment)?;
    let version = get_version(app, viewer, version).await?;
    let project = get(app, viewer, version.workflow).await?.project_id;
    let plan = plan::get(app, viewer.workspace, &version.hash).await?;
    connection::require(app, viewer.workspace, project, environment, &plan.definition).await?;
    let deployment = Deployment {
        id: DeploymentId(app.runtime.clock().new_id()),
        workflow: version.workflow,
        environment: environment.to_owned(),
        version: version.id,
        updated_at: app.runtime.now(),
    };
    let (context, by) = (Context::of(app, viewer), viewer.actor());
    Ok(store::deployment::put(app.runtime.database(), viewer.workspace, &deployment, &context, &by).await?)
}

//! Workflows, their versions, and which of them environments run.

use engine::catalog::{Catalog as _, NodeTypeName};
use engine::definition::Definition;
use engine::definition::problem::Problem;
use engine::id::{DeploymentId, ProjectId, VersionId, WorkflowId};
use engine::time::Timestamp;
use engine::value::Digest;
use nodes::webhook::{Proof, WebhookSettings};
use serde_json::Value;

use super::page::{Page, PageRequest};
use super::{ServiceError, plan};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

pub mod change;
mod publish;

pub use publish::{PublishDraft, publish, publish_draft};

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
    /// To find it by; sorted.
    pub tags: Vec<String>,
    /// Where lists show it, such as `billing/eu`; empty at the top.
    pub folder: String,
    /// Since when lists hide it and it cannot be started.
    pub archived_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it, its draft or its versions last changed.
    pub updated_at: Timestamp,
}

/// Which workflows; all that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// In the project of this slug.
    pub project: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// In this folder or one below it.
    pub folder: Option<String>,
    /// With each of these words in name, title or description.
    pub text: Option<String>,
    /// What to do with archived ones.
    pub archived: Archived,
}

/// What a list does with archived things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Archived {
    /// Leaves them out.
    #[default]
    Exclude,
    /// Shows nothing else.
    Only,
    /// Shows them with the others.
    Include,
}

/// The order of a list of workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowOrder {
    /// By name.
    Name {
        /// From the end of the alphabet.
        descending: bool,
    },
    /// By when they were made.
    CreatedAt {
        /// The newest first.
        descending: bool,
    },
    /// By when they last changed.
    UpdatedAt {
        /// The latest first.
        descending: bool,
    },
}

/// Where a workflow stands in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WorkflowPlace {
    /// By name.
    Name(String, WorkflowId),
    /// By one of its times.
    At(Timestamp, WorkflowId),
}

impl WorkflowOrder {
    /// Whether the list begins at the end.
    pub fn is_descending(self) -> bool {
        match self {
            Self::Name { descending } | Self::CreatedAt { descending } | Self::UpdatedAt { descending } => descending,
        }
    }

    /// What cursors of a list in this order are signed as: those of another order mean something else.
    fn list(self) -> &'static str {
        match self {
            Self::Name { .. } => "workflows by name",
            Self::CreatedAt { .. } => "workflows by creation",
            Self::UpdatedAt { .. } => "workflows by change",
        }
    }

    fn place(self, of: &Workflow) -> String {
        match self {
            Self::Name { .. } => format!("{} {}", of.id, of.name),
            Self::CreatedAt { .. } => format!("{} {}", of.id, of.created_at.0),
            Self::UpdatedAt { .. } => format!("{} {}", of.id, of.updated_at.0),
        }
    }

    fn read(self, place: &str) -> Option<WorkflowPlace> {
        let (id, rest) = place.split_once(' ')?;
        let id = id.parse().ok()?;
        Some(match self {
            Self::Name { .. } => WorkflowPlace::Name(rest.to_owned(), id),
            Self::CreatedAt { .. } | Self::UpdatedAt { .. } => WorkflowPlace::At(Timestamp(rest.parse().ok()?), id),
        })
    }
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
    /// Where a webhook takes requests; none where the URL is a secret.
    pub path: Option<String>,
}

/// What to publish, and where.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The project's slug.
    pub project: String,
    /// The workflow's name.
    pub name: String,
    /// What is said about it; what is absent stays as it was.
    pub about: change::About,
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
        /// What may not do what its author thinks.
        warnings: Vec<Problem>,
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
    let found = store::workflow::find_by_name(app.runtime.database(), &viewer.scope(), project, name).await?;
    found.ok_or(ServiceError::NotFound { what: "workflow" })
}

/// Those of these workflows that the viewer has, in any order.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn by_ids(app: &App, viewer: &Viewer, ids: &[WorkflowId]) -> Result<Vec<Workflow>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::workflow::by_ids(app.runtime.database(), &viewer.scope(), ids).await?)
}

/// Workflows in an order.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    filter: &WorkflowFilter,
    order: WorkflowOrder,
    page: &PageRequest,
) -> Result<Page<Workflow>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, order.list(), |place| order.read(place))?;
    let rows = store::workflow::list(app.runtime.database(), &viewer.scope(), filter, order, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(order.list(), &order.place(row))))
}

const VERSIONS: &str = "versions";

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
    Ok(store::version::by_ids(app.runtime.database(), &viewer.scope(), ids).await?)
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
    let window = page.window(&viewer.cursors, VERSIONS, |text| text.parse().ok())?;
    let rows = store::version::list(app.runtime.database(), &viewer.scope(), workflow, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(VERSIONS, &row.number.to_string())))
}

/// The version with the highest number of each of these workflows.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn latest_versions(app: &App, viewer: &Viewer, of: &[WorkflowId]) -> Result<Vec<Version>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::version::latest(app.runtime.database(), &viewer.scope(), of).await?)
}

/// Everything that is deployed of these workflows, by environment.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn deployments(app: &App, viewer: &Viewer, of: &[WorkflowId]) -> Result<Vec<Deployment>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::deployment::of_workflows(app.runtime.database(), &viewer.scope(), of).await?)
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
    let path = |key: &str| {
        let settings = WebhookSettings::read(&plan.definition.nodes.get(key)?.config).ok()?;
        let path = settings.path.unwrap_or_else(|| format!("{}/{key}", workflow.name));
        let path = format!("/hooks/{}/{}/{path}", workspace.slug, workflow.project);
        Some(path).filter(|_| settings.proof != Proof::Url)
    };
    let triggers = trigger_nodes(app, &plan.definition).map(|(key, r#type)| Trigger {
        node: key.to_owned(),
        node_type: r#type.to_string(),
        path: if r#type.name == WEBHOOK { path(key) } else { None },
    });
    Ok(triggers.collect())
}

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

//! Which versions environments run, and which they ran.

use engine::id::{DeploymentChangeId, DeploymentId, VersionId, WorkflowId};
use engine::time::Timestamp;
use runtime::secret::WorkspaceKey;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::surroundings::{self, Known};
use super::workflow::{self, Deployment, get_version};
use super::{ServiceError, hook, signature, text};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// That an environment was given another version, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentChange {
    /// Its id.
    pub id: DeploymentChangeId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Where.
    pub environment: String,
    /// The version from then on.
    pub version: Option<VersionId>,
    /// The version before.
    pub previous: Option<VersionId>,
    /// When.
    pub changed_at: Timestamp,
    /// Who did it.
    pub changed_by: String,
}

/// What to deploy, and where.
#[derive(Debug, Clone)]
pub struct Deploy {
    /// The version.
    pub version: VersionId,
    /// The environment's name.
    pub environment: String,
    /// Go on only when this is what the environment runs.
    pub expected: Option<VersionId>,
}

/// Lets an environment run a version from now on.
///
/// # Errors
/// When they may not, the version or the environment is not there, the workflow is archived, or the environment runs
/// another version than expected.
pub async fn deploy(app: &App, viewer: &Viewer, request: Deploy) -> Result<Deployment, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    text::slug("environment", &request.environment)?;
    let version = get_version(app, viewer, request.version).await?;
    let project = workflow::get(app, viewer, version.workflow).await?.project_id;
    signature::require(app, viewer.workspace, version.id, &version.hash).await?;
    let document = workflow::definition(app, viewer, &version).await?;
    let known = Known::load(app, viewer.workspace, project, &request.environment).await?;
    surroundings::require(&known.lacks(app, &document), &request.environment)?;
    let context = Context::of(app, viewer);
    let placing = Placing {
        deployment: DeploymentId(app.runtime.clock().new_id()),
        change: DeploymentChangeId(app.runtime.clock().new_id()),
        environment: request.environment,
        expected: request.expected,
        by: viewer.actor(),
        url_key: hook::sealing_key(app, viewer.workspace).await?,
    };
    let placed = store::deployment::put(app.runtime.database(), &context, &placing, &version).await?;
    tracing::info!(
        workflow.id = %placed.workflow, version.id = %version.id, environment = placed.environment,
        "version {} of {} is deployed in {}", version.number, placed.workflow, placed.environment
    );
    Ok(placed)
}

/// Where a version is to be deployed, with the ids of the rows that this may make.
pub(crate) struct Placing {
    pub(crate) deployment: DeploymentId,
    pub(crate) change: DeploymentChangeId,
    pub(crate) environment: String,
    pub(crate) expected: Option<VersionId>,
    pub(crate) by: String,
    /// What secret addresses of webhooks are sealed by; `None` without a master key.
    pub(crate) url_key: Option<WorkspaceKey>,
}

/// Lets an environment run nothing of a workflow from now on; runs under way go on.
///
/// # Errors
/// When they may not, the workflow is not there, or nothing of it is deployed there.
pub async fn undeploy(
    app: &App,
    viewer: &Viewer,
    workflow: WorkflowId,
    environment: &str,
) -> Result<DeploymentChange, ServiceError> {
    viewer.require(Permission::WorkflowDeploy)?;
    text::slug("environment", environment)?;
    let change = DeploymentChangeId(app.runtime.clock().new_id());
    let (context, by) = (Context::of(app, viewer), viewer.actor());
    store::deployment::remove(app.runtime.database(), &context, workflow, environment, change, &by).await
}

const HISTORY: &str = "deployment-changes";

/// What was deployed of a workflow over time, the latest first.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn history(
    app: &App,
    viewer: &Viewer,
    workflow: WorkflowId,
    environment: Option<&str>,
    page: &PageRequest,
) -> Result<Page<DeploymentChange>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, HISTORY, |text| text.parse().ok())?;
    let database = app.runtime.database();
    let rows = store::deployment::history(database, &viewer.scope(), workflow, environment, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(HISTORY, &row.id.to_string())))
}

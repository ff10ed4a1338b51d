//! Reads that a list would otherwise make one by one: gathered, and made once a request.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use engine::id::{ProjectId, RunId, VersionId, WorkflowId};
use runtime::database::wall;

use super::GraphqlError;
use crate::app::App;
use crate::auth::Viewer;
use crate::service::ServiceError;
use crate::service::notification::{self, Notification};
use crate::service::project::{self, Environment, Project};
use crate::service::run::{self, Run};
use crate::service::workflow::{self, Deployment, Version, Workflow};

/// Reads for one viewer.
pub(super) struct Reads {
    app: Arc<App>,
    viewer: Viewer,
}

/// A fresh set for one request; nothing is remembered between requests.
pub(super) fn loaders(app: Arc<App>, viewer: Viewer) -> DataLoader<Reads, HashMapCache> {
    let (tasks, workspace) = (app.tasks.clone(), viewer.workspace);
    // A task of its own does not know for whom it works.
    let spawn = move |task| tasks.spawn(wall::of(workspace, task));
    DataLoader::with_cache(Reads { app, viewer }, spawn, HashMapCache::default())
}

/// The version with the highest number of this workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LatestOf(pub(super) WorkflowId);

/// Everything that is deployed of this workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct DeployedOf(pub(super) WorkflowId);

impl Loader<RunId> for Reads {
    type Value = Run;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[RunId]) -> Result<HashMap<RunId, Run>, Self::Error> {
        let found = run::by_ids(&self.app, &self.viewer, keys).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|run| (run.id, run)).collect())
    }
}

/// The environments of this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EnvironmentsOf(pub(super) ProjectId);

impl Loader<ProjectId> for Reads {
    type Value = Project;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[ProjectId]) -> Result<HashMap<ProjectId, Project>, Self::Error> {
        let found = project::by_ids(&self.app, &self.viewer, keys).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|project| (project.id, project)).collect())
    }
}

impl Loader<EnvironmentsOf> for Reads {
    type Value = Vec<Environment>;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[EnvironmentsOf]) -> Result<HashMap<EnvironmentsOf, Vec<Environment>>, Self::Error> {
        let ids: Vec<ProjectId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<EnvironmentsOf, Vec<Environment>> = HashMap::new();
        for environment in project::environments(&self.app, &self.viewer, &ids).await.map_err(Arc::new)? {
            found.entry(EnvironmentsOf(environment.project)).or_default().push(environment);
        }
        Ok(found)
    }
}

impl Loader<WorkflowId> for Reads {
    type Value = Workflow;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[WorkflowId]) -> Result<HashMap<WorkflowId, Workflow>, Self::Error> {
        let found = workflow::by_ids(&self.app, &self.viewer, keys).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|workflow| (workflow.id, workflow)).collect())
    }
}

impl Loader<VersionId> for Reads {
    type Value = Version;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[VersionId]) -> Result<HashMap<VersionId, Version>, Self::Error> {
        let found = workflow::versions_by_ids(&self.app, &self.viewer, keys).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|version| (version.id, version)).collect())
    }
}

impl Loader<LatestOf> for Reads {
    type Value = Version;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[LatestOf]) -> Result<HashMap<LatestOf, Version>, Self::Error> {
        let ids: Vec<WorkflowId> = keys.iter().map(|key| key.0).collect();
        let found = workflow::latest_versions(&self.app, &self.viewer, &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|version| (LatestOf(version.workflow), version)).collect())
    }
}

impl Loader<DeployedOf> for Reads {
    type Value = Vec<Deployment>;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[DeployedOf]) -> Result<HashMap<DeployedOf, Vec<Deployment>>, Self::Error> {
        let ids: Vec<WorkflowId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<DeployedOf, Vec<Deployment>> = HashMap::new();
        for deployment in workflow::deployments(&self.app, &self.viewer, &ids).await.map_err(Arc::new)? {
            found.entry(DeployedOf(deployment.workflow)).or_default().push(deployment);
        }
        Ok(found)
    }
}

/// Whom this run tells that it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallbackOf(pub(super) RunId);

impl Loader<CallbackOf> for Reads {
    type Value = Notification;
    type Error = Arc<ServiceError>;

    async fn load(&self, keys: &[CallbackOf]) -> Result<HashMap<CallbackOf, Notification>, Self::Error> {
        let ids: Vec<RunId> = keys.iter().map(|key| key.0).collect();
        let found = notification::of_runs(&self.app, &self.viewer, &ids).await.map_err(Arc::new)?;
        Ok(found.into_iter().filter_map(|one| Some((CallbackOf(one.run?), one))).collect())
    }
}

impl From<Arc<ServiceError>> for GraphqlError {
    /// Several fields share one failed read; each tells of it.
    fn from(shared: Arc<ServiceError>) -> Self {
        Self(match shared.as_ref() {
            ServiceError::Unavailable { message } => ServiceError::Unavailable { message: message.clone() },
            _ => ServiceError::internal(shared),
        })
    }
}

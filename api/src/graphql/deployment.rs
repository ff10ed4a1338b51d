//! What environments run, and what they ran.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use super::version::VersionObject;
use crate::service::ServiceError;
use crate::service::deployment::{self, Deploy, DeploymentChange};
use crate::service::workflow::Deployment;

/// Which version an environment runs.
pub struct DeploymentObject(pub(super) Deployment);

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

/// That an environment was given another version, or none.
pub struct DeploymentChangeObject(pub(super) DeploymentChange);

/// That an environment was given another version, or none.
#[Object(name = "DeploymentChange")]
impl DeploymentChangeObject {
    /// The id, `dch_…`.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The environment.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The version from then on; null when the workflow was undeployed.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        let Some(version) = self.0.version else { return Ok(None) };
        Ok(ctx.reads()?.load_one(version).await?.map(VersionObject))
    }

    /// The version before; null when there was none.
    async fn previous_version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        let Some(version) = self.0.previous else { return Ok(None) };
        Ok(ctx.reads()?.load_one(version).await?.map(VersionObject))
    }

    /// When.
    async fn changed_at(&self) -> DateTime<Utc> {
        time(self.0.changed_at)
    }

    /// Who did it: the id of an API key.
    async fn changed_by(&self) -> &str {
        &self.0.changed_by
    }
}

/// Which version an environment runs from now on. Rolling back is deploying an older version; promoting is deploying
/// the version of one environment to another.
#[derive(InputObject)]
pub struct DeployVersionInput {
    /// The version.
    version_id: ID,
    /// The environment's name.
    #[graphql(default = "default")]
    environment: String,
    /// Go on only when the environment runs this version; CONFLICT otherwise.
    expected_version_id: Option<ID>,
}

/// What came of deploying.
#[derive(SimpleObject)]
pub struct DeployVersionPayload {
    /// The environment with its version.
    deployment: Option<DeploymentObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What to undeploy.
#[derive(InputObject)]
pub struct UndeployWorkflowInput {
    /// The workflow.
    workflow_id: ID,
    /// The environment's name.
    #[graphql(default = "default")]
    environment: String,
}

/// What came of undeploying.
#[derive(SimpleObject)]
pub struct UndeployWorkflowPayload {
    /// The change as the history keeps it.
    change: Option<DeploymentChangeObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Deploying.
#[derive(Default)]
pub struct DeploymentMutation;

#[Object]
impl DeploymentMutation {
    /// Lets an environment run a version from now on; runs under way keep theirs.
    async fn deploy_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version and the environment.")] input: DeployVersionInput,
    ) -> Result<DeployVersionPayload> {
        let expected = input.expected_version_id.as_ref().map(|expected| id(expected, "version")).transpose();
        let answer = match (id(&input.version_id, "version"), expected) {
            (Ok(version), Ok(expected)) => {
                let request = Deploy { version, environment: input.environment, expected };
                deployment::deploy(ctx.app()?, ctx.viewer()?, request).await
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        let (deployment, user_errors) = settle(answer)?;
        Ok(DeployVersionPayload { deployment: deployment.map(DeploymentObject), user_errors })
    }

    /// Lets an environment run nothing of a workflow from now on; runs under way go on.
    async fn undeploy_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow and the environment.")] input: UndeployWorkflowInput,
    ) -> Result<UndeployWorkflowPayload> {
        let answer = match id(&input.workflow_id, "workflow") {
            Ok(workflow) => deployment::undeploy(ctx.app()?, ctx.viewer()?, workflow, &input.environment).await,
            Err(error) => Err(error),
        };
        let (change, user_errors) = settle(answer)?;
        Ok(UndeployWorkflowPayload { change: change.map(DeploymentChangeObject), user_errors })
    }
}

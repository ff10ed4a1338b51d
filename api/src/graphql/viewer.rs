//! Who asks, and where.

use async_graphql::{ComplexObject, Context, Enum, ID, Object, SimpleObject};

use super::Result;
use super::member::limit;
use super::project::ProjectObject;
use super::quota::{QuotaObject, UsageObject};
use super::request::Asked as _;
use crate::auth;
use crate::service::workspace::{self, Workspace};
use crate::service::{ServiceError, egress, quota};

/// The roles that every workspace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Role", remote = "auth::Role")]
pub enum RoleName {
    /// Everything, also to appoint other owners.
    Owner,
    /// Everything in the workspace, but no say over its owners.
    Admin,
    /// Workflows and runs, but no people and no keys.
    Editor,
    /// Runs, but not what they are made of.
    Operator,
    /// Looks, and answers runs that wait for a person.
    Approver,
    /// Looks only.
    Viewer,
}

/// Who asks: the person or program that the credential speaks for.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Viewer {
    /// The id of the person, the service account or the API key, as `createdBy` and the audit name it.
    id: ID,
    /// The name of the person, the service account or the API key.
    name: String,
    /// The mightiest built-in role that may do no more than they may; `VIEWER` also for a guest, who may do nothing.
    role: RoleName,
    /// What their role is called, also when the workspace made it for itself; `guest` for a person who is in no workspace
    /// and signed in to accept an invitation.
    role_name: String,
    /// The words of all that they may do, such as `workflow:edit`. More words may come.
    permissions: Vec<&'static str>,
}

/// Who asks: the person or program that the credential speaks for.
#[ComplexObject]
impl Viewer {
    /// The only projects that they see; null for all of the workspace. What belongs to others is not there for them.
    #[graphql(complexity = "2 + child_complexity")]
    async fn projects(&self, ctx: &Context<'_>) -> Result<Option<Vec<ProjectObject>>> {
        limit(ctx, &ctx.viewer()?.projects).await
    }

    /// The tenant that everything belongs to that they can see. Null for a guest, who is in none.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Option<WorkspaceObject>> {
        match workspace::get(ctx.app()?, ctx.viewer()?).await {
            Ok(workspace) => Ok(Some(WorkspaceObject(workspace))),
            Err(ServiceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A tenant: owns projects, keys and limits.
pub struct WorkspaceObject(pub(super) Workspace);

/// A tenant: owns projects, keys and limits.
#[Object(name = "Workspace")]
impl WorkspaceObject {
    /// The id, `ws_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name in URLs.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it may use.
    async fn quota(&self, ctx: &Context<'_>) -> Result<QuotaObject> {
        Ok(quota::get(ctx.app()?, ctx.viewer()?).await?.into())
    }

    /// The hosts that its nodes may call, of those that the operator lets anybody call; null for all of them.
    async fn allowed_hosts(&self, ctx: &Context<'_>) -> Result<Option<Vec<String>>> {
        Ok(egress::get(ctx.app()?, ctx.viewer()?).await?)
    }

    /// What it uses now.
    #[graphql(complexity = "10 + child_complexity")]
    async fn usage(&self, ctx: &Context<'_>) -> Result<UsageObject> {
        Ok(quota::usage(ctx.app()?, ctx.viewer()?).await?.into())
    }
}

/// Who asks.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who asks.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        let viewer = ctx.viewer()?;
        Ok(Viewer {
            id: viewer.actor().into(),
            name: viewer.name.clone(),
            role: viewer.permissions.nearest().into(),
            role_name: viewer.role.clone(),
            permissions: viewer.permissions.iter().map(auth::Permission::as_str).collect(),
        })
    }
}

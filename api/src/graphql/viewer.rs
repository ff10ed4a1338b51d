//! Who asks, and where.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::Result;
use super::quota::{QuotaObject, UsageObject};
use super::request::Asked as _;
use crate::auth;
use crate::service::workspace::{self, Workspace};
use crate::service::{egress, quota};

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "Role", remote = "auth::Role")]
pub enum RoleName {
    /// Everything.
    Admin,
    /// Workflows and runs, but no keys.
    Editor,
    /// Runs, but not what they are made of.
    Operator,
    /// Looks only.
    Viewer,
}

/// Who asks: the API key that was shown.
#[derive(SimpleObject)]
pub struct Viewer {
    /// The tenant that everything belongs to that this key can see.
    workspace: WorkspaceObject,
    /// The key's name.
    name: String,
    /// What the key may do.
    role: RoleName,
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
        let workspace = workspace::get(ctx.app()?, viewer).await?;
        Ok(Viewer { workspace: WorkspaceObject(workspace), name: viewer.name.clone(), role: viewer.role.into() })
    }
}

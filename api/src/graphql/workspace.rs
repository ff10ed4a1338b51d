//! Workspaces: which there are for the viewer, and making and renaming them.

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::Result;
use super::request::Asked as _;
use super::user_error::{UserError, settle};
use super::viewer::WorkspaceObject;
use crate::service::workspace;

/// Reading workspaces.
#[derive(Default)]
pub struct WorkspaceQuery;

#[Object]
impl WorkspaceQuery {
    /// The workspaces that the viewer is in, those first that they have been in the longest; none for a guest, and of a
    /// program the one that its key opens. Only id, slug and name can be read of the others.
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<WorkspaceName>> {
        let mine = workspace::mine(ctx.app()?, ctx.viewer()?).await?;
        Ok(mine.into_iter().map(|found| WorkspaceName::of(&found)).collect())
    }
}

/// A workspace to choose.
#[derive(SimpleObject)]
pub struct WorkspaceName {
    /// The id, `ws_…`; a request names it by the header `X-FlowForge-Workspace`, a session by `chooseWorkspace`.
    id: async_graphql::ID,
    /// The name in URLs.
    slug: String,
    /// The name for people.
    name: String,
}

impl WorkspaceName {
    fn of(workspace: &workspace::Workspace) -> Self {
        let workspace::Workspace { id, slug, name } = workspace;
        Self { id: id.to_string().into(), slug: slug.clone(), name: name.clone() }
    }
}

/// A workspace to make.
#[derive(InputObject)]
pub struct CreateWorkspaceInput {
    /// The name in URLs: lower-case letters, digits, `-` and `_`, up to 63, unique in the installation.
    slug: String,
    /// The name for people; the slug when absent.
    name: Option<String>,
}

/// Another name for the workspace.
#[derive(InputObject)]
pub struct UpdateWorkspaceInput {
    /// The name for people.
    name: String,
}

/// A workspace to go to.
#[derive(InputObject)]
pub struct ChooseWorkspaceInput {
    /// Its id or slug; one of `workspaces`.
    workspace: String,
}

/// What came of going to a workspace.
#[derive(SimpleObject)]
pub struct ChooseWorkspacePayload {
    /// The workspace that the session is in now.
    workspace: Option<WorkspaceName>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of making a workspace.
#[derive(SimpleObject)]
pub struct CreateWorkspacePayload {
    /// The workspace. The viewer is its owner.
    workspace: Option<WorkspaceName>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of renaming a workspace.
#[derive(SimpleObject)]
pub struct UpdateWorkspacePayload {
    /// The workspace as it is now.
    workspace: Option<WorkspaceObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Making and renaming workspaces.
#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Makes a workspace with the project `default`; the viewer, who must be a person, is its owner. For owners.
    async fn create_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] input: CreateWorkspaceInput,
    ) -> Result<CreateWorkspacePayload> {
        let made = workspace::create(ctx.app()?, ctx.viewer()?, &input.slug, input.name.as_deref()).await;
        let (made, user_errors) = settle(made)?;
        Ok(CreateWorkspacePayload { workspace: made.as_ref().map(WorkspaceName::of), user_errors })
    }

    /// Goes to another workspace of the viewer for as long as their session in the browser lasts, also in other tabs; what
    /// is open asks again. A request that names a workspace by the header `X-FlowForge-Workspace` is in that one all the
    /// same. Takes no permission.
    async fn choose_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to.")] input: ChooseWorkspaceInput,
    ) -> Result<ChooseWorkspacePayload> {
        let chosen = workspace::choose(ctx.app()?, ctx.viewer()?, &input.workspace).await;
        let (chosen, user_errors) = settle(chosen)?;
        Ok(ChooseWorkspacePayload { workspace: chosen.as_ref().map(WorkspaceName::of), user_errors })
    }

    /// Gives the viewer's workspace another name.
    async fn update_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name.")] input: UpdateWorkspaceInput,
    ) -> Result<UpdateWorkspacePayload> {
        let (workspace, user_errors) = settle(workspace::rename(ctx.app()?, ctx.viewer()?, &input.name).await)?;
        Ok(UpdateWorkspacePayload { workspace: workspace.map(WorkspaceObject), user_errors })
    }
}

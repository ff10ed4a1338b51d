//! Roles, and what they may allow.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::Result;
use super::request::{Asked as _, id};
use super::user_error::{UserError, settle};
use crate::auth::{Permission, Role};
use crate::service::ServiceError;
use crate::service::role::{self, CustomRole};

/// A role: a named set of permissions.
#[derive(SimpleObject)]
#[graphql(name = "WorkspaceRole")]
pub struct RoleObject {
    /// What inputs call it: the word of a built-in role, or the id `rol_…` of one that the workspace made.
    key: String,
    /// What people call it.
    name: String,
    /// Whether every workspace has it.
    is_built_in: bool,
    /// The words of what it allows.
    permissions: Vec<&'static str>,
    /// Whether the viewer has all of that, and can give it to others.
    viewer_can_grant: bool,
}

impl RoleObject {
    fn of(ctx: &Context<'_>, role: &CustomRole) -> Result<Self> {
        let viewer = ctx.viewer()?;
        Ok(Self {
            key: role.id.to_string(),
            name: role.name.clone(),
            is_built_in: false,
            permissions: role.permissions.iter().map(Permission::as_str).collect(),
            viewer_can_grant: viewer.permissions.contains(role.permissions),
        })
    }
}

/// One thing that roles may allow.
#[derive(SimpleObject)]
#[graphql(name = "Permission")]
pub struct PermissionObject {
    /// Its word, such as `run:start`.
    key: &'static str,
    /// What it allows.
    description: &'static str,
}

/// Reading which roles there are.
#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The roles that can be given here: the built-in ones, the mightiest first, then those that the workspace made.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<RoleObject>> {
        let viewer = ctx.viewer()?;
        let custom = role::list(ctx.app()?, viewer).await?;
        let mut roles: Vec<RoleObject> = Role::ALL
            .iter()
            .map(|role| RoleObject {
                key: role.as_str().to_owned(),
                name: role.as_str().to_owned(),
                is_built_in: true,
                permissions: role.permissions().iter().map(Permission::as_str).collect(),
                viewer_can_grant: viewer.permissions.contains(role.permissions()),
            })
            .collect();
        for role in &custom {
            roles.push(RoleObject::of(ctx, role)?);
        }
        Ok(roles)
    }

    /// All that roles may allow, in the order of the table.
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<PermissionObject>> {
        ctx.viewer()?.require(Permission::Read)?;
        let shown =
            |permission: &Permission| PermissionObject { key: permission.as_str(), description: permission.about() };
        Ok(Permission::ALL.iter().map(shown).collect())
    }
}

/// A role to make.
#[derive(InputObject)]
pub struct CreateRoleInput {
    /// What people call it, unique in the workspace.
    name: String,
    /// The words of what it allows, `read` among them; nothing that the asker may not.
    permissions: Vec<String>,
}

/// A role as it should be.
#[derive(InputObject)]
pub struct UpdateRoleInput {
    /// The role.
    role_id: ID,
    /// What people call it from now on.
    name: String,
    /// The words of all that it allows from now on.
    permissions: Vec<String>,
}

/// A role to delete.
#[derive(InputObject)]
pub struct DeleteRoleInput {
    /// The role.
    role_id: ID,
}

/// What came of making or changing a role.
#[derive(SimpleObject)]
pub struct RolePayload {
    /// The role as it is now.
    role: Option<RoleObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl RolePayload {
    fn settle(ctx: &Context<'_>, answer: std::result::Result<CustomRole, ServiceError>) -> Result<Self> {
        let (role, user_errors) = settle(answer)?;
        let role = role.map(|role| RoleObject::of(ctx, &role)).transpose()?;
        Ok(Self { role, user_errors })
    }
}

/// What came of deleting a role.
#[derive(SimpleObject)]
pub struct DeleteRolePayload {
    /// The id of what is gone.
    deleted_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Changing which roles there are. Nobody gives away more than they have.
#[derive(Default)]
pub struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Makes a role.
    async fn create_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: CreateRoleInput,
    ) -> Result<RolePayload> {
        let made = role::create(ctx.app()?, ctx.viewer()?, &input.name, &input.permissions).await;
        RolePayload::settle(ctx, made)
    }

    /// Gives a role another name and other permissions; whoever has it may do that at once.
    async fn update_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role as it should be.")] input: UpdateRoleInput,
    ) -> Result<RolePayload> {
        let answer = match id(&input.role_id, "role") {
            Ok(id) => role::update(ctx.app()?, ctx.viewer()?, id, &input.name, &input.permissions).await,
            Err(error) => Err(error),
        };
        RolePayload::settle(ctx, answer)
    }

    /// Deletes a role that nobody has.
    async fn delete_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload> {
        let (deleted, user_errors) = settle(match id(&input.role_id, "role") {
            Ok(id) => role::delete(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        })?;
        Ok(DeleteRolePayload { deleted_id: deleted.map(|id| id.to_string().into()), user_errors })
    }
}

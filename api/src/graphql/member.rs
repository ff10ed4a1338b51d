//! People of a workspace, their roles, and invitations.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::key::duration;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::auth::{Permission, Role};
use crate::service::ServiceError;
use crate::service::invitation::{self, Invitation};
use crate::service::member::{self, Member, Source};
use crate::service::role::{self, CustomRole};
use crate::service::user::User;

/// Who says that a person belongs to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MemberSource {
    /// Somebody in the workspace.
    Local,
    /// The provider that they sign in by, each time anew.
    Provider,
}

/// A person.
pub struct UserObject(User);

/// A person.
#[Object(name = "User")]
impl UserObject {
    /// The id, `usr_…`, as `createdBy` and the audit name them.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Their name for other people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where to write to them, as their provider says.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// When they last signed in.
    async fn last_seen_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_seen_at.map(time)
    }

    /// From when nothing opens for them.
    async fn disabled_at(&self) -> Option<DateTime<Utc>> {
        self.0.disabled_at.map(time)
    }
}

/// That a person belongs to the workspace.
pub struct MemberObject(pub(super) (Member, User));

/// That a person belongs to the workspace.
#[Object(name = "Member")]
impl MemberObject {
    /// The id, `mbr_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.0.id.to_string().into()
    }

    /// The person.
    async fn user(&self) -> UserObject {
        UserObject(self.0.1.clone())
    }

    /// What they may do: the word of a built-in role, or the id of one that the workspace made.
    async fn role(&self) -> String {
        self.0.0.role.to_string()
    }

    /// What that role is called.
    #[graphql(complexity = 2)]
    async fn role_name(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(member::role_of(ctx.app()?, ctx.viewer()?, &self.0.0).await?.0)
    }

    /// The words of all that they may do: their effective access.
    #[graphql(complexity = 2)]
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<&'static str>> {
        let (_, permissions) = member::role_of(ctx.app()?, ctx.viewer()?, &self.0.0).await?;
        Ok(permissions.iter().map(Permission::as_str).collect())
    }

    /// Who says so.
    async fn source(&self) -> MemberSource {
        match self.0.0.source {
            Source::Local => MemberSource::Local,
            Source::Provider => MemberSource::Provider,
        }
    }

    /// Who let them in: the id of a person, a key or a service account, or `command`.
    async fn created_by(&self) -> &str {
        &self.0.0.created_by
    }

    /// Since when.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.0.created_at)
    }

    /// Whether the viewer can give them another role, or remove them. The last owner stays all the same.
    #[graphql(complexity = 2)]
    async fn viewer_can_change(&self, ctx: &Context<'_>) -> Result<bool> {
        let viewer = ctx.viewer()?;
        let (_, permissions) = member::role_of(ctx.app()?, viewer, &self.0.0).await?;
        Ok(viewer.may(Permission::MemberManage) && viewer.permissions.contains(permissions))
    }
}

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

/// An offer to become a member.
pub struct InvitationObject(pub(super) Invitation);

/// An offer to become a member.
#[Object(name = "Invitation")]
impl InvitationObject {
    /// The id, `inv_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The address that whoever accepts it must have; null for anybody who has the token.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// What the member may do.
    async fn role(&self) -> String {
        self.0.role.to_string()
    }

    /// Who made it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// From when it makes nobody a member.
    async fn expires_at(&self) -> DateTime<Utc> {
        time(self.0.expires_at)
    }

    /// Who became a member by it.
    async fn accepted_by(&self) -> Option<ID> {
        self.0.accepted.map(|(user, _)| user.to_string().into())
    }

    /// When.
    async fn accepted_at(&self) -> Option<DateTime<Utc>> {
        self.0.accepted.map(|(_, at)| time(at))
    }

    /// When somebody took it back.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at.map(time)
    }
}

/// Reading who is here.
#[derive(Default)]
pub struct MemberQuery;

#[Object]
impl MemberQuery {
    /// The workspace's members, those first who have been here the longest.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<MemberObject>> {
        let page = window(first, after, last, before)?;
        Ok(connection(member::list(ctx.app()?, ctx.viewer()?, &page).await?, MemberObject))
    }

    /// The workspace's invitations, the latest first, whatever became of them.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<InvitationObject>> {
        let page = window(first, after, last, before)?;
        Ok(connection(invitation::list(ctx.app()?, ctx.viewer()?, &page).await?, InvitationObject))
    }

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

/// Another role for a member.
#[derive(InputObject)]
pub struct UpdateMemberInput {
    /// The member.
    member_id: ID,
    /// The word of a built-in role, or the id of one that the workspace made; nothing that the asker may not.
    role: String,
}

/// A member to remove.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// The member.
    member_id: ID,
}

/// Somebody to invite.
#[derive(InputObject)]
pub struct InviteMemberInput {
    /// The address that whoever accepts must have at their provider; absent for anybody who has the token.
    email: Option<String>,
    /// The word of a built-in role, or the id of one that the workspace made; nothing that the asker may not.
    role: String,
    /// How long the invitation waits, such as `48h`; at most 30 days.
    #[graphql(default = "168h")]
    expires_in: String,
}

/// An invitation to take back.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// The invitation.
    invitation_id: ID,
}

/// An invitation to accept.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// The token that came with it.
    token: String,
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

/// What came of changing a member, or of becoming one.
#[derive(SimpleObject)]
pub struct MemberPayload {
    /// The member as it is now.
    member: Option<MemberObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of removing a member.
#[derive(SimpleObject)]
pub struct RemoveMemberPayload {
    /// The id of who is no member any more.
    removed_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of inviting somebody.
#[derive(SimpleObject)]
pub struct InviteMemberPayload {
    /// The invitation.
    invitation: Option<InvitationObject>,
    /// What whoever accepts it must show. This is the only time that it is told.
    token: Option<String>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of taking an invitation back.
#[derive(SimpleObject)]
pub struct RevokeInvitationPayload {
    /// The invitation as it is now.
    invitation: Option<InvitationObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of accepting an invitation.
#[derive(SimpleObject)]
pub struct AcceptInvitationPayload {
    /// The workspace that the viewer is a member of now.
    workspace_id: Option<ID>,
    /// What to mend.
    user_errors: Vec<UserError>,
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

/// Changing who is here, and as what. Nobody gives away, or takes from others, more than they have.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Gives a member another role. The last owner stays one.
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member and their role.")] input: UpdateMemberInput,
    ) -> Result<MemberPayload> {
        let (member, user_errors) = settle(match id(&input.member_id, "member") {
            Ok(id) => member::set_role(ctx.app()?, ctx.viewer()?, id, &input.role).await,
            Err(error) => Err(error),
        })?;
        Ok(MemberPayload { member: member.map(MemberObject), user_errors })
    }

    /// Removes a member; what they have open here ends. The last owner stays.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let (removed, user_errors) = settle(match id(&input.member_id, "member") {
            Ok(id) => member::remove(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        })?;
        Ok(RemoveMemberPayload { removed_id: removed.map(|id| id.to_string().into()), user_errors })
    }

    /// Makes a token that makes whoever accepts it a member, once.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload> {
        let made = match duration("expiresIn", &input.expires_in) {
            Ok(lives) => invitation::create(ctx.app()?, ctx.viewer()?, input.email, &input.role, lives).await,
            Err(error) => Err(error),
        };
        let (made, user_errors) = settle(made)?;
        let (invitation, token) = made.map(|(made, token)| (InvitationObject(made), token)).unzip();
        Ok(InviteMemberPayload { invitation, token, user_errors })
    }

    /// Takes an invitation back that nobody has accepted.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let (invitation, user_errors) = settle(match id(&input.invitation_id, "invitation") {
            Ok(id) => invitation::revoke(ctx.app()?, ctx.viewer()?, id).await,
            Err(error) => Err(error),
        })?;
        Ok(RevokeInvitationPayload { invitation: invitation.map(InvitationObject), user_errors })
    }

    /// Makes the viewer a member of the workspace that the token is of. Takes no permission but the token.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let (member, user_errors) = settle(invitation::accept(ctx.app()?, ctx.viewer()?, &input.token).await)?;
        let workspace_id = member.map(|member| member.workspace.to_string().into());
        Ok(AcceptInvitationPayload { workspace_id, user_errors })
    }

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

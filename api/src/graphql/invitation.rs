//! Invitations.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::key::duration;
use super::member::limit;
use super::page::{Relay, connection, cost, window};
use super::project::ProjectObject;
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::service::invitation::{self, Invitation};

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

    /// The only projects that the member sees; null for all of the workspace.
    #[graphql(complexity = "2 + child_complexity")]
    async fn projects(&self, ctx: &Context<'_>) -> Result<Option<Vec<ProjectObject>>> {
        limit(ctx, &self.0.projects).await
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

/// Reading who is invited.
#[derive(Default)]
pub struct InvitationQuery;

#[Object]
impl InvitationQuery {
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
}

/// Somebody to invite.
#[derive(InputObject)]
pub struct InviteMemberInput {
    /// The address that whoever accepts must have at their provider; absent for anybody who has the token.
    email: Option<String>,
    /// The word of a built-in role, or the id of one that the workspace made; nothing that the asker may not.
    role: String,
    /// The slugs of the only projects that the member sees; all that the asker sees when absent.
    projects: Option<Vec<String>>,
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

/// Inviting people, and becoming a member.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Makes a token that makes whoever accepts it a member, once.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload> {
        let made = match duration("expiresIn", &input.expires_in) {
            Ok(lives) => {
                let projects = input.projects.as_deref();
                invitation::create(ctx.app()?, ctx.viewer()?, input.email, &input.role, projects, lives).await
            }
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

    /// Makes the viewer a member of the workspace that the token is of. Takes no permission but the token: also a guest
    /// can, a person who is in no workspace and signed in by `/auth/sign-in?return_to=/invitation`.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let (member, user_errors) = settle(invitation::accept(ctx.app()?, ctx.viewer()?, &input.token).await)?;
        let workspace_id = member.map(|member| member.workspace.to_string().into());
        Ok(AcceptInvitationPayload { workspace_id, user_errors })
    }
}

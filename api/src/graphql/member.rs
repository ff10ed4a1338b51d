//! People of a workspace.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::auth::Permission;
use crate::service::member::{self, Member, Source};
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

/// What came of changing a member.
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
}

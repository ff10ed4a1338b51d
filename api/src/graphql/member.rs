//! People of a workspace.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::project::ProjectObject;
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use crate::auth::{Permission, ProjectLimit};
use crate::service::member::{self, Member, MemberChange, Source};
use crate::service::project;
use crate::service::user::User;

/// The projects of a limit, as far as the viewer sees them; none for all of the workspace.
pub(super) async fn limit(ctx: &Context<'_>, projects: &ProjectLimit) -> Result<Option<Vec<ProjectObject>>> {
    let Some(projects) = projects else { return Ok(None) };
    let mut found = project::by_ids(ctx.app()?, ctx.viewer()?, projects).await?;
    found.sort_by(|a, b| a.slug.cmp(&b.slug));
    Ok(Some(found.into_iter().map(ProjectObject).collect()))
}

/// What an input says of a limit: nothing, all projects, or these.
pub(super) fn maybe(projects: MaybeUndefined<Vec<String>>) -> Option<Option<Vec<String>>> {
    match projects {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(slugs) => Some(Some(slugs)),
    }
}

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

    /// The only projects that they see; null for all of the workspace.
    #[graphql(complexity = "2 + child_complexity")]
    async fn projects(&self, ctx: &Context<'_>) -> Result<Option<Vec<ProjectObject>>> {
        limit(ctx, &self.0.0.projects).await
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

/// What is to be others of a member.
#[derive(InputObject)]
pub struct UpdateMemberInput {
    /// The member.
    member_id: ID,
    /// The word of a built-in role, or the id of one that the workspace made; nothing that the asker may not. As before when
    /// absent.
    role: Option<String>,
    /// The slugs of the only projects that they see from now on; null for all, as before when absent.
    projects: MaybeUndefined<Vec<String>>,
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
    /// Gives a member another role, or other projects to see. The last owner of all projects stays one.
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member, and what is to be others of them.")] input: UpdateMemberInput,
    ) -> Result<MemberPayload> {
        let (member, user_errors) = settle(match id(&input.member_id, "member") {
            Ok(id) => {
                let wanted = MemberChange { role: input.role, projects: maybe(input.projects) };
                member::update(ctx.app()?, ctx.viewer()?, id, wanted).await
            }
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

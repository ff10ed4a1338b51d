//! People in workspaces: what a person may do here, and which workspace they mean.

use engine::id::{MemberId, UserId, WorkspaceId};
use engine::time::Timestamp;
use runtime::database::wall;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::user::User;
use super::workspace::Workspace;
use super::{ServiceError, project, role};
use crate::app::App;
use crate::auth::cursor::CursorKey;
use crate::auth::{NOWHERE, Permission, Permissions, Principal, ProjectLimit, Role, RoleRef, Viewer};
use crate::store;

/// Who says that a person belongs to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Somebody in the workspace.
    Local,
    /// The provider that they sign in by, each time anew.
    Provider,
}

/// That a person belongs to a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The person.
    pub user: UserId,
    /// What they may do.
    pub role: RoleRef,
    /// Which projects they see.
    pub projects: ProjectLimit,
    /// Who says so.
    pub source: Source,
    /// Who let them in.
    pub created_by: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// What this person is in this workspace. Whoever finds out who asks, by whatever sign-in, goes through here.
///
/// # Errors
/// `Unauthenticated` for somebody unknown or disabled; `NotFound` when they are no member.
pub async fn viewer_of(app: &App, user: UserId, workspace: WorkspaceId) -> Result<Viewer, ServiceError> {
    let database = app.runtime.database();
    let found = store::user::find(database, user).await?.filter(|user| user.disabled_at.is_none());
    let user = found.ok_or(ServiceError::Unauthenticated)?;
    viewer(app, &user, workspace).await?.ok_or(ServiceError::NotFound { what: "workspace" })
}

/// What this person is in the workspace that they ask for by id or name; without one, in the one that they have been in
/// the longest. A request names its workspace by the header `X-FlowForge-Workspace`; a browser's session keeps a choice
/// of its own.
///
/// # Errors
/// As for [`viewer_of`].
pub async fn viewer_in(app: &App, user: UserId, wanted: Option<&str>) -> Result<Viewer, ServiceError> {
    let workspace = one_of(app, user, wanted).await?;
    viewer_of(app, user, workspace.id).await
}

/// The workspace of this id or name, when the person is in it; without one, the one that they have been in the longest.
///
/// # Errors
/// `NotFound` when they are in no such one.
pub(super) async fn one_of(app: &App, user: UserId, wanted: Option<&str>) -> Result<Workspace, ServiceError> {
    let found = workspaces_of(app, user).await?;
    let fits = |workspace: &Workspace| {
        wanted.is_none_or(|wanted| workspace.slug == wanted || workspace.id.to_string() == wanted)
    };
    let chosen = found.into_iter().find(|(workspace, _)| fits(workspace));
    chosen.map(|(workspace, _)| workspace).ok_or(ServiceError::NotFound { what: "workspace" })
}

/// Somebody whom the provider vouches for and who is in no workspace: they see nothing and may do nothing but accept an
/// invitation.
///
/// # Errors
/// `Unauthenticated` for somebody unknown or disabled.
pub(super) async fn guest(app: &App, user: UserId) -> Result<Viewer, ServiceError> {
    let found = store::user::find(app.runtime.database(), user).await?.filter(|user| user.disabled_at.is_none());
    let user = found.ok_or(ServiceError::Unauthenticated)?;
    Ok(Viewer {
        workspace: NOWHERE,
        principal: Principal::User(user.id),
        key: None,
        session: None,
        name: user.name,
        role: "guest".to_owned(),
        permissions: Permissions::NONE,
        projects: None,
        request: None,
        // They read no list, so they have no cursor.
        cursors: CursorKey::of_salt([0; 16]),
    })
}

/// The workspaces that a person is in, those that they have been in the longest first.
///
/// # Errors
/// When the database fails.
pub async fn workspaces_of(app: &App, user: UserId) -> Result<Vec<(Workspace, Member)>, ServiceError> {
    // Nobody is only in the workspace that they ask from.
    Ok(wall::of_system(store::member::workspaces(app.runtime.database(), user)).await?)
}

/// The members of the viewer's workspace, those first who have been here the longest.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer, page: &PageRequest) -> Result<Page<(Member, User)>, ServiceError> {
    const LIST: &str = "members";
    viewer.require(Permission::MemberRead)?;
    let window = page.window(&viewer.cursors, LIST, |place| place.parse::<MemberId>().ok())?;
    let rows = store::member::list(app.runtime.database(), viewer.workspace, window).await?;
    Ok(Page::of(rows, page, |(member, _)| viewer.cursors.cursor(LIST, &member.id.to_string())))
}

/// The member of this id, and who they are.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: MemberId) -> Result<(Member, User), ServiceError> {
    viewer.require(Permission::MemberRead)?;
    let found = store::member::get(app.runtime.database(), viewer.workspace, id).await?;
    found.ok_or(ServiceError::NotFound { what: "member" })
}

/// What a member's role is called and allows.
///
/// # Errors
/// When they may not see members, or the database cannot be read.
pub async fn role_of(app: &App, viewer: &Viewer, member: &Member) -> Result<(String, Permissions), ServiceError> {
    viewer.require(Permission::MemberRead)?;
    role::resolve(app, viewer, member.role).await
}

/// What is to be others of a member.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    /// The role, by its word or its id.
    pub role: Option<String>,
    /// The only projects that they see, by their slugs; the inner `None` for all.
    pub projects: Option<Option<Vec<String>>>,
}

/// Gives a member another role or other projects, from now on by the workspace's word and not the provider's.
///
/// # Errors
/// When they may not, the member has or would have more than they, or is the last owner.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: MemberId,
    wanted: MemberChange,
) -> Result<(Member, User), ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let (before, user) = get(app, viewer, id).await?;
    role::require_all(viewer, role::resolve(app, viewer, before.role).await?.1)?;
    let role = match &wanted.role {
        Some(word) => role::grantable(app, viewer, word).await?,
        None => before.role,
    };
    let projects = match wanted.projects {
        Some(slugs) => project::limit(app, viewer, slugs.as_deref()).await?,
        None => before.projects.clone(),
    };
    let after = Member { role, projects, source: Source::Local, ..before.clone() };
    change(app, viewer, &before, Some(&after)).await?;
    Ok((after, user))
}

/// Takes membership away; what the person has open here ends.
///
/// # Errors
/// When they may not, the member has more than they, or is the last owner.
pub async fn remove(app: &App, viewer: &Viewer, id: MemberId) -> Result<MemberId, ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let (before, _) = get(app, viewer, id).await?;
    role::require_all(viewer, role::resolve(app, viewer, before.role).await?.1)?;
    change(app, viewer, &before, None).await?;
    Ok(id)
}

async fn change(app: &App, viewer: &Viewer, before: &Member, after: Option<&Member>) -> Result<(), ServiceError> {
    let done = store::member::change(app.runtime.database(), &Context::of(app, viewer), before, after).await?;
    app.keys.clear();
    if done {
        return Ok(());
    }
    let message = "this is the last owner of all projects; make somebody else one first".to_owned();
    Err(ServiceError::Conflict { message })
}

/// Keeps what a provider says of a person's role in a workspace; `None` takes membership away that only the provider
/// gave. A member whom somebody here let in is left as they are: the workspace has the last word.
///
/// # Errors
/// When the database fails.
pub async fn told_by_provider(
    app: &App,
    user: UserId,
    workspace: WorkspaceId,
    role: Option<RoleRef>,
) -> Result<(), ServiceError> {
    let context = Context::signing_in(app, workspace, user, None);
    let id = MemberId(app.runtime.clock().new_id());
    Ok(store::member::told_by_provider(app.runtime.database(), &context, id, user, role).await?)
}

async fn viewer(app: &App, user: &User, workspace: WorkspaceId) -> Result<Option<Viewer>, ServiceError> {
    let database = app.runtime.database();
    let Some(member) = store::member::find(database.read(), workspace, user.id).await? else { return Ok(None) };
    let (role, permissions) = store::role::resolve(database.read(), workspace, member.role).await?;
    let Some(cursors) = store::workspace::cursors(database, workspace).await? else { return Ok(None) };
    let viewer = Viewer {
        workspace,
        principal: Principal::User(user.id),
        key: None,
        session: None,
        name: user.name.clone(),
        role,
        permissions,
        projects: None,
        request: None,
        cursors,
    };
    Ok(Some(viewer.limited_to(member.projects)))
}

/// What the local admin is in a workspace: somebody with the server's settings may do everything.
pub(crate) fn local_admin(id: MemberId, workspace: WorkspaceId, at: Timestamp) -> Member {
    Member {
        id,
        workspace,
        user: super::user::LOCAL_ADMIN,
        role: RoleRef::BuiltIn(Role::Owner),
        projects: None,
        source: Source::Local,
        created_by: "command".to_owned(),
        created_at: at,
    }
}

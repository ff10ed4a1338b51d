//! Invitations: a token that makes whoever accepts it a member, once. It is shown at its making and kept as a hash.

use std::time::Duration;

use engine::id::{InvitationId, MemberId, UserId};
use engine::time::Timestamp;
use runtime::database::wall;
use sha2::{Digest as _, Sha256};

use super::audit::Context;
use super::member::{Member, Source};
use super::page::{Page, PageRequest};
use super::{ServiceError, project, role, text, user};
use crate::app::App;
use crate::auth::{Permission, Principal, ProjectLimit, RoleRef, Viewer};
use crate::store;

/// How long an invitation waits when nobody says.
pub const LIVES: Duration = Duration::from_secs(7 * 86_400);
/// How long it may wait at most.
const MOST: Duration = Duration::from_secs(30 * 86_400);
/// Random bytes of a token.
const RANDOM: usize = 32;

/// An offer to become a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The address that whoever accepts it must have; none for anybody who has the token.
    pub email: Option<String>,
    /// What the member may do.
    pub role: RoleRef,
    /// Which projects the member sees.
    pub projects: ProjectLimit,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it makes nobody a member.
    pub expires_at: Timestamp,
    /// Who became a member by it, and when.
    pub accepted: Option<(UserId, Timestamp)>,
    /// When somebody took it back.
    pub revoked_at: Option<Timestamp>,
}

/// Invites somebody; the token is known only now.
///
/// # Errors
/// When they may not, a role that can do more than they, or something that cannot be used.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    email: Option<String>,
    role: &str,
    projects: Option<&[String]>,
    lives: Duration,
) -> Result<(Invitation, String), ServiceError> {
    viewer.require(Permission::MemberManage)?;
    if let Some(email) = &email {
        text::key("email", email)?;
        if !email.contains('@') {
            return Err(ServiceError::invalid("email", "`email` is not an address"));
        }
    }
    if lives.is_zero() || lives > MOST {
        return Err(ServiceError::invalid("expiresIn", "`expiresIn` must be at most 30 days"));
    }
    let role = role::grantable(app, viewer, role).await?;
    let mut bytes = [0_u8; RANDOM];
    getrandom::fill(&mut bytes).map_err(ServiceError::internal)?;
    let token = hex::encode(bytes);
    let context = Context::of(app, viewer);
    let invitation = Invitation {
        id: InvitationId(app.runtime.clock().new_id()),
        email,
        role,
        projects: project::limit(app, viewer, projects).await?,
        created_by: viewer.actor(),
        created_at: context.at,
        expires_at: context.at.plus(lives),
        accepted: None,
        revoked_at: None,
    };
    store::invitation::insert(app.runtime.database(), &context, &invitation, &hash(&token)).await?;
    Ok((invitation, token))
}

/// The workspace's invitations, the latest first, whatever became of them.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer, page: &PageRequest) -> Result<Page<Invitation>, ServiceError> {
    const LIST: &str = "invitations";
    viewer.require(Permission::MemberManage)?;
    let window = page.window(&viewer.cursors, LIST, |place| place.parse::<InvitationId>().ok())?;
    let rows = store::invitation::list(app.runtime.database(), viewer.workspace, window).await?;
    Ok(Page::of(rows, page, |invitation| viewer.cursors.cursor(LIST, &invitation.id.to_string())))
}

/// Takes an invitation back that nobody has accepted. Doing so twice is not an error.
///
/// # Errors
/// `NotFound` also for another workspace's; `Conflict` when somebody is a member by it.
pub async fn revoke(app: &App, viewer: &Viewer, id: InvitationId) -> Result<Invitation, ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let context = Context::of(app, viewer);
    let found = store::invitation::revoke(app.runtime.database(), &context, id).await?;
    let invitation = found.ok_or(ServiceError::NotFound { what: "invitation" })?;
    if invitation.accepted.is_some() {
        return Err(ServiceError::Conflict { message: "somebody accepted it; remove the member instead".to_owned() });
    }
    Ok(invitation)
}

/// Makes the viewer a member of the workspace that a token is of.
///
/// # Errors
/// As for [`accept_as`]; `Conflict` for who is no person.
pub async fn accept(app: &App, viewer: &Viewer, token: &str) -> Result<Member, ServiceError> {
    let Principal::User(user) = viewer.principal else {
        return Err(ServiceError::Conflict { message: "only a person who signed in becomes a member".to_owned() });
    };
    // It is another workspace than the one that they ask from; the token says which.
    wall::of_system(accept_as(app, user, token, viewer.request.as_deref())).await
}

/// Makes a person a member of the workspace that a token is of; they may be in none so far.
///
/// # Errors
/// `NotFound` for a token that is unknown, used, over, taken back or meant for another address; `Conflict` when they are
/// a member.
pub async fn accept_as(app: &App, user: UserId, token: &str, request: Option<&str>) -> Result<Member, ServiceError> {
    let absent = || ServiceError::NotFound { what: "invitation" };
    let person = user::get(app, user).await?;
    let (database, hash, now) = (app.runtime.database(), hash(token), app.runtime.now());
    let (workspace, invitation) = store::invitation::open(database, &hash, now).await?.ok_or_else(absent)?;
    let fits = match (&invitation.email, &person.email) {
        (None, _) => true,
        (Some(wanted), Some(has)) => wanted.eq_ignore_ascii_case(has),
        (Some(_), None) => false,
    };
    if !fits || person.disabled_at.is_some() {
        return Err(absent());
    }
    let member = Member {
        id: MemberId(app.runtime.clock().new_id()),
        workspace,
        user,
        role: invitation.role,
        projects: invitation.projects.clone(),
        source: Source::Local,
        created_by: invitation.created_by.clone(),
        created_at: now,
    };
    let context = Context::signing_in(app, workspace, user, request);
    if store::invitation::accept(database, &context, invitation.id, &member).await? {
        Ok(member)
    } else {
        Err(absent())
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

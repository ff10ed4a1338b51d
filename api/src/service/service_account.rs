//! Service accounts: programs that are members, with a role and keys of their own. Unlike a key they have a name that
//! outlives each of their keys.

use engine::id::ServiceAccountId;
use engine::time::Timestamp;

use super::audit::Context;
use super::member::MemberChange;
use super::page::{Page, PageRequest};
use super::{ServiceError, project, role, text};
use crate::app::App;
use crate::auth::{Permission, ProjectLimit, RoleRef, Viewer};
use crate::store;

/// A program that is a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: RoleRef,
    /// Which projects it sees.
    pub projects: ProjectLimit,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when none of its keys opens anything.
    pub disabled_at: Option<Timestamp>,
}

/// The workspace's service accounts, the oldest first, disabled ones included.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer, page: &PageRequest) -> Result<Page<ServiceAccount>, ServiceError> {
    const LIST: &str = "service-accounts";
    viewer.require(Permission::KeyManage)?;
    let window = page.window(&viewer.cursors, LIST, |place| place.parse::<ServiceAccountId>().ok())?;
    let rows = store::service_account::list(app.runtime.database(), viewer.workspace, window).await?;
    Ok(Page::of(rows, page, |account| viewer.cursors.cursor(LIST, &account.id.to_string())))
}

/// The service account of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: ServiceAccountId) -> Result<ServiceAccount, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let found = store::service_account::find(app.runtime.database().read(), viewer.workspace, id).await?;
    found.ok_or(ServiceError::NotFound { what: "service account" })
}

/// The same when it is to be used.
pub(super) async fn live(app: &App, viewer: &Viewer, id: ServiceAccountId) -> Result<ServiceAccount, ServiceError> {
    let account = get(app, viewer, id).await?;
    if account.disabled_at.is_none() {
        return Ok(account);
    }
    Err(ServiceError::Conflict { message: format!("the service account `{}` is disabled", account.name) })
}

/// Makes a service account.
///
/// # Errors
/// When they may not, a role that can do more than they, or a name that cannot be used.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    name: &str,
    role: &str,
    projects: Option<&[String]>,
) -> Result<ServiceAccount, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    text::tag("name", name)?;
    let role = role::grantable(app, viewer, role).await?;
    let context = Context::of(app, viewer);
    let account = ServiceAccount {
        id: ServiceAccountId(app.runtime.clock().new_id()),
        name: name.to_owned(),
        role,
        projects: project::limit(app, viewer, projects).await?,
        created_by: viewer.actor(),
        created_at: context.at,
        disabled_at: None,
    };
    store::service_account::insert(app.runtime.database(), &context, &account).await?;
    Ok(account)
}

/// Gives a service account another role or other projects; its keys may do something else at once.
///
/// # Errors
/// When they may not, it can or would do more than they, or it is not there.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: ServiceAccountId,
    wanted: MemberChange,
) -> Result<ServiceAccount, ServiceError> {
    let before = live(app, viewer, id).await?;
    role::require_all(viewer, role::resolve(app, viewer, before.role).await?.1)?;
    let role = match &wanted.role {
        Some(word) => role::grantable(app, viewer, word).await?,
        None => before.role,
    };
    let projects = match wanted.projects {
        Some(slugs) => project::limit(app, viewer, slugs.as_deref()).await?,
        None => before.projects.clone(),
    };
    let after = ServiceAccount { role, projects, ..before.clone() };
    store::service_account::update(app.runtime.database(), &Context::of(app, viewer), &before, &after).await?;
    app.keys.clear();
    Ok(after)
}

/// Disables a service account and revokes its keys, for ever. Doing so twice is not an error.
///
/// # Errors
/// When they may not, it can do more than they, or it is not there.
pub async fn disable(app: &App, viewer: &Viewer, id: ServiceAccountId) -> Result<ServiceAccount, ServiceError> {
    let account = get(app, viewer, id).await?;
    role::require_all(viewer, role::resolve(app, viewer, account.role).await?.1)?;
    if account.disabled_at.is_some() {
        return Ok(account);
    }
    let context = Context::of(app, viewer);
    store::service_account::disable(app.runtime.database(), &context, &account).await?;
    app.keys.clear();
    Ok(ServiceAccount { disabled_at: Some(context.at), ..account })
}

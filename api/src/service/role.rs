//! Roles: those that every workspace has, and named sets of permissions that a workspace made for itself.

use engine::id::RoleId;

use super::audit::Context;
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::{Permission, Permissions, Role, RoleRef, Viewer};
use crate::store;

/// A role of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
}

/// Goes on only when the viewer has all of these: nobody gives away, or takes from others, more than they have.
pub(super) fn require_all(viewer: &Viewer, permissions: Permissions) -> Result<(), ServiceError> {
    match permissions.without(viewer.permissions).iter().next() {
        None => Ok(()),
        Some(permission) => viewer.require(permission),
    }
}

/// What a role of the viewer's workspace is called and allows.
pub(super) async fn resolve(app: &App, viewer: &Viewer, role: RoleRef) -> Result<(String, Permissions), ServiceError> {
    Ok(store::role::resolve(app.runtime.database().read(), viewer.workspace, role).await?)
}

/// The role that somebody names: the word of a built-in one, or the id of one that the workspace made.
///
/// # Errors
/// When there is none, or the viewer does not have all that it allows.
pub async fn grantable(app: &App, viewer: &Viewer, word: &str) -> Result<RoleRef, ServiceError> {
    let unknown = || {
        let words: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        let message = format!("`role` must be {}, or the id of a role of this workspace", words.join(", "));
        ServiceError::invalid("role", message)
    };
    let role: RoleRef = word.parse().map_err(|_| unknown())?;
    if let RoleRef::Custom(id) = role {
        let found = store::role::find(app.runtime.database().read(), viewer.workspace, id).await?;
        found.ok_or(ServiceError::NotFound { what: "role" })?;
    }
    let (_, permissions) = resolve(app, viewer, role).await?;
    require_all(viewer, permissions)?;
    Ok(role)
}

/// The roles that the workspace made for itself, by name.
///
/// # Errors
/// When they may not see members, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<CustomRole>, ServiceError> {
    viewer.require(Permission::MemberRead)?;
    Ok(store::role::list(app.runtime.database(), viewer.workspace).await?)
}

async fn get(app: &App, viewer: &Viewer, id: RoleId) -> Result<CustomRole, ServiceError> {
    let found = store::role::find(app.runtime.database().read(), viewer.workspace, id).await?;
    found.ok_or(ServiceError::NotFound { what: "role" })
}

/// The permissions of these words.
///
/// # Errors
/// A word that is none, or `read` missing: without it nothing can be named.
pub fn permissions(words: &[String]) -> Result<Permissions, ServiceError> {
    let wrong = |message: String| ServiceError::invalid("permissions", message);
    let set = Permissions::parse(words.iter().map(String::as_str))
        .map_err(|word| wrong(format!("`{word}` is no permission")))?;
    if set.has(Permission::Read) { Ok(set) } else { Err(wrong("`permissions` must have `read` among them".to_owned())) }
}

/// Makes a role.
///
/// # Errors
/// When they may not, a permission that they do not have themselves, or a name that cannot be used.
pub async fn create(app: &App, viewer: &Viewer, name: &str, words: &[String]) -> Result<CustomRole, ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let role = CustomRole { id: RoleId(app.runtime.clock().new_id()), ..draft(viewer, name, words)? };
    store::role::insert(app.runtime.database(), &Context::of(app, viewer), &role).await?;
    Ok(role)
}

/// Gives a role another name and other permissions; whoever has it may do something else at once.
///
/// # Errors
/// As for [`create`]; `NotFound` also for another workspace's.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: RoleId,
    name: &str,
    words: &[String],
) -> Result<CustomRole, ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let before = get(app, viewer, id).await?;
    require_all(viewer, before.permissions)?;
    let after = CustomRole { id, ..draft(viewer, name, words)? };
    store::role::update(app.runtime.database(), &Context::of(app, viewer), &before, &after).await?;
    app.keys.clear();
    Ok(after)
}

/// Deletes a role that nobody has.
///
/// # Errors
/// When they may not, somebody has it, or it is not there.
pub async fn delete(app: &App, viewer: &Viewer, id: RoleId) -> Result<RoleId, ServiceError> {
    viewer.require(Permission::MemberManage)?;
    let role = get(app, viewer, id).await?;
    require_all(viewer, role.permissions)?;
    if store::role::delete(app.runtime.database(), &Context::of(app, viewer), &role).await? {
        return Ok(id);
    }
    let message = format!("a member, an invitation, a service account or a key has the role `{}`", role.name);
    Err(ServiceError::Conflict { message })
}

fn draft(viewer: &Viewer, name: &str, words: &[String]) -> Result<CustomRole, ServiceError> {
    text::tag("name", name)?;
    if Role::parse(name).is_some() {
        return Err(ServiceError::NameTaken { field: "name", what: "role", name: name.to_owned() });
    }
    let permissions = permissions(words)?;
    require_all(viewer, permissions)?;
    Ok(CustomRole { id: RoleId(uuid::Uuid::nil()), name: name.to_owned(), permissions })
}

//! Who asks: a credential becomes a [`Viewer`] here and nowhere else.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use engine::id::{ApiKeyId, ProjectId, RoleId, ServiceAccountId, SessionId, UserId, WorkspaceId};

pub mod api_key;
pub mod cache;
pub mod credential;
pub mod cursor;
pub mod guess;
pub mod last_use;
pub mod oidc;

pub use engine::policy::{Permission, Permissions, Role};

use crate::service::ServiceError;
use cursor::CursorKey;

/// On whose behalf a credential speaks. Audit rows and `createdBy` name it by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A key that belongs to nobody but the workspace.
    ApiKey(ApiKeyId),
    /// A person who signed in.
    User(UserId),
    /// A program that is a member.
    ServiceAccount(ServiceAccountId),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => id.fmt(f),
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(id) => id.fmt(f),
        }
    }
}

/// Which role a row names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleRef {
    /// One that every workspace has.
    BuiltIn(Role),
    /// One that the workspace made for itself.
    Custom(RoleId),
}

impl From<Role> for RoleRef {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => f.write_str(role.as_str()),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl FromStr for RoleRef {
    type Err = engine::id::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::parse(text).map_or_else(|| text.parse().map(Self::Custom), |role| Ok(Self::BuiltIn(role)))
    }
}

/// The workspace of somebody who is in none: nothing belongs to it.
pub const NOWHERE: WorkspaceId = WorkspaceId(uuid::Uuid::nil());

/// The only projects that somebody sees; none for all of them.
pub type ProjectLimit = Option<Arc<[ProjectId]>>;

/// What somebody can see at all: a workspace, or some projects of it. Queries for what belongs to a project start from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The only projects in it.
    pub projects: ProjectLimit,
}

impl Scope {
    /// All of a workspace: for what the server does by itself.
    pub fn whole(workspace: WorkspaceId) -> Self {
        Self { workspace, projects: None }
    }

    /// Whether a project of the workspace is in it.
    pub fn has(&self, project: ProjectId) -> bool {
        self.projects.as_ref().is_none_or(|projects| projects.contains(&project))
    }
}

/// Who asks, in which workspace, and what they may do. Every query starts from `workspace`, or from their [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The tenant that everything asked for must belong to.
    pub workspace: WorkspaceId,
    /// Whose rights these are.
    pub principal: Principal,
    /// The key that was shown, when a key was shown.
    pub key: Option<ApiKeyId>,
    /// The session in a browser, when a session's cookie was shown.
    pub session: Option<SessionId>,
    /// The principal's name.
    pub name: String,
    /// What their role is called.
    pub role: String,
    /// What they may do.
    pub permissions: Permissions,
    /// Which projects they see.
    pub projects: ProjectLimit,
    /// The request that they ask in, as logs name it.
    pub request: Option<String>,
    /// What the workspace's cursors are signed with.
    pub cursors: CursorKey,
}

impl Viewer {
    /// The same viewer, who sees only these projects. They keep no permission over the workspace as a whole.
    #[must_use]
    pub fn limited_to(self, projects: ProjectLimit) -> Self {
        let permissions = match &projects {
            Some(_) => self.permissions.in_projects(),
            None => self.permissions,
        };
        Self { permissions, projects, ..self }
    }

    /// What they can see at all.
    pub fn scope(&self) -> Scope {
        Scope { workspace: self.workspace, projects: self.projects.clone() }
    }

    /// Goes on only with the permission.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when they do not have it.
    pub fn require(&self, permission: Permission) -> Result<(), ServiceError> {
        if self.may(permission) { Ok(()) } else { Err(ServiceError::Forbidden { role: self.role.clone(), permission }) }
    }

    /// Whether they have the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Whether they are in no workspace, and can do nothing but accept an invitation.
    pub fn is_guest(&self) -> bool {
        self.workspace == NOWHERE
    }

    /// The same viewer in a request of its own.
    #[must_use]
    pub fn in_request(self, request: Option<&str>) -> Self {
        Self { request: request.map(str::to_owned), ..self }
    }

    /// Whose rights this viewer's depend on: when one of them changes, what is open for the viewer asks again.
    pub fn subjects(&self) -> Vec<String> {
        let key = self.key.map(|key| key.to_string());
        let session = self.session.map(|session| session.to_string());
        [self.principal.to_string(), self.workspace.to_string()].into_iter().chain(key).chain(session).collect()
    }

    /// Whether this is the same viewer with the same rights, in whatever request.
    pub fn may_as(&self, other: &Self) -> bool {
        let rights = |viewer: &Self| (viewer.workspace, viewer.principal, viewer.key, viewer.permissions);
        rights(self) == rights(other) && self.role == other.role && self.projects == other.projects
    }

    /// How this viewer is named in journals and `createdBy`.
    pub fn actor(&self) -> String {
        self.principal.to_string()
    }
}

/// The token of an `Authorization: Bearer …` value; the scheme's case does not matter.
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_value_has_a_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for wrong in ["", "abc", "Basic abc", "Bearer", "Bearer "] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
    }
}

//! Who asks: a credential becomes a [`Viewer`] here and nowhere else.

use engine::id::{ApiKeyId, WorkspaceId};

pub mod api_key;
pub mod cache;
pub mod credential;
pub mod cursor;
pub mod role;

pub use role::{Permission, Role};

use crate::service::ServiceError;
use cursor::CursorKey;

/// Who asks, in which workspace, and what they may do. Every query starts from `workspace`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The tenant that everything asked for must belong to.
    pub workspace: WorkspaceId,
    /// The key that was shown.
    pub key: ApiKeyId,
    /// The key's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The request that they ask in, as logs name it.
    pub request: Option<String>,
    /// What the workspace's cursors are signed with.
    pub cursors: CursorKey,
}

impl Viewer {
    /// Goes on only with the permission.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when the role does not have it.
    pub fn require(&self, permission: Permission) -> Result<(), ServiceError> {
        if self.role.may(permission) { Ok(()) } else { Err(ServiceError::Forbidden { role: self.role, permission }) }
    }

    /// The same viewer in a request of its own.
    #[must_use]
    pub fn in_request(self, request: Option<&str>) -> Self {
        Self { request: request.map(str::to_owned), ..self }
    }

    /// Whose rights this viewer's depend on: when one of them changes, what is open for the viewer asks again.
    pub fn subjects(&self) -> Vec<String> {
        vec![self.key.to_string(), self.workspace.to_string()]
    }

    /// Whether this is the same viewer with the same rights, in whatever request.
    pub fn may_as(&self, other: &Self) -> bool {
        (self.workspace, self.key, self.role) == (other.workspace, other.key, other.role)
    }

    /// How this viewer is named in journals and `createdBy`.
    pub fn actor(&self) -> String {
        self.key.to_string()
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

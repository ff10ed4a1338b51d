//! Roles that a workspace made for itself: named sets of permissions.

use engine::id::RoleId;

use crate::auth::Permissions;

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

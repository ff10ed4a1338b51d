//! Who may do what: one table. Everything else asks it, and the guide is written from it.

use std::fmt;

mod guide;

pub use guide::guide;

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
        /// One thing that somebody may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission { $($(#[doc = $doc])* $name,)* }

        impl Permission {
            /// Every permission, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that rows, messages and the command line use.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it allows, in words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

permissions! {
    /// See workflows, versions, runs and their values.
    Read = "read";
    /// Start a run.
    RunStart = "run:start";
    /// Send a waiting run its signal, such as an approval.
    RunSignal = "run:signal";
    /// Stop a run, say how an uncertain node run ended.
    RunControl = "run:control";
    /// Make, change, archive and delete workflows and their drafts.
    WorkflowEdit = "workflow:edit";
    /// Publish a version, run a draft, change variables.
    WorkflowPublish = "workflow:publish";
    /// Say which version an environment runs, and when its triggers fire.
    WorkflowDeploy = "workflow:deploy";
    /// See what connections there are, name them in workflows, test them.
    ConnectionUse = "connection:use";
    /// Make, change and delete connections.
    ConnectionManage = "connection:manage";
    /// Make and rename projects and environments.
    ProjectManage = "project:manage";
    /// Change what the workspace may use.
    QuotaManage = "quota:manage";
    /// Say which hosts the workspace's nodes may call.
    OutgoingManage = "outgoing:manage";
    /// See who is a member, and as what.
    MemberRead = "member:read";
    /// Invite people, change their roles and remove them; make roles.
    MemberManage = "member:manage";
    /// Make, list and revoke keys and service accounts.
    KeyManage = "key:manage";
    /// See who changed what.
    AuditRead = "audit:read";
    /// Rename the workspace.
    WorkspaceManage = "workspace:manage";
    /// Appoint and remove owners, make further workspaces.
    WorkspaceOwn = "workspace:own";
}

impl Permission {
    /// The permission of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == text)
    }

    /// Whether it is over the workspace as a whole: a credential that is limited to some projects does not have it, whatever
    /// its role says.
    pub fn is_of_workspace(self) -> bool {
        match self {
            Self::Read | Self::RunStart | Self::RunSignal | Self::RunControl => false,
            Self::WorkflowEdit | Self::WorkflowPublish | Self::WorkflowDeploy => false,
            Self::ConnectionUse | Self::ConnectionManage => false,
            // An editor of some projects stays an editor; names of members are no secret among them.
            Self::MemberRead => false,
            Self::ProjectManage | Self::QuotaManage | Self::OutgoingManage => true,
            Self::MemberManage | Self::KeyManage | Self::AuditRead => true,
            Self::WorkspaceManage | Self::WorkspaceOwn => true,
        }
    }

    fn bit(self) -> u64 {
        1 << (self as u8)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u64);

impl Permissions {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Everything that there is.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether this one is among them.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether all of `other` are among them.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Those that a credential can have which is limited to some projects.
    #[must_use]
    pub fn in_projects(self) -> Self {
        self.iter().filter(|permission| !permission.is_of_workspace()).collect()
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What `self` has and `other` has not.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }

    /// The permissions of these words, or the first word that is none.
    ///
    /// # Errors
    /// The word that is no permission.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        words.into_iter().map(|word| Permission::parse(word).ok_or(word)).collect()
    }

    /// The mightiest built-in role that may do no more than this; the set always has what a viewer has.
    pub fn nearest(self) -> Role {
        Role::ALL.iter().copied().find(|role| self.contains(role.permissions())).unwrap_or(Role::Viewer)
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

/// The roles that every workspace has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, also to appoint other owners. A workspace always has one.
    Owner,
    /// Everything in the workspace, but no say over its owners.
    Admin,
    /// Workflows and runs, but no people and no keys.
    Editor,
    /// Runs, but not what they are made of.
    Operator,
    /// Looks, and answers runs that wait for a person.
    Approver,
    /// Looks only.
    Viewer,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: &'static [Self] =
        &[Self::Owner, Self::Admin, Self::Editor, Self::Operator, Self::Approver, Self::Viewer];

    /// The word in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// Whether the role may do this.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().has(permission)
    }

    /// All that the role may do.
    pub fn permissions(self) -> Permissions {
        Permission::ALL
            .iter()
            .copied()
            .filter(|permission| self >= least(*permission) || self.answers(*permission))
            .collect()
    }

    /// Approvers stand beside the line from viewer to owner: they look and answer, and nothing else.
    fn answers(self, permission: Permission) -> bool {
        self == Self::Approver && permission == Permission::RunSignal
    }
}

/// Roles are ordered by might, so that the table needs one word a permission.
impl PartialOrd for Role {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Role {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (*other as u8).cmp(&(*self as u8))
    }
}

/// The table: the least role that has a permission; every mightier one has it too. Only approvers are beside the line,
/// see [`Role::answers`].
fn least(permission: Permission) -> Role {
    use Permission as P;
    match permission {
        P::Read => Role::Viewer,
        P::RunStart | P::RunSignal | P::RunControl => Role::Operator,
        P::WorkflowEdit | P::WorkflowPublish | P::WorkflowDeploy | P::ConnectionUse | P::MemberRead => Role::Editor,
        P::ConnectionManage | P::ProjectManage | P::QuotaManage | P::OutgoingManage => Role::Admin,
        P::MemberManage | P::KeyManage | P::AuditRead | P::WorkspaceManage => Role::Admin,
        P::WorkspaceOwn => Role::Owner,
    }
}

#[cfg(test)]
mod tests;

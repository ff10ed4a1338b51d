//! Roles and what each may do: one small table.

/// What a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See workflows, versions, runs and their values.
    Read,
    /// Start a run, send it a signal.
    RunStart,
    /// Stop a run, say how an uncertain node run ended.
    RunControl,
    /// Make, change, archive and delete workflows and their drafts.
    WorkflowEdit,
    /// Publish a version.
    WorkflowPublish,
    /// Say which version an environment runs.
    WorkflowDeploy,
    /// See what connections there are, name them in workflows, test them.
    ConnectionUse,
    /// Make, change and delete connections.
    ConnectionManage,
    /// Make and rename projects and environments.
    ProjectManage,
    /// Change what the workspace may use.
    QuotaManage,
    /// Say which hosts the workspace's nodes may call.
    OutgoingManage,
    /// Make, list and revoke keys.
    KeyManage,
    /// See who changed what.
    AuditRead,
}

impl Permission {
    /// The word that messages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::RunStart => "run:start",
            Self::RunControl => "run:control",
            Self::WorkflowEdit => "workflow:edit",
            Self::WorkflowPublish => "workflow:publish",
            Self::WorkflowDeploy => "workflow:deploy",
            Self::ConnectionUse => "connection:use",
            Self::ConnectionManage => "connection:manage",
            Self::ProjectManage => "project:manage",
            Self::QuotaManage => "quota:manage",
            Self::OutgoingManage => "outgoing:manage",
            Self::KeyManage => "key:manage",
            Self::AuditRead => "audit:read",
        }
    }
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Admin,
    /// Workflows and runs, but no keys.
    Editor,
    /// Runs, but not what they are made of.
    Operator,
    /// Looks only.
    Viewer,
}

impl Role {
    /// Every role, the mightiest first.
    pub const ALL: &'static [Self] = &[Self::Admin, Self::Editor, Self::Operator, Self::Viewer];

    /// The word in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == text)
    }

    /// The table.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Admin => true,
            Self::Editor => match permission {
                P::Read | P::RunStart | P::RunControl | P::WorkflowEdit | P::WorkflowPublish | P::WorkflowDeploy => {
                    true
                }
                P::ConnectionUse => true,
                P::ConnectionManage | P::ProjectManage | P::QuotaManage | P::OutgoingManage => false,
                P::KeyManage | P::AuditRead => false,
            },
            Self::Operator => match permission {
                P::Read | P::RunStart | P::RunControl => true,
                P::WorkflowEdit | P::WorkflowPublish | P::WorkflowDeploy | P::ConnectionUse => false,
                P::ConnectionManage | P::ProjectManage | P::QuotaManage | P::OutgoingManage => false,
                P::KeyManage | P::AuditRead => false,
            },
            Self::Viewer => match permission {
                P::Read => true,
                P::RunStart | P::RunControl | P::WorkflowEdit | P::WorkflowPublish | P::WorkflowDeploy => false,
                P::ConnectionUse => false,
                P::ConnectionManage | P::ProjectManage | P::QuotaManage | P::OutgoingManage => false,
                P::KeyManage | P::AuditRead => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_reads_back_from_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(*role));
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn a_lesser_role_never_may_more() {
        use Permission as P;
        for permission in [
            P::Read,
            P::RunStart,
            P::RunControl,
            P::WorkflowEdit,
            P::WorkflowPublish,
            P::WorkflowDeploy,
            P::ProjectManage,
            P::QuotaManage,
            P::OutgoingManage,
            P::KeyManage,
            P::AuditRead,
        ] {
            for pair in Role::ALL.windows(2) {
                assert!(pair[0].may(permission) || !pair[1].may(permission), "{pair:?} {permission:?}");
            }
        }
        assert!(!Role::Operator.may(P::WorkflowPublish));
    }
}

//! Typed ids, one registry. Text form everywhere: prefix, underscore, 32 hex digits of a UUIDv7 (`run_0192…`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::scope::Scope;

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {wanted} id; expected `{wanted}_` and 32 hex digits")]
pub struct ParseIdError {
    /// The prefix that was wanted.
    pub wanted: &'static str,
    /// What came instead, cut to 80 characters.
    pub text: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The prefix of the text form, without the underscore.
            pub const PREFIX: &'static str = $prefix;
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { wanted: $prefix, text: text.chars().take(80).collect() })
            }
        }
    )*};
}

ids! {
    /// A tenant: owns projects, keys and limits.
    WorkspaceId = "ws";
    /// A folder of workflows inside a workspace.
    ProjectId = "prj";
    /// Where versions of a project can be deployed to.
    EnvironmentId = "env";
    /// The named thing that has versions.
    WorkflowId = "wf";
    /// What people edit before it is published.
    DraftId = "drf";
    /// One immutable, numbered definition of a workflow.
    VersionId = "ver";
    /// Which version an environment runs.
    DeploymentId = "dep";
    /// That an environment was given another version, or none.
    DeploymentChangeId = "dch";
    /// One execution of a version.
    RunId = "run";
    /// A trigger in an environment.
    BindingId = "trg";
    /// Somebody's wish for runs for ticks of the past.
    BackfillId = "bkf";
    /// Something that happened outside and was kept.
    TriggerEventId = "evt";
    /// A message to a run that its owner has not read yet.
    InboxId = "msg";
    /// A process that drives runs.
    WorkerId = "wkr";
    /// A person who signs in.
    UserId = "usr";
    /// That a person belongs to a workspace.
    MemberId = "mbr";
    /// A role that a workspace made for itself.
    RoleId = "rol";
    /// An offer to become a member.
    InvitationId = "inv";
    /// A program that is a member, with keys of its own.
    ServiceAccountId = "svc";
    /// A person's session in a browser.
    SessionId = "ses";
    /// A credential of a program.
    ApiKeyId = "key";
    /// A named credential and what it opens.
    ConnectionId = "con";
    /// One encrypted value.
    SecretId = "sec";
    /// The key that wraps the keys of a workspace's secrets.
    WorkspaceKeyId = "wsk";
    /// One row of the audit: who changed what.
    AuditId = "aud";
    /// A plain value that expressions read.
    VariableId = "var";
    /// Somebody outside who is told of runs.
    NotificationId = "ntf";
    /// A message to somebody outside.
    DeliveryId = "dlv";
    /// A file.
    ArtifactId = "art";
}

/// One node's execution in a run. It has no UUID of its own: run, node key and scope are its identity everywhere.
/// Text form: `nrun_<run hex>.<node key>` and, inside a `for_each`, `.<index>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeRunId {
    /// The run.
    pub run: RunId,
    /// The node's key in the definition.
    pub node: String,
    /// Which item or iteration.
    pub scope: Scope,
}

impl std::fmt::Display for NodeRunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nrun_{}.{}", self.run.0.simple(), self.node)?;
        if self.scope.is_root() { Ok(()) } else { write!(f, ".{}", self.scope) }
    }
}

impl std::str::FromStr for NodeRunId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError { wanted: "nrun", text: text.chars().take(80).collect() };
        let mut parts = text.strip_prefix("nrun_").ok_or_else(wrong)?.splitn(3, '.');
        let run =
            parts.next().filter(|hex| hex.len() == 32).and_then(|hex| Uuid::try_parse(hex).ok()).ok_or_else(wrong)?;
        let node = parts.next().filter(|key| !key.is_empty()).ok_or_else(wrong)?.to_owned();
        let scope = parts.next().unwrap_or("").parse().map_err(|_| wrong())?;
        Ok(Self { run: RunId(run), node, scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = RunId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string(), "run_01920000000070008000000000000001");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        assert!("ws_01920000000070008000000000000001".parse::<RunId>().is_err());
        assert!("run_".parse::<RunId>().is_err());
        assert!("run_01920000-0000-7000-8000-000000000001".parse::<RunId>().is_err());
    }

    #[test]
    fn a_node_run_id_carries_run_key_and_scope() {
        let id = NodeRunId { run: RunId(Uuid::from_u128(7)), node: "fetch".into(), scope: Scope::item(3) };
        assert_eq!(id.to_string(), "nrun_00000000000000000000000000000007.fetch.3");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("nrun_00000000000000000000000000000007".parse::<NodeRunId>().is_err());
    }
}

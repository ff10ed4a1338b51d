//! What is signed when a version is published: a text that anybody can make again from what the version says.

use std::collections::BTreeMap;

use serde_json::json;

use crate::definition::canonical::canonical_bytes;
use crate::id::{VersionId, WorkflowId, WorkspaceId};
use crate::time::Timestamp;
use crate::value::Digest;

/// What a signature vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested<'a> {
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// The version.
    pub version: VersionId,
    /// Its number in the workflow.
    pub number: i32,
    /// What it runs.
    pub definition: Digest,
    /// What its node types promised, by name.
    pub node_types: &'a BTreeMap<String, Digest>,
    /// Who published it.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Attested<'_> {
    /// The bytes that are signed: canonical JSON (RFC 8785). The first member names the form, so that a signature of
    /// this form never passes for one of another.
    pub fn bytes(&self) -> Vec<u8> {
        let types: BTreeMap<&str, String> =
            self.node_types.iter().map(|(name, digest)| (name.as_str(), digest.to_string())).collect();
        canonical_bytes(&json!({
            "_": "flowforge-version/1",
            "workspace": self.workspace.to_string(),
            "workflow": self.workflow.to_string(),
            "version": self.version.to_string(),
            "number": self.number,
            "definition": self.definition.to_string(),
            "nodeTypes": types,
            "by": self.by,
            // As text: microseconds since 1970 are near the end of what JSON numbers hold.
            "at": self.at.0.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_bytes_are_the_same_everywhere_and_for_ever() {
        let types = BTreeMap::from([("data.set@1".to_owned(), Digest([2; 32]))]);
        let statement = Attested {
            workspace: WorkspaceId(Uuid::from_u128(1)),
            workflow: WorkflowId(Uuid::from_u128(2)),
            version: VersionId(Uuid::from_u128(3)),
            number: 4,
            definition: Digest([1; 32]),
            node_types: &types,
            by: "key_1",
            at: Timestamp(5),
        };
        let text = String::from_utf8(statement.bytes()).unwrap();
        assert_eq!(
            text,
            format!(
                r#"{{"_":"flowforge-version/1","at":"5","by":"key_1","definition":"{}","nodeTypes":{{"data.set@1":"{}"}},"number":4,"version":"{}","workflow":"{}","workspace":"{}"}}"#,
                "01".repeat(32),
                "02".repeat(32),
                VersionId(Uuid::from_u128(3)),
                WorkflowId(Uuid::from_u128(2)),
                WorkspaceId(Uuid::from_u128(1)),
            )
        );
    }
}

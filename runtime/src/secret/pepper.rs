//! What hashes of API keys are made with besides the key, so that a copy of the database alone checks none. It follows
//! from the workspace's key, which a rotation of the master key only wraps anew: the hashes stay right.

use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use engine::id::WorkspaceId;

use super::envelope::Key;
use super::{SecretError, Secrets};

/// Keeps this use of a workspace's key apart from all others.
const LABEL: &[u8] = b"flowforge/api-key/1\0";

/// A workspace's pepper.
pub struct Pepper(hmac::Key);

impl Pepper {
    fn of_key(workspace: WorkspaceId, key: &Key) -> Self {
        let mut text = LABEL.to_vec();
        text.extend_from_slice(workspace.0.as_bytes());
        let own = hmac::sign(&hmac::Key::new(HMAC_SHA256, key.bytes()), &text);
        Self(hmac::Key::new(HMAC_SHA256, own.as_ref()))
    }

    /// The hash of a text.
    pub fn hash(&self, text: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.iter_mut().zip(hmac::sign(&self.0, text).as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }
}

impl Secrets {
    /// The pepper of a workspace, made at the first use; without SQL when the workspace's key was used here before.
    ///
    /// # Errors
    /// When there is no master key, or the database failed.
    pub async fn pepper(&self, workspace: WorkspaceId) -> Result<Pepper, SecretError> {
        let kept = self.kept().iter().find(|((of, _), _)| *of == workspace).map(|(_, key)| Arc::clone(key));
        let key = match kept {
            Some(key) => key,
            None => self.workspace_key(workspace).await?.key,
        };
        Ok(Pepper::of_key(workspace, &key))
    }
}

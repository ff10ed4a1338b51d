//! Keys for checking, which follow from a workspace's key: what hashes of API keys are made with besides the key, so that a
//! copy of the database alone checks none, and what links are signed with. A rotation of the master key only wraps the
//! workspace's key anew: hashes and links stay right.

use std::sync::Arc;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use engine::id::WorkspaceId;

use super::envelope::Key;
use super::{SecretError, Secrets};

/// What a pepper is for. Each use of a workspace's key is kept apart from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Hashes of API keys.
    ApiKey,
    /// Links to files.
    FileLink,
}

impl Use {
    fn label(self) -> &'static [u8] {
        match self {
            Self::ApiKey => b"flowforge/api-key/1\0",
            Self::FileLink => b"flowforge/file-link/1\0",
        }
    }
}

/// A workspace's pepper.
pub struct Pepper(hmac::Key);

impl Pepper {
    fn of_key(workspace: WorkspaceId, key: &Key, r#use: Use) -> Self {
        let mut text = r#use.label().to_vec();
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

    /// Whether a hash is that of a text; the time it takes does not tell where they differ.
    pub fn is_hash(&self, text: &[u8], hash: &[u8]) -> bool {
        hmac::verify(&self.0, text, hash).is_ok()
    }
}

impl Secrets {
    /// The pepper of a workspace, made at the first use; without SQL when the workspace's key was used here before.
    ///
    /// # Errors
    /// When there is no master key, or the database failed.
    pub async fn pepper(&self, workspace: WorkspaceId, r#use: Use) -> Result<Pepper, SecretError> {
        let kept = self.kept().iter().find(|((of, _), _)| *of == workspace).map(|(_, key)| Arc::clone(key));
        let key = match kept {
            Some(key) => key,
            None => self.workspace_key(workspace).await?.key,
        };
        Ok(Pepper::of_key(workspace, &key, r#use))
    }
}

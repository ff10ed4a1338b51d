//! Signing what is published, by a key that follows from the workspace's key: it is kept nowhere.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use engine::id::{WorkspaceId, WorkspaceKeyId};
use engine::time::Timestamp;

use super::envelope::damaged;
use super::{SecretError, Secrets, WorkspaceKey};
use crate::database::from_column;

/// Keeps this use of a workspace's key apart from all others.
const LABEL: &[u8] = b"flowforge/signing/1\0";

/// A workspace's Ed25519 key.
pub struct Signer {
    id: WorkspaceKeyId,
    pair: Ed25519KeyPair,
}

impl WorkspaceKey {
    /// The key that signs what the workspace publishes.
    ///
    /// # Errors
    /// Never with a key that this type can hold; the library might say otherwise.
    pub fn signer(&self) -> Result<Signer, SecretError> {
        let mut text = LABEL.to_vec();
        text.extend_from_slice(self.workspace.0.as_bytes());
        let seed = hmac::sign(&hmac::Key::new(HMAC_SHA256, self.key.bytes()), &text);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| damaged("the signing key"))?;
        Ok(Signer { id: self.id, pair })
    }
}

impl Signer {
    /// Which key it is.
    pub fn id(&self) -> WorkspaceKeyId {
        self.id
    }

    /// The 64 bytes of a signature.
    pub fn sign(&self, statement: &[u8]) -> Vec<u8> {
        self.pair.sign(statement).as_ref().to_vec()
    }

    /// Whether this key signed it.
    pub fn verifies(&self, statement: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public_key()).verify(statement, signature).is_ok()
    }

    /// The 32 bytes that anybody can check signatures by.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

impl Secrets {
    /// The key that signed or signs for a workspace, without making one; `None` when it has no key.
    ///
    /// # Errors
    /// When the key does not open here, or the database failed.
    pub async fn signer(&self, workspace: WorkspaceId) -> Result<Option<Signer>, SecretError> {
        let Some(row) = self.find_workspace_key(workspace).await? else { return Ok(None) };
        let key = self.unwrapped(&row)?;
        WorkspaceKey { id: WorkspaceKeyId(row.id), workspace, key }.signer().map(Some)
    }

    /// Since when a workspace has its key; `None` when it has none.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn keyed_since(&self, workspace: WorkspaceId) -> Result<Option<Timestamp>, SecretError> {
        Ok(self.find_workspace_key(workspace).await?.map(|row| from_column(row.created_at)))
    }
}

//! AES-256-GCM, and what each ciphertext is bound to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use engine::id::{WorkspaceId, WorkspaceKeyId};
use zeroize::Zeroizing;

use super::{SecretError, Slot};

/// Bytes of a key.
pub(super) const KEY_LEN: usize = 32;
/// The first byte of everything sealed: cipher and layout.
const LAYOUT: u8 = 1;

/// A key whose memory is overwritten when it is dropped.
pub(super) struct Key(Zeroizing<[u8; KEY_LEN]>);

/// The ciphertext, the key or the context is not what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DoesNotOpen;

impl Key {
    /// A key of these bytes.
    pub(super) fn of(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        Self(bytes)
    }

    /// A random key.
    pub(super) fn draw() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(bytes.as_mut_slice()).map_err(SecretError::Random)?;
        Ok(Self(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> Result<LessSafeKey, DoesNotOpen> {
        UnboundKey::new(&AES_256_GCM, self.bytes()).map(LessSafeKey::new).map_err(|_| DoesNotOpen)
    }

    /// Layout, a random nonce, ciphertext and tag.
    pub(super) fn seal(&self, context: &Context, plain: &[u8]) -> Result<Vec<u8>, SecretError> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(SecretError::Random)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        // The cipher works in place: on this copy the plain text is overwritten by the ciphertext. With room for the tag
        // it is not moved, which would leave a copy behind.
        let mut body = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(plain);
        let cipher = self.cipher().map_err(|_| damaged("a new secret"))?;
        cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&context.0), &mut body)
            .map_err(|_| damaged("a new secret"))?;
        sealed.push(LAYOUT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// What was sealed by this key in this context.
    pub(super) fn open(&self, context: &Context, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (layout, rest) = sealed.split_first().ok_or(DoesNotOpen)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        if *layout != LAYOUT {
            return Err(DoesNotOpen);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain =
            self.cipher()?.open_in_place(nonce, Aad::from(&context.0), &mut body).map_err(|_| DoesNotOpen)?.len();
        body.truncate(plain);
        Ok(body)
    }
}

/// The error of something that does not open.
pub(super) fn damaged(what: &str) -> SecretError {
    SecretError::Damaged { what: what.to_owned() }
}

/// What a ciphertext is bound to: a label, then parts of fixed length, then at most one name.
pub(super) struct Context(Vec<u8>);

impl Context {
    /// A workspace's key under a master key.
    pub(super) fn workspace_key(workspace: WorkspaceId, key: WorkspaceKeyId) -> Self {
        Self([b"flowforge/workspace-key/1\0".as_slice(), workspace.0.as_bytes(), key.0.as_bytes()].concat())
    }

    /// A value's own key under the workspace's.
    pub(super) fn own_key(workspace: WorkspaceId, key: WorkspaceKeyId, slot: Slot<'_>) -> Self {
        let label = b"flowforge/own-key/1\0".as_slice();
        Self([label, key.0.as_bytes(), &place(workspace, slot)].concat())
    }

    /// A value under its own key.
    pub(super) fn value(workspace: WorkspaceId, slot: Slot<'_>) -> Self {
        Self([b"flowforge/secret/1\0".as_slice(), &place(workspace, slot), slot.field.as_bytes()].concat())
    }
}

fn place(workspace: WorkspaceId, slot: Slot<'_>) -> Vec<u8> {
    let (connection, secret) = (slot.connection.0, slot.secret.0);
    let ids = [workspace.0.as_bytes().as_slice(), connection.as_bytes(), secret.as_bytes()].concat();
    [ids.as_slice(), &slot.version.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_the_same_key_and_context_only() {
        let (key, other) = (Key::draw().unwrap(), Key::draw().unwrap());
        let (here, there) = (Context(b"here".to_vec()), Context(b"there".to_vec()));
        let sealed = key.seal(&here, b"hush").unwrap();
        assert_eq!(key.open(&here, &sealed).unwrap().as_slice(), b"hush");
        assert!(key.open(&there, &sealed).is_err());
        assert!(other.open(&here, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(&here, &changed).is_err(), "byte {at}");
            assert!(key.open(&here, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_the_same_way_twice() {
        let (key, context) = (Key::draw().unwrap(), Context(Vec::new()));
        assert_ne!(key.seal(&context, b"hush").unwrap(), key.seal(&context, b"hush").unwrap());
    }
}

//! Signs cursors, so that nobody but this installation makes them. The key comes from the workspace's salt: every
//! process knows it without a setting, and a cursor of one workspace is none in another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// How many bytes of the signature a cursor carries.
const SIGNATURE_LEN: usize = 12;

/// What a workspace's cursors are signed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CursorKey([u8; 16]);

impl CursorKey {
    /// The key of the workspace with this salt.
    pub fn of_salt(salt: [u8; 16]) -> Self {
        Self(salt)
    }

    /// A cursor of a list of this `kind`. Its place can be read by anybody and made up by nobody.
    pub fn cursor(&self, kind: &str, place: &str) -> String {
        let mut bytes = self.sign(kind, place.as_bytes()).to_vec();
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor of a list of this `kind` names; `None` when it is not one of ours.
    pub fn place(&self, kind: &str, cursor: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (found, place) = bytes.split_at_checked(SIGNATURE_LEN)?;
        let is_ours: bool = found.ct_eq(&self.sign(kind, place)).into();
        is_ours.then(|| String::from_utf8(place.to_vec()).ok()).flatten()
    }

    fn sign(&self, kind: &str, place: &[u8]) -> [u8; SIGNATURE_LEN] {
        let mut signature = [0; SIGNATURE_LEN];
        // A key of 16 bytes is one that HMAC takes; the empty signature of the other case is never right either.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(b"flowforge cursor\0");
            mac.update(kind.as_bytes());
            mac.update(&[0]);
            mac.update(place);
            signature.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        }
        signature
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_and_workspace_only() {
        let key = CursorKey::of_salt([1; 16]);
        let made = key.cursor("runs", "run_1");
        assert_eq!(key.place("runs", &made).as_deref(), Some("run_1"));
        assert_eq!(key.place("workflows", &made), None);
        assert_eq!(CursorKey::of_salt([2; 16]).place("runs", &made), None);
        for wrong in ["", "x", "äöü", "AAAA", "////////", &URL_SAFE_NO_PAD.encode("000000000000run_2")] {
            assert_eq!(key.place("runs", wrong), None, "{wrong}");
        }
        for at in 0..made.len() {
            let mut bytes = made.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(key.place("runs", &damaged).is_none_or(|found| found == "run_1"), "{damaged}");
        }
        assert_eq!(format!("{key:?}"), "CursorKey(…)");
    }
}

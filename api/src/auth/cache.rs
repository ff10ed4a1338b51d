//! Keys that were right a moment ago: a request costs no SQL for its credential.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Viewer;
use super::api_key::KeyHash;

/// How long a verified key is believed. A key revoked by another process works for this long at most.
const BELIEVED_FOR: Duration = Duration::from_secs(5);
/// More keys than this at once start over with an empty cache.
const MOST_KEYS: usize = 10_000;

/// Verified keys by their hash. Wrong keys are not kept: whoever guesses could fill it.
#[derive(Debug, Default)]
pub struct KeyCache {
    entries: Mutex<HashMap<KeyHash, (Viewer, Instant)>>,
}

impl KeyCache {
    /// The viewer of this key, when it was verified a moment ago.
    pub fn find(&self, hash: &KeyHash, now: Instant) -> Option<Viewer> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(hash)
            .filter(|(_, at)| now.saturating_duration_since(*at) < BELIEVED_FOR)
            .map(|(viewer, _)| viewer.clone())
    }

    /// Whether this key was right once, since when whatever.
    pub fn knew(&self, hash: &KeyHash) -> bool {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).contains_key(hash)
    }

    /// Remembers a key that was just verified.
    pub fn put(&self, hash: KeyHash, viewer: Viewer, now: Instant) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST_KEYS {
            entries.clear();
        }
        entries.insert(hash, (viewer, now));
    }

    /// Forgets whatever concerns these, as [`Viewer::subjects`] names them.
    pub fn forget(&self, subjects: &BTreeSet<String>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, (viewer, _)| !viewer.subjects().iter().any(|subject| subjects.contains(subject)));
    }

    /// Whether nothing is believed.
    pub fn is_empty(&self) -> bool {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Forgets everything, after a key was revoked here.
    pub fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::cursor::CursorKey;
    use crate::auth::{Principal, Role};
    use engine::id::{ApiKeyId, WorkspaceId};

    #[test]
    fn a_key_is_believed_for_five_seconds() {
        let cache = KeyCache::default();
        let viewer = Viewer {
            workspace: WorkspaceId(uuid::Uuid::from_u128(1)),
            principal: Principal::ApiKey(ApiKeyId(uuid::Uuid::from_u128(2))),
            key: Some(ApiKeyId(uuid::Uuid::from_u128(2))),
            session: None,
            name: "ci".into(),
            role: "viewer".into(),
            permissions: Role::Viewer.permissions(),
            projects: None,
            request: None,
            cursors: CursorKey::of_salt([0; 16]),
        };
        let viewer_key = ApiKeyId(uuid::Uuid::from_u128(2));
        let start = Instant::now();
        cache.put(KeyHash([7; 32]), viewer.clone(), start);
        let just_before = start + Duration::from_millis(4_999);
        assert_eq!(cache.find(&KeyHash([7; 32]), just_before), Some(viewer));
        assert_eq!(cache.find(&KeyHash([8; 32]), just_before), None);
        assert_eq!(cache.find(&KeyHash([7; 32]), start + BELIEVED_FOR), None);
        assert!(cache.knew(&KeyHash([7; 32])) && !cache.knew(&KeyHash([8; 32])));
        cache.forget(&BTreeSet::from(["key_0".to_owned()]));
        assert!(!cache.is_empty());
        cache.forget(&BTreeSet::from([viewer_key.to_string()]));
        assert!(cache.is_empty());
        cache.clear();
        assert_eq!(cache.find(&KeyHash([7; 32]), start), None);
    }
}

//! Values behind their references: small ones travel along, large ones lie in the blob store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use engine::id::WorkspaceId;
use engine::value::{Digest, INLINE_LIMIT, ValueRef};
use futures::StreamExt as _;
use serde_json::Value;

use crate::blob::{BlobError, BlobStore, Pieces};

/// Largest value of a node, in bytes of JSON. Larger things are files.
pub const VALUE_LIMIT: usize = 64 * 1024 * 1024;

/// Values of at least this many bytes are kept parsed: a list that a `for_each` goes through is read once, not once an
/// item.
const WORTH_KEEPING: u64 = 2 * 1024;

/// Why a value cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// It is over [`VALUE_LIMIT`].
    #[error("a value of {len} bytes is over the limit of {VALUE_LIMIT}; keep large things in files")]
    TooLarge {
        /// Its length.
        len: usize,
    },
    /// The blob store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    /// Its bytes are neither here nor in the store.
    #[error("the bytes of value {0} are gone")]
    Missing(Digest),
    /// Its bytes are not JSON.
    #[error("the bytes of value {0} are not JSON")]
    Malformed(Digest),
}

/// A workspace as far as its values are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// The workspace.
    pub id: WorkspaceId,
    /// What its digests are salted with.
    pub salt: [u8; 16],
}

/// Makes references to values and finds the values again.
#[derive(Clone)]
pub struct Values {
    blobs: BlobStore,
    parsed: Arc<Mutex<Parsed>>,
}

impl Values {
    /// Values whose large ones lie in `blobs`; keeps up to `cache_bytes` of JSON parsed.
    pub fn new(blobs: BlobStore, cache_bytes: u64) -> Self {
        Self { blobs, parsed: Arc::new(Mutex::new(Parsed { limit: cache_bytes, ..Parsed::default() })) }
    }

    /// Refers to a value. A large one is durable in the blob store when this returns.
    ///
    /// # Errors
    /// When the value is too large or the store fails.
    pub async fn keep(&self, tenant: &Tenant, value: Value) -> Result<ValueRef, ValueError> {
        let (reference, bytes) = ValueRef::of(&tenant.salt, &value);
        if bytes.len() > VALUE_LIMIT {
            return Err(ValueError::TooLarge { len: bytes.len() });
        }
        if reference.is_blob() {
            self.blobs.put(tenant.id, reference.digest, bytes).await?;
        }
        self.remember(&reference, &Arc::new(value));
        Ok(reference)
    }

    /// The value, parsed.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn get(&self, workspace: WorkspaceId, reference: &ValueRef) -> Result<Arc<Value>, ValueError> {
        if let Some(value) = self.lock().get(&reference.digest) {
            return Ok(value);
        }
        let bytes = self.bytes(workspace, reference).await?;
        let value = serde_json::from_slice(&bytes).map_err(|_| ValueError::Malformed(reference.digest))?;
        let value = Arc::new(value);
        self.remember(reference, &value);
        Ok(value)
    }

    /// The value's canonical JSON.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn bytes(&self, workspace: WorkspaceId, reference: &ValueRef) -> Result<Bytes, ValueError> {
        match &reference.inline {
            Some(bytes) => Ok(bytes.clone()),
            None if reference.len > INLINE_LIMIT as u64 => Ok(self.blobs.get(workspace, reference.digest).await?),
            None => Err(ValueError::Missing(reference.digest)),
        }
    }

    /// The value's canonical JSON as it comes, without being in memory as a whole.
    ///
    /// # Errors
    /// When its bytes cannot be had; the pieces then, too.
    pub async fn pieces(&self, workspace: WorkspaceId, reference: &ValueRef) -> Result<Pieces, ValueError> {
        if reference.inline.is_none() && reference.is_blob() {
            return Ok(self.blobs.pieces(workspace, reference.digest, reference.len).await?);
        }
        let bytes = self.bytes(workspace, reference).await?;
        Ok(futures::stream::once(std::future::ready(Ok(bytes))).boxed())
    }

    fn remember(&self, reference: &ValueRef, value: &Arc<Value>) {
        if reference.len >= WORTH_KEEPING {
            self.lock().insert(reference.digest, reference.len, value.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Parsed> {
        // The cache holds no invariant that a panic could break.
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parsed values, the least recently used dropped first. Digests are salted per workspace, so that one workspace's
/// digest finds nothing of another's.
#[derive(Default)]
struct Parsed {
    entries: HashMap<Digest, Entry>,
    bytes: u64,
    limit: u64,
    tick: u64,
}

struct Entry {
    value: Arc<Value>,
    len: u64,
    used: u64,
}

impl Parsed {
    fn get(&mut self, digest: &Digest) -> Option<Arc<Value>> {
        self.tick += 1;
        let entry = self.entries.get_mut(digest)?;
        entry.used = self.tick;
        Some(entry.value.clone())
    }

    fn insert(&mut self, digest: Digest, len: u64, value: Arc<Value>) {
        if len > self.limit / 2 {
            return;
        }
        self.tick += 1;
        if let Some(old) = self.entries.insert(digest, Entry { value, len, used: self.tick }) {
            self.bytes -= old.len;
        }
        self.bytes += len;
        if self.bytes > self.limit {
            self.drop_older_half();
        }
    }

    /// Dropping half at once keeps the cost per insertion small without a second index.
    fn drop_older_half(&mut self) {
        let mut ages: Vec<u64> = self.entries.values().map(|entry| entry.used).collect();
        let middle = ages.len() / 2;
        let (_, median, _) = ages.select_nth_unstable(middle);
        let median = *median;
        self.entries.retain(|_, entry| entry.used > median);
        self.bytes = self.entries.values().map(|entry| entry.len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest([number; 32])
    }

    #[test]
    fn the_cache_stays_within_its_limit_and_keeps_what_was_used_last() {
        let mut parsed = Parsed { limit: 100, ..Parsed::default() };
        for number in 0..50 {
            parsed.insert(digest(number), 10, Arc::new(Value::Null));
            assert!(parsed.get(&digest(number)).is_some());
            assert!(parsed.bytes <= 100);
        }
        assert!(parsed.get(&digest(49)).is_some());
        assert!(parsed.get(&digest(0)).is_none());
    }
}

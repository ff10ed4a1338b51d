//! Values behind their references: small ones travel along, large ones lie in the blob store.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use engine::expression::Extent;
use engine::id::WorkspaceId;
use engine::value::{Digest, INLINE_LIMIT, ValueRef};
use futures::StreamExt as _;
use serde_json::Value;

use crate::blob::{BlobError, BlobStore, Pieces};

/// Largest value of a node, in bytes of JSON. Larger things are files.
pub const VALUE_LIMIT: usize = 64 * 1024 * 1024;

/// Of values of at least this many bytes only what is read is taken into memory; smaller ones are read whole, once for
/// everybody who reads another part of them.
const WORTH_PICKING: u64 = 1024 * 1024;

/// Most large values that are read at the same time.
const LARGE_AT_ONCE: usize = 8;

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
    /// Held while a large value is read: whoever wants the same one waits and finds it, instead of reading it beside.
    large: Arc<[tokio::sync::Mutex<()>; LARGE_AT_ONCE]>,
}

impl Values {
    /// Values whose large ones lie in `blobs`; keeps up to `cache_bytes` of JSON parsed.
    pub fn new(blobs: BlobStore, cache_bytes: u64) -> Self {
        Self {
            blobs,
            parsed: Arc::new(Mutex::new(Parsed { limit: cache_bytes, ..Parsed::default() })),
            large: Arc::default(),
        }
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
        let _turn = self.turn(reference).await;
        if let Some(value) = self.lock().get(&reference.digest) {
            return Ok(value);
        }
        let bytes = self.bytes(workspace, reference).await?;
        let value = serde_json::from_slice(&bytes).map_err(|_| ValueError::Malformed(reference.digest))?;
        let value = Arc::new(value);
        self.remember(reference, &value);
        Ok(value)
    }

    /// Whether a value is kept once it is read, so that the next one who reads it finds it.
    pub fn keeps(&self, reference: &ValueRef) -> bool {
        reference.len < WORTH_PICKING || self.lock().takes(reference.len)
    }

    /// The value, as far as `extent` reads it. Nothing is fetched of a value that nobody reads.
    ///
    /// # Errors
    /// When its bytes cannot be had.
    pub async fn part(
        &self,
        workspace: WorkspaceId,
        reference: &ValueRef,
        extent: &Extent,
    ) -> Result<Arc<Value>, ValueError> {
        if extent.is_nothing() {
            return Ok(nothing());
        }
        if extent.is_whole() || reference.len < WORTH_PICKING {
            return self.get(workspace, reference).await;
        }
        // The extent's own form tells extents apart; salted with the digest, it is no other value's.
        let part = Digest::of(&reference.digest.0, format!("{extent:?}").as_bytes());
        let known = || {
            let mut parsed = self.lock();
            parsed.get(&reference.digest).or_else(|| parsed.get(&part))
        };
        if let Some(value) = known() {
            return Ok(value);
        }
        let _turn = self.turn(reference).await;
        if let Some(value) = known() {
            return Ok(value);
        }
        let bytes = self.bytes(workspace, reference).await?;
        let value = extent.read(&bytes).map_err(|_| ValueError::Malformed(reference.digest))?;
        let value = Arc::new(value);
        self.lock().insert(part, json_len(&value), value.clone());
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

    /// A turn at reading, of a value that is large.
    async fn turn(&self, reference: &ValueRef) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let place = usize::from(reference.digest.0[0]) % LARGE_AT_ONCE;
        match self.large.get(place) {
            Some(turns) if reference.len >= WORTH_PICKING => Some(turns.lock().await),
            _ => None,
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

/// Stands for what nobody reads.
pub(crate) fn nothing() -> Arc<Value> {
    static NOTHING: LazyLock<Arc<Value>> = LazyLock::new(|| Arc::new(Value::Null));
    Arc::clone(&NOTHING)
}

/// How many bytes a value's JSON has.
fn json_len(value: &Value) -> u64 {
    struct Counter(u64);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // Writing to a counter cannot fail.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
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

    fn takes(&self, len: u64) -> bool {
        len <= self.limit / 2
    }

    fn insert(&mut self, digest: Digest, len: u64, value: Arc<Value>) {
        if !self.takes(len) {
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

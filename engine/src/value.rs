//! References to values. The core decides by them alone and never reads what they stand for.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Values up to this many bytes ride inside database rows; larger ones are blobs in the artifact store.
/// Two of them (input and output) fit a run's row under the 64 KiB that no row may pass.
pub const INLINE_LIMIT: usize = 24 * 1024;

/// SHA-256 over the workspace's salt and a value's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes` in a workspace. The salt keeps an expired payload from being guessed by its digest.
    pub fn of(salt: &[u8], bytes: &[u8]) -> Self {
        Self(Sha256::new().chain_update(salt).chain_update(bytes).finalize().into())
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The JSON kind of a value; known without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ValueKind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// any number
    Number,
    /// a string
    String,
    /// an array
    List,
    /// an object
    Object,
}

impl ValueKind {
    /// The kind of a parsed value.
    pub fn of(value: &serde_json::Value) -> Self {
        use serde_json::Value as V;
        match value {
            V::Null => Self::Null,
            V::Bool(_) => Self::Boolean,
            V::Number(_) => Self::Number,
            V::String(_) => Self::String,
            V::Array(_) => Self::List,
            V::Object(_) => Self::Object,
        }
    }
}

/// What the core knows of a value. Equality and the journal leave out `inline`: it is only the bytes travelling along.
#[derive(Clone, Serialize, Deserialize)]
pub struct ValueRef {
    /// Content address within the workspace.
    pub digest: Digest,
    /// Length of the canonical JSON in bytes.
    pub len: u64,
    /// JSON kind.
    pub kind: ValueKind,
    /// The bytes, when they are at hand and at most [`INLINE_LIMIT`].
    #[serde(skip)]
    pub inline: Option<Bytes>,
}

impl PartialEq for ValueRef {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.len == other.len && self.kind == other.kind
    }
}

impl Eq for ValueRef {}

impl std::fmt::Debug for ValueRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} B, {:?})", self.kind, self.len, self.digest)
    }
}

impl ValueRef {
    /// Refers to `value` and hands back its canonical bytes (object keys sorted). The reference carries them along
    /// when they are small enough; otherwise the caller stores them as a blob before anything refers to them.
    pub fn of(salt: &[u8], value: &serde_json::Value) -> (Self, Bytes) {
        // `serde_json::Value` keeps object keys sorted and cannot fail to serialize to memory.
        let bytes = Bytes::from(serde_json::to_vec(value).unwrap_or_default());
        let inline = (bytes.len() <= INLINE_LIMIT).then(|| bytes.clone());
        (Self { digest: Digest::of(salt, &bytes), len: bytes.len() as u64, kind: ValueKind::of(value), inline }, bytes)
    }

    /// Whether the value's home is the artifact store rather than a database row.
    pub fn is_blob(&self) -> bool {
        self.len > INLINE_LIMIT as u64
    }
}

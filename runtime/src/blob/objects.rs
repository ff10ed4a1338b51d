//! Where bytes lie: in a folder, or behind an S3 API. Both keep the same promises, held by one suite of tests.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine::id::WorkspaceId;
use engine::time::Timestamp;
use engine::value::Digest;
use futures::stream::BoxStream;
use uuid::Uuid;

use super::BlobError;

/// Things under way that are older belong to a process that is gone.
pub(super) const ABANDONED_AFTER: Duration = Duration::from_secs(86_400);

/// Bytes as they come.
pub type Pieces = BoxStream<'static, Result<Bytes, BlobError>>;

/// The place of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    /// Whose.
    pub(super) workspace: WorkspaceId,
    /// Which.
    pub(super) digest: Digest,
}

impl Address {
    /// `<workspace>/<first two digits>/<digest>`, below the root of the store.
    pub(super) fn path(&self) -> String {
        let hex = self.digest.to_string();
        format!("{}/{}/{hex}", self.workspace.0.simple(), hex.get(..2).unwrap_or_default())
    }

    /// The place of a path; `None` for what no blob is called.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let (workspace, hex) = (path.split('/').next()?, path.rsplit('/').next()?);
        let mut digest = [0; 32];
        hex::decode_to_slice(hex, &mut digest).ok()?;
        let place = Self { workspace: WorkspaceId(workspace.parse().ok()?), digest: Digest(digest) };
        (place.path() == path).then_some(place)
    }
}

/// An object as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name below the root of the store.
    pub(super) path: String,
    /// Bytes.
    pub(super) size: u64,
}

/// What is being taken lies below this.
pub(super) const UNDER_WAY: &str = "under-way";

/// What a store of bytes does. A place holds the whole of what was put there, or nothing.
#[async_trait]
pub(super) trait Objects: std::fmt::Debug + Send + Sync {
    /// Makes bytes durable at their place. What is there already with the same length is left as it is.
    async fn put(&self, at: Address, bytes: Bytes, unique: Uuid) -> Result<(), BlobError>;

    /// Begins to take bytes whose place is known only when all of them came.
    async fn begin(&self, unique: Uuid) -> Result<Box<dyn Upload>, BlobError>;

    /// Makes what was taken under `unique` durable at its place.
    async fn settle(&self, unique: Uuid, size: u64, at: Address) -> Result<(), BlobError>;

    /// The bytes of a place, or a part of them that begins within it and is not empty.
    async fn read(&self, at: Address, range: Option<Range<u64>>) -> Result<Pieces, BlobError>;

    /// How many bytes are at a place; `None` where nothing is.
    async fn size(&self, at: Address) -> Result<Option<u64>, BlobError>;

    /// Deletes what is at a place. That nothing was there is as good.
    async fn delete(&self, at: Address) -> Result<(), BlobError>;

    /// Everything that is there, a page at a time: the next one is asked for by what the page before gave.
    async fn list(&self, after: Option<String>) -> Result<(Vec<Listed>, Option<String>), BlobError>;

    /// Deletes what processes that are gone left half taken.
    async fn delete_abandoned(&self, now: Timestamp) -> Result<(), BlobError>;

    /// The links by which others get at the bytes without us; `None` where all bytes go through this process.
    fn links(&self) -> Option<&dyn Links> {
        None
    }
}

/// What a link to a blob says besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    /// `Content-Disposition`.
    pub(super) disposition: &'a str,
    /// `Content-Type`.
    pub(super) media_type: &'a str,
}

/// Signed links, and what was sent by them.
#[async_trait]
pub(super) trait Links: Send + Sync {
    /// Where whoever has it may get a blob.
    async fn download(&self, at: Address, shown: Shown<'_>, lives: Duration) -> Result<Link, BlobError>;

    /// Where whoever has it may put so many bytes, which then wait under `sent`.
    async fn upload(&self, sent: Uuid, size: u64, lives: Duration) -> Result<Link, BlobError>;

    /// How many bytes wait under `sent`; `None` when nothing does.
    async fn sent(&self, sent: Uuid) -> Result<Option<u64>, BlobError>;

    /// Copies what was sent to `unique`, where whoever has the link cannot change it any more.
    async fn take(&self, sent: Uuid, size: u64, unique: Uuid) -> Result<(), BlobError>;

    /// The bytes that were taken.
    async fn taken(&self, unique: Uuid) -> Result<Pieces, BlobError>;

    /// Deletes what was sent. That nothing was is as good.
    async fn forget(&self, sent: Uuid) -> Result<(), BlobError>;
}

/// A request that needs no more leave than it has.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to.
    pub url: String,
    /// Headers that have to go along.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Bytes that are being taken.
#[async_trait]
pub(super) trait Upload: Send {
    /// Takes the next ones.
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError>;

    /// All of them came and are durable; they wait to be settled.
    async fn finish(self: Box<Self>) -> Result<(), BlobError>;

    /// They are not wanted.
    async fn abandon(self: Box<Self>);
}

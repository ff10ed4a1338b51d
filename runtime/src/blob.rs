//! Values too large for a row, and files. Their bytes are objects under their digests; a row for each says when it was last
//! put; `blob_ref` says which runs refer to it, and `artifact` which files.
//!
//! A reference never dangles. Putting first commits the row as touched, then makes the object durable; only then does
//! anybody refer to it, and the transaction that does locks the row and is refused when it is missing or doomed. The
//! sweep marks what nothing refers to, waits a day, dooms it under the row's lock after looking again, and only then
//! deletes the object and the row, under the lock once more. Putting a doomed blob again lifts the doom, or waits for the
//! lock and makes row and object anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use engine::id::WorkspaceId;
use engine::value::Digest;
use entity::{blob, workspace};
use futures::TryStreamExt as _;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _};

use crate::clock::Clock;
use crate::database::{Database, to_column};

mod check;
mod folder;
mod link;
mod objects;
mod s3;
mod stream;
mod sweep;

#[cfg(test)]
mod tests;

pub use check::Checked;
pub use objects::{Link, Pieces};
pub use s3::{BucketLinks, S3Settings};
pub use stream::{ReceiveError, Received};
pub use sweep::Swept;

use folder::Folder;
use objects::{Address, Objects};
use s3::S3;

/// Why a blob cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A file or folder of the store failed.
    #[error("{path} in the artifact store failed: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The server of the bucket failed, or refused.
    #[error("{what} in the artifact store failed: {said}")]
    Bucket {
        /// What was tried.
        what: String,
        /// What it says.
        said: String,
    },
    /// There is no such blob.
    #[error("there is no blob {0}")]
    Missing(Digest),
    /// The bytes there are not those that were put.
    #[error("the bytes of blob {0} were changed or damaged")]
    Damaged(Digest),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl BlobError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Bucket { .. } => "ARTIFACT_STORE_FAILED",
            Self::Missing(_) => "BLOB_MISSING",
            Self::Damaged(_) => "BLOB_DAMAGED",
            Self::Database(_) => "DATABASE_FAILED",
        }
    }
}

/// A place in putting or sweeping at which tests let something else happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    PutBegins,
    PutTouched,
    PutStored,
    SweepBegins,
    SweepMarked,
    SweepListed,
    SweepLookedAgain,
    SweepDoomed,
    SweepLocked,
    SweepUnlinked,
    SweepDeleted,
}

/// What tests do at a [`Point`].
#[cfg(test)]
pub(crate) type Pause = Arc<dyn Fn(Point) -> futures::future::BoxFuture<'static, ()> + Send + Sync>;

/// The blobs of a database. Cheap to clone.
#[derive(Clone)]
pub struct BlobStore {
    objects: Arc<dyn Objects>,
    database: Database,
    clock: Clock,
    /// A workspace's salt never changes.
    salts: Arc<Mutex<HashMap<WorkspaceId, Vec<u8>>>>,
    #[cfg(test)]
    pause: Option<Pause>,
}

impl BlobStore {
    /// Blobs in a folder, made when it is not there. Every process on the same database needs the same folder.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn folder(root: &Path, database: Database, clock: Clock) -> Result<Self, BlobError> {
        Ok(Self::new(Arc::new(Folder::open(root)?), database, clock))
    }

    /// Blobs in a bucket.
    ///
    /// # Errors
    /// When there is no such bucket, or it may not be used.
    pub async fn s3(settings: &S3Settings, database: Database, clock: Clock) -> Result<Self, BlobError> {
        Ok(Self::new(Arc::new(S3::open(settings).await?), database, clock))
    }

    fn new(objects: Arc<dyn Objects>, database: Database, clock: Clock) -> Self {
        Self {
            objects,
            database,
            clock,
            salts: Arc::default(),
            #[cfg(test)]
            pause: None,
        }
    }

    /// Keeps the bytes under their digest; durable when this returns. Whoever refers to the blob does so within a day,
    /// or puts it again.
    ///
    /// # Errors
    /// When the store or the database fails.
    pub async fn put(&self, workspace: WorkspaceId, digest: Digest, bytes: Bytes) -> Result<(), BlobError> {
        self.at(Point::PutBegins).await;
        self.touch(workspace, digest, bytes.len() as u64).await?;
        self.at(Point::PutTouched).await;
        self.objects.put(Address { workspace, digest }, bytes, self.clock.new_id()).await?;
        self.at(Point::PutStored).await;
        Ok(())
    }

    async fn touch(&self, workspace: WorkspaceId, digest: Digest, size: u64) -> Result<(), BlobError> {
        let row = blob::ActiveModel {
            workspace_id: Set(workspace.0),
            digest: Set(digest.0.to_vec()),
            size: Set(i64::try_from(size).unwrap_or(i64::MAX)),
            touched_at: Set(to_column(self.clock.now())),
            marked_at: Set(None),
            doomed_at: Set(None),
        };
        let again = OnConflict::columns([blob::Column::WorkspaceId, blob::Column::Digest])
            .update_columns([blob::Column::TouchedAt, blob::Column::MarkedAt, blob::Column::DoomedAt])
            .to_owned();
        blob::Entity::insert(row).on_conflict(again).exec_without_returning(self.database.write()).await?;
        Ok(())
    }

    /// The bytes of a blob, held against its digest.
    ///
    /// # Errors
    /// When it is not there, was damaged, or the store fails.
    pub async fn get(&self, workspace: WorkspaceId, digest: Digest) -> Result<Bytes, BlobError> {
        let salt = self.salt(workspace).await?.ok_or(BlobError::Missing(digest))?;
        let mut pieces = self.objects.read(Address { workspace, digest }, None).await?;
        let (mut first, mut more) = (pieces.try_next().await?.unwrap_or_default(), BytesMut::new());
        while let Some(piece) = pieces.try_next().await? {
            if more.is_empty() {
                more = std::mem::take(&mut first).into();
            }
            more.extend_from_slice(&piece);
        }
        let bytes = if more.is_empty() { first } else { more.freeze() };
        if Digest::of(&salt, &bytes) == digest { Ok(bytes) } else { Err(BlobError::Damaged(digest)) }
    }

    /// Whether the object of a blob is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn exists(&self, workspace: WorkspaceId, digest: Digest) -> Result<bool, BlobError> {
        Ok(self.objects.size(Address { workspace, digest }).await?.is_some())
    }

    /// The salt of a workspace that is there.
    async fn salt_of(&self, id: WorkspaceId) -> Result<Vec<u8>, BlobError> {
        let gone = || DbErr::RecordNotFound(format!("there is no workspace {id}"));
        Ok(self.salt(id).await?.ok_or_else(gone)?)
    }

    async fn salt(&self, id: WorkspaceId) -> Result<Option<Vec<u8>>, BlobError> {
        if let Some(salt) = self.salts.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(salt.clone()));
        }
        let found = workspace::Entity::find_by_id(id.0).one(self.database.read()).await?.map(|row| row.salt);
        if let Some(salt) = &found {
            self.salts.lock().unwrap_or_else(PoisonError::into_inner).insert(id, salt.clone());
        }
        Ok(found)
    }

    #[cfg(test)]
    pub(crate) fn pausing(mut self, pause: Pause) -> Self {
        self.pause = Some(pause);
        self
    }

    #[cfg(test)]
    async fn at(&self, point: Point) {
        if let Some(pause) = &self.pause {
            pause(point).await;
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_async, reason = "tests wait here")]
    async fn at(&self, _: Point) {}
}

//! Values too large for a row. Their bytes are files under their digests; a row for each says when it was last put, and
//! `blob_ref` which runs refer to it.
//!
//! A reference never dangles. Putting first commits the row as touched, then makes the file durable; only then does
//! anybody refer to it, and the transaction that does locks the row and is refused when it is missing or doomed. The
//! sweep marks what nothing refers to, waits a day, dooms it under the row's lock after looking again, and only then
//! deletes the file and the row, under the lock once more. Putting a doomed blob again lifts the doom, or waits for the
//! lock and makes row and file anew.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use engine::id::WorkspaceId;
use engine::value::Digest;
use entity::{blob, workspace};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait as _};

use crate::clock::Clock;
use crate::database::{Database, to_column};

mod folder;
mod sweep;

#[cfg(test)]
mod tests;

pub use sweep::Swept;

use folder::Folder;

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
    /// There is no such blob.
    #[error("there is no blob {0}")]
    Missing(Digest),
    /// The file's bytes are not those that were put.
    #[error("the file of blob {0} was changed or damaged")]
    Damaged(Digest),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl BlobError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "ARTIFACT_STORE_FAILED",
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
    folder: Arc<Folder>,
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
        Ok(Self {
            folder: Arc::new(Folder::open(root)?),
            database,
            clock,
            salts: Arc::default(),
            #[cfg(test)]
            pause: None,
        })
    }

    /// Keeps the bytes under their digest; durable when this returns. Whoever refers to the blob does so within a day,
    /// or puts it again.
    ///
    /// # Errors
    /// When the store or the database fails.
    pub async fn put(&self, workspace: WorkspaceId, digest: Digest, bytes: Bytes) -> Result<(), BlobError> {
        self.at(Point::PutBegins).await;
        self.touch(workspace, digest, bytes.len()).await?;
        self.at(Point::PutTouched).await;
        self.folder.put(workspace, digest, bytes, self.clock.new_id()).await?;
        self.at(Point::PutStored).await;
        Ok(())
    }

    async fn touch(&self, workspace: WorkspaceId, digest: Digest, len: usize) -> Result<(), BlobError> {
        let row = blob::ActiveModel {
            workspace_id: Set(workspace.0),
            digest: Set(digest.0.to_vec()),
            size: Set(i64::try_from(len).unwrap_or(i64::MAX)),
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
        self.folder.get(workspace, digest, salt).await
    }

    /// Whether the file of a blob is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn exists(&self, workspace: WorkspaceId, digest: Digest) -> Result<bool, BlobError> {
        self.folder.exists(workspace, digest).await
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

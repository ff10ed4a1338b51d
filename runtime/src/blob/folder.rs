//! Blobs as files: `<root>/<workspace>/<first two digits>/<digest>`, written beside and moved into place.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use engine::id::WorkspaceId;
use engine::time::Timestamp;
use engine::value::Digest;
use uuid::Uuid;

use super::BlobError;

/// Files under way that are older belong to a process that is gone.
const ABANDONED_AFTER: Duration = Duration::from_secs(86_400);

/// The folder of all blobs.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> BlobError + '_ {
    |source| BlobError::File { path: path.to_owned(), source }
}

/// File calls wait for the disk: they run where that harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // The work holds no state that it could have left half done but files, which are moved into place as a whole.
        Err(error) => Err(BlobError::File { path: PathBuf::new(), source: std::io::Error::other(error.to_string()) }),
    }
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Self, BlobError> {
        let folder = Self { root: root.to_owned() };
        make_folders(&folder.under_way())?;
        Ok(folder)
    }

    fn under_way(&self) -> PathBuf {
        self.root.join("under-way")
    }

    fn path(&self, workspace: WorkspaceId, digest: Digest) -> PathBuf {
        let hex = digest.to_string();
        let shelf = hex.get(..2).unwrap_or_default();
        self.root.join(workspace.0.simple().to_string()).join(shelf).join(&hex)
    }

    /// Makes the file durable under its name. One that is there already with the same length is left as it is; its
    /// place in the folder may still have to be made durable, when another process is only just moving it there.
    pub(super) async fn put(
        &self,
        workspace: WorkspaceId,
        digest: Digest,
        bytes: Bytes,
        unique: Uuid,
    ) -> Result<(), BlobError> {
        let path = self.path(workspace, digest);
        let beside = self.under_way().join(unique.simple().to_string());
        blocking(move || {
            let parent = path.parent().unwrap_or(&path).to_owned();
            let is_there = fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64);
            if !is_there {
                make_folders(&parent)?;
                let mut moved = write(&beside, &bytes, &path);
                // A sweep on a machine whose clock is far ahead takes what is being written for abandoned.
                if moved.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                    moved = write(&beside, &bytes, &path);
                }
                if let Err(source) = moved {
                    // What is left of it goes; if that fails too, the sweep does it.
                    let _ = fs::remove_file(&beside);
                    return Err(BlobError::File { path, source });
                }
            }
            sync_folder(&parent)
        })
        .await
    }

    pub(super) async fn get(&self, workspace: WorkspaceId, digest: Digest, salt: Vec<u8>) -> Result<Bytes, BlobError> {
        let path = self.path(workspace, digest);
        blocking(move || match fs::read(&path) {
            Ok(bytes) if Digest::of(&salt, &bytes) == digest => Ok(Bytes::from(bytes)),
            Ok(_) => Err(BlobError::Damaged(digest)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::Missing(digest)),
            Err(source) => Err(BlobError::File { path, source }),
        })
        .await
    }

    pub(super) async fn exists(&self, workspace: WorkspaceId, digest: Digest) -> Result<bool, BlobError> {
        let path = self.path(workspace, digest);
        blocking(move || fs::exists(&path).map_err(failed(&path))).await
    }

    /// Deletes the file. That it was not there is as good.
    pub(super) async fn delete(&self, workspace: WorkspaceId, digest: Digest) -> Result<(), BlobError> {
        let path = self.path(workspace, digest);
        blocking(move || match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(BlobError::File { path, source }),
            _ => Ok(()),
        })
        .await
    }

    /// Deletes what processes that are gone left half written.
    pub(super) async fn delete_abandoned(&self, now: Timestamp) -> Result<(), BlobError> {
        let folder = self.under_way();
        blocking(move || {
            for entry in fs::read_dir(&folder).map_err(failed(&folder))? {
                let path = entry.map_err(failed(&folder))?.path();
                let written = fs::metadata(&path).and_then(|found| found.modified());
                if written.is_ok_and(|at| now.since(timestamp(at)) > ABANDONED_AFTER) {
                    // Another process may be deleting it too.
                    let _ = fs::remove_file(&path);
                }
            }
            Ok(())
        })
        .await
    }
}

/// Writes a file beside its place and moves it there.
fn write(beside: &Path, bytes: &[u8], path: &Path) -> std::io::Result<()> {
    let mut file = File::create_new(beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::default().plus(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Makes a folder and those above it, each durable in the one above.
fn make_folders(folder: &Path) -> Result<(), BlobError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folders(above)?;
        match fs::create_dir(folder) {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                return Err(BlobError::File { path: folder.to_owned(), source });
            }
            _ => {}
        }
        return sync_folder(above);
    }
    fs::create_dir_all(folder).map_err(failed(folder))
}

/// A file's name is durable once its folder is. Windows has no such call and needs none.
fn sync_folder(folder: &Path) -> Result<(), BlobError> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
}

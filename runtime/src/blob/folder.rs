//! Blobs as files: `<root>/<workspace>/<first two digits>/<digest>`, written beside and moved into place.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use engine::time::Timestamp;
use futures::StreamExt as _;
use uuid::Uuid;

use super::BlobError;
use super::objects::{ABANDONED_AFTER, Address, Listed, Objects, Pieces, UNDER_WAY, Upload};

/// Bytes that one call of the disk writes or reads.
const PIECE: usize = 256 * 1024;

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
        self.root.join(UNDER_WAY)
    }

    fn beside(&self, unique: Uuid) -> PathBuf {
        self.under_way().join(unique.simple().to_string())
    }

    fn path(&self, at: Address) -> PathBuf {
        self.root.join(at.path())
    }
}

/// The names in a folder, in order; none where none is.
fn names(folder: &Path) -> Result<Vec<String>, BlobError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(source) => return Err(BlobError::File { path: folder.to_owned(), source }),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed(folder))?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

#[async_trait]
impl Objects for Folder {
    /// The place of a file that is there already may still have to be made durable, when another process is only just
    /// moving it there.
    async fn put(&self, at: Address, bytes: Bytes, unique: Uuid) -> Result<(), BlobError> {
        let (path, beside) = (self.path(at), self.beside(unique));
        blocking(move || {
            let parent = path.parent().unwrap_or(&path).to_owned();
            if !is_there(&path, bytes.len() as u64) {
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

    async fn begin(&self, unique: Uuid) -> Result<Box<dyn Upload>, BlobError> {
        let path = self.beside(unique);
        blocking(move || {
            let file = File::create_new(&path).map_err(failed(&path))?;
            Ok(Box::new(Writing { file: Some(file), path, gathered: BytesMut::new() }) as Box<dyn Upload>)
        })
        .await
    }

    async fn settle(&self, unique: Uuid, size: u64, at: Address) -> Result<(), BlobError> {
        let (path, beside) = (self.path(at), self.beside(unique));
        blocking(move || {
            let parent = path.parent().unwrap_or(&path).to_owned();
            if is_there(&path, size) {
                let _ = fs::remove_file(&beside);
            } else {
                make_folders(&parent)?;
                fs::rename(&beside, &path).map_err(failed(&path))?;
            }
            sync_folder(&parent)
        })
        .await
    }

    async fn read(&self, at: Address, range: Option<Range<u64>>) -> Result<Pieces, BlobError> {
        let path = self.path(at);
        let range = range.unwrap_or(0..u64::MAX);
        let file = blocking(move || match File::open(&path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(range.start)).map_err(failed(&path))?;
                Ok((file, path, range.end.saturating_sub(range.start)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(BlobError::Missing(at.digest)),
            Err(source) => Err(BlobError::File { path, source }),
        })
        .await?;
        let pieces = futures::stream::try_unfold(file, |(mut file, path, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            blocking(move || {
                let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
                let read = file.read(&mut piece).map_err(failed(&path))?;
                piece.truncate(read);
                // A file that is shorter than it should be ends here; whoever counts or hashes sees it.
                let left = if read == 0 { 0 } else { left - read as u64 };
                Ok((read > 0).then(|| (Bytes::from(piece), (file, path, left))))
            })
            .await
        });
        Ok(pieces.boxed())
    }

    async fn size(&self, at: Address) -> Result<Option<u64>, BlobError> {
        let path = self.path(at);
        blocking(move || match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BlobError::File { path, source }),
        })
        .await
    }

    async fn delete(&self, at: Address) -> Result<(), BlobError> {
        let path = self.path(at);
        blocking(move || remove(&path)).await
    }

    /// A page is what lies in one of the folders with files.
    async fn list(&self, after: Option<String>) -> Result<(Vec<Listed>, Option<String>), BlobError> {
        let root = self.root.clone();
        blocking(move || {
            let mut folders = vec![UNDER_WAY.to_owned()];
            for workspace in names(&root)?.into_iter().filter(|name| name != UNDER_WAY) {
                let within = names(&root.join(&workspace))?;
                folders.extend(within.into_iter().map(|name| format!("{workspace}/{name}")));
            }
            folders.sort_unstable();
            let Some(folder) = folders.iter().find(|name| after.as_ref().is_none_or(|after| *name > after)) else {
                return Ok((Vec::new(), None));
            };
            let mut listed = Vec::new();
            for name in names(&root.join(folder))? {
                let path = format!("{folder}/{name}");
                match fs::metadata(root.join(&path)) {
                    Ok(about) => listed.push(Listed { path, size: about.len() }),
                    // A sweep, or whoever moved it to its place, was faster.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(source) => return Err(BlobError::File { path: root.join(path), source }),
                }
            }
            Ok((listed, Some(folder.clone())))
        })
        .await
    }

    async fn delete_abandoned(&self, now: Timestamp) -> Result<(), BlobError> {
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

/// A file that grows.
struct Writing {
    /// Taken out while a thread writes to it.
    file: Option<File>,
    path: PathBuf,
    gathered: BytesMut,
}

impl Writing {
    async fn flush(&mut self, durable: bool) -> Result<(), BlobError> {
        let (path, bytes) = (self.path.clone(), self.gathered.split().freeze());
        let Some(mut file) = self.file.take() else {
            return Err(BlobError::File { path, source: std::io::Error::other("an earlier piece was not written") });
        };
        let file = blocking(move || {
            file.write_all(&bytes).map_err(failed(&path))?;
            if durable {
                file.sync_all().map_err(failed(&path))?;
            }
            Ok(file)
        })
        .await?;
        self.file = Some(file);
        Ok(())
    }
}

#[async_trait]
impl Upload for Writing {
    async fn write(&mut self, piece: Bytes) -> Result<(), BlobError> {
        self.gathered.extend_from_slice(&piece);
        if self.gathered.len() >= PIECE { self.flush(false).await } else { Ok(()) }
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        self.flush(true).await
    }

    async fn abandon(self: Box<Self>) {
        let path = self.path;
        // If that fails, the sweep does it.
        let _ = blocking(move || remove(&path)).await;
    }
}

/// Whether the whole of it is there.
fn is_there(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() == size)
}

fn remove(path: &Path) -> Result<(), BlobError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(BlobError::File { path: path.to_owned(), source }),
        _ => Ok(()),
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

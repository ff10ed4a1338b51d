//! Files in memory, for tests of nodes that keep and read some.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use engine::error::ErrorInfo;
use engine::id::ArtifactId;
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};

use crate::file::{FileBytes, FileHandle, FileName, Files, NewFile, not_found};

/// How many bytes a piece of a file has.
const PIECE: usize = 64 * 1024;

/// The files of a run that nobody runs. Clones are the same shelf.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    files: Vec<(FileHandle, Bytes)>,
    reads: usize,
    most: Option<usize>,
}

impl Shelf {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shelf that keeps no file of more bytes.
    pub(crate) fn of_at_most(most: usize) -> Self {
        let shelf = Self::default();
        shelf.inner().most = Some(most);
        shelf
    }

    /// Puts a file there.
    pub(crate) fn put(&self, name: &str, media_type: &str, bytes: &[u8]) -> FileHandle {
        let new = NewFile { name: FileName::parse(name).unwrap(), media_type: media_type.to_owned() };
        self.add(new, Bytes::copy_from_slice(bytes))
    }

    fn add(&self, new: NewFile, bytes: Bytes) -> FileHandle {
        let mut inner = self.inner();
        let id: ArtifactId = format!("art_{:032x}", inner.files.len() + 1).parse().unwrap();
        let (size, sha256) = (bytes.len() as u64, Sha256::digest(&bytes).into());
        let handle = FileHandle { id, name: new.name, media_type: new.media_type, size, sha256 };
        inner.files.push((handle.clone(), bytes));
        handle
    }

    /// What is kept, in the order of its coming.
    pub(crate) fn files(&self) -> Vec<(FileHandle, Bytes)> {
        self.inner().files.clone()
    }

    /// The one file that is there.
    pub(crate) fn only(&self) -> (FileHandle, Bytes) {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    /// How often a file was opened.
    pub(crate) fn reads(&self) -> usize {
        self.inner().reads
    }
}

#[async_trait]
impl Files for Shelf {
    async fn keep(&self, new: NewFile, mut bytes: FileBytes) -> Result<FileHandle, ErrorInfo> {
        let most = self.inner().most.unwrap_or(usize::MAX);
        let mut gathered = Vec::new();
        while let Some(piece) = bytes.next().await {
            gathered.extend_from_slice(&piece?);
            if gathered.len() > most {
                return Err(ErrorInfo::permanent("FILE_TOO_LARGE", format!("the file is larger than {most} bytes")));
            }
        }
        Ok(self.add(new, gathered.into()))
    }

    async fn find(&self, id: ArtifactId) -> Result<FileHandle, ErrorInfo> {
        let found = self.inner().files.iter().find(|(file, _)| file.id == id).map(|(file, _)| file.clone());
        found.ok_or_else(|| not_found(id))
    }

    async fn read(&self, file: &FileHandle) -> Result<FileBytes, ErrorInfo> {
        let mut inner = self.inner();
        inner.reads += 1;
        let found = inner.files.iter().find(|(kept, _)| kept.id == file.id).map(|(_, bytes)| bytes.clone());
        let bytes = found.ok_or_else(|| not_found(file.id))?;
        let pieces = (0..bytes.len()).step_by(PIECE).map(move |at| Ok(bytes.slice(at..bytes.len().min(at + PIECE))));
        Ok(futures::stream::iter(pieces).boxed())
    }
}

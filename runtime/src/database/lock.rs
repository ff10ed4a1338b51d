//! The lock on a data folder: its SQLite database has one process that drives runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::{DatabaseError, make_folder};

/// Held for as long as this process serves the folder. The operating system lets go of it when the process ends in
/// whatever way, so a lock that can be taken means that every earlier owner is dead.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Takes the folder for this process (made when it is not there). Only `serve` needs it: other commands write through
/// the database's own locks.
///
/// # Errors
/// When another process holds it, or the folder cannot be used.
pub fn lock_folder(folder: &Path) -> Result<FolderLock, DatabaseError> {
    make_folder(folder)?;
    let path = folder.join("flowforge.lock");
    let unusable = |source| DatabaseError::Folder { path: path.clone(), source };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path }),
        Err(TryLockError::Error(source)) => Err(DatabaseError::Folder { path, source }),
    }
}

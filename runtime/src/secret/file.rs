//! The file of master keys: made once, never overwritten in place.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::SecretError;
use super::key::{KeyFault, Keyring, new_key};

/// Longest file that is read.
const LIMIT: u64 = 64 * 1024;

fn unusable(path: &Path) -> impl Fn(io::Error) -> KeyFault {
    |cause| KeyFault::File { path: path.to_owned(), cause }
}

/// The keys in the file.
pub(super) fn read(path: &Path) -> Result<Keyring, KeyFault> {
    let found = std::fs::metadata(path).map_err(unusable(path))?;
    if found.len() > LIMIT {
        return Err(unusable(path)(io::Error::new(io::ErrorKind::InvalidData, "it is too long to be a key file")));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(unusable(path))?);
    Keyring::parse(&text).map_err(|cause| KeyFault::Content { path: path.to_owned(), cause: Box::new(cause) })
}

/// Makes the file with a new key, unless another process was first.
pub(super) fn make(path: &Path) -> Result<(), SecretError> {
    let key = new_key()?;
    let draft = written(path, &format!("{}\n", *key))?;
    // A link, because renaming would replace the key of a process that came first.
    let linked = std::fs::hard_link(&draft, path);
    // Left behind it would only be a second copy of a key that is not used.
    std::fs::remove_file(&draft).map_err(unusable(path))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(unusable(path)(error).into()),
        _ => Ok(sync_folder(path).map_err(unusable(path))?),
    }
}

/// Replaces the keys in the file; after a crash it holds the old ones or the new ones.
pub(super) fn replace(path: &Path, ring: &Keyring) -> Result<(), KeyFault> {
    let mut text = Zeroizing::new(String::new());
    for key in ring.all() {
        text.push_str(&key.text());
        text.push('\n');
    }
    let draft = written(path, &text)?;
    std::fs::rename(&draft, path).and_then(|()| sync_folder(path)).map_err(unusable(path))
}

/// Keeps other rotations away for as long as it lives.
pub(super) fn lock(path: &Path) -> Result<File, KeyFault> {
    let lock = beside(path, "lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(unusable(&lock))?;
    file.lock().map_err(unusable(&lock))?;
    Ok(file)
}

/// A durable file beside `path` that only this user may read.
fn written(path: &Path, text: &str) -> Result<PathBuf, KeyFault> {
    let draft = beside(path, &format!("{}.new", std::process::id()));
    let write = || {
        // A killed process of the same id may have left one.
        let _ = std::fs::remove_file(&draft);
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(unusable(&draft))?;
    Ok(draft)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        return File::open(folder)?.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        make(&path).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        make(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_replaced_file_holds_every_key_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        make(&path).unwrap();
        let old = read(&path).unwrap().current().id().to_owned();
        replace(&path, &read(&path).unwrap().with_new().unwrap()).unwrap();
        let ids: Vec<String> = read(&path).unwrap().all().map(|key| key.id().to_owned()).collect();
        assert_eq!((ids.len(), &ids[1]), (2, &old));
    }

    #[test]
    fn a_file_that_holds_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        assert!(matches!(read(&path), Err(KeyFault::File { .. })));
        std::fs::write(&path, "hush").unwrap();
        let fault = read(&path).err().unwrap().to_string();
        assert!(fault.contains("k: master key 1") && !fault.contains("hush"), "{fault}");
    }
}

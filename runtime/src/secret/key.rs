//! Master keys: how they are written, and where they come from.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::SecretError;
use super::envelope::{KEY_LEN, Key};
use super::file;

/// A drawn key has about 30 different bytes; one with fewer than this was typed.
const FEWEST_DIFFERENT: usize = 16;

/// Where master keys come from.
#[derive(Clone)]
pub enum KeySource {
    /// Nowhere: this process keeps and opens no secret.
    None,
    /// These keys as text, as [`new_key`] writes them, with blanks or commas between; the first one wraps.
    Given(Zeroizing<String>),
    /// A file with one key a line; the first one wraps.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether the first start makes it.
        make: bool,
    },
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Given(_) => f.write_str("Given(…)"),
            Self::File { path, make } => f.debug_struct("File").field("path", path).field("make", make).finish(),
        }
    }
}

/// Why a master key cannot be used. It never repeats one.
#[derive(Debug, thiserror::Error)]
pub enum KeyFault {
    /// It is not 32 bytes in base64.
    #[error("master key {place} is not 32 random bytes in base64; `flowforge secret new-key` makes one")]
    Form {
        /// Which, from 1.
        place: usize,
    },
    /// It is an example or was typed by hand.
    #[error("master key {place} is not random: it looks like an example; `flowforge secret new-key` makes a good one")]
    Weak {
        /// Which, from 1.
        place: usize,
    },
    /// There is none.
    #[error("there is no key in it; `flowforge secret new-key` makes one")]
    Empty,
    /// Keys that were given outright are not ours to remove.
    #[error("the master keys are in no file; take the old ones out of FLOWFORGE__SECRETS__MASTER_KEY in every process")]
    NotInAFile,
    /// The file cannot be read or written.
    #[error("the master key file {path} cannot be used: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file holds something else than keys.
    #[error("the master key file {path}: {cause}")]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        cause: Box<KeyFault>,
    },
}

/// A master key and what it is known by.
pub(super) struct MasterKey {
    id: String,
    key: Key,
}

impl MasterKey {
    fn of(bytes: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let hash = Sha256::new().chain_update(b"flowforge/master-key-id/1\0").chain_update(bytes.as_slice()).finalize();
        let (start, _) = hash.split_at(8);
        Self { id: format!("mk_{}", hex::encode(start)), key: Key::of(bytes) }
    }

    /// `mk_` and 16 hex digits of a hash; says nothing of the key.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// As it stands in a file.
    pub(super) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.key.bytes()))
    }
}

/// The master keys of a process, the one that wraps first.
pub(super) struct Keyring {
    current: MasterKey,
    older: Vec<MasterKey>,
}

impl Keyring {
    /// Reads keys that are parted by blanks, line breaks or commas; lines that begin with `#` are notes.
    pub(super) fn parse(text: &str) -> Result<Self, KeyFault> {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let words = lines.flat_map(|line| line.split([',', ' ', '\t'])).map(str::trim).filter(|word| !word.is_empty());
        let mut keys = Vec::new();
        for (index, word) in words.enumerate() {
            keys.push(read(word, index + 1)?);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KeyFault::Empty)?;
        Ok(Self { current, older: keys.collect() })
    }

    pub(super) fn current(&self) -> &MasterKey {
        &self.current
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    pub(super) fn find(&self, id: &str) -> Option<&MasterKey> {
        self.all().find(|key| key.id == id)
    }

    /// The same with a new key before the others.
    pub(super) fn with_new(self) -> Result<Self, SecretError> {
        let text = new_key()?;
        let mut new = Self::parse(&text)?;
        new.older.push(self.current);
        new.older.extend(self.older);
        Ok(new)
    }

    /// The same without the older keys that `needed` does not name, and those that went.
    pub(super) fn without_older(self, needed: impl Fn(&str) -> bool) -> (Self, Vec<String>) {
        let (older, gone): (Vec<_>, Vec<_>) = self.older.into_iter().partition(|key| needed(&key.id));
        (Self { current: self.current, older }, gone.into_iter().map(|key| key.id).collect())
    }
}

fn read(word: &str, place: usize) -> Result<MasterKey, KeyFault> {
    let form = || KeyFault::Form { place };
    let bytes = STANDARD.decode(word).or_else(|_| STANDARD_NO_PAD.decode(word)).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| form())?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    if bytes.len() != KEY_LEN {
        return Err(form());
    }
    key.copy_from_slice(&bytes);
    let mut different = bytes.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return Err(KeyFault::Weak { place });
    }
    Ok(MasterKey::of(key))
}

/// A random master key as text.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_key() -> Result<Zeroizing<String>, SecretError> {
    Ok(Zeroizing::new(STANDARD.encode(Key::draw()?.bytes())))
}

impl KeySource {
    /// The keys; `None` when there is no source. A file that is not there is a fault.
    pub(super) fn read(&self) -> Result<Option<Keyring>, SecretError> {
        match self {
            Self::None => Ok(None),
            Self::Given(text) => Ok(Some(Keyring::parse(text)?)),
            Self::File { path, .. } => Ok(Some(file::read(path)?)),
        }
    }

    /// Whether the keys given outright can be used; a file is only looked at when a key is needed.
    ///
    /// # Errors
    /// The first key that cannot.
    pub fn check(&self) -> Result<(), KeyFault> {
        match self {
            Self::Given(text) => Keyring::parse(text).map(drop),
            Self::None | Self::File { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_order_and_known_by_an_id_that_does_not_change() {
        let (first, second) = (new_key().unwrap(), new_key().unwrap());
        let ring = Keyring::parse(&format!("# ours\n{}\n\n{}", *first, *second)).unwrap();
        let same = Keyring::parse(&format!("{},{}", *first, second.trim_end_matches('='))).unwrap();
        let ids = |ring: &Keyring| ring.all().map(|key| key.id().to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&ring), ids(&same));
        assert_eq!(ring.current().text().as_str(), first.as_str());
        assert!(ring.find(ring.current().id()).is_some() && ring.find("mk_0").is_none());
    }

    #[test]
    fn a_key_that_is_no_key_or_an_example_is_refused_without_being_repeated() {
        let zeros = STANDARD.encode([0; 32]);
        let typed = STANDARD.encode("changemechangemechangemechangeme");
        for text in ["", "# nothing", "secretsecret", &zeros, &typed, &STANDARD.encode([7; 31])] {
            let fault = Keyring::parse(text).err().unwrap().to_string();
            assert!(text.is_empty() || !fault.contains(text), "{fault}");
        }
    }

    #[test]
    fn a_source_does_not_print_its_keys() {
        let key = new_key().unwrap();
        assert!(!format!("{:?}", KeySource::Given(key.clone())).contains(key.as_str()));
    }
}

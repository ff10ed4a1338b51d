//! `[secrets]`: where the master key comes from.

use std::path::{Path, PathBuf};

use runtime::secret::KeySource;

use super::Fault;
use super::database::DatabaseUrl;
use super::reader::Reader;

/// The file in the data folder that an embedded server makes at its first start.
const DEFAULT_FILE: &str = "master.key";

/// The master key that everything secret is wrapped by, in the end.
#[derive(Debug, Clone)]
pub struct SecretsConfig {
    /// `master_key_file`, `master_key`: the key, or several, the first of which wraps. Without either: `master.key` in
    /// the data folder, made at the first start, when the database is a file of ours; else there is none.
    pub source: KeySource,
    /// `require_signatures`: also versions that were published before there was a master key must be signed. False.
    pub require_signatures: bool,
    /// Whether both were set.
    is_set_twice: bool,
}

impl SecretsConfig {
    pub(super) fn read(reader: &mut Reader, data_dir: &Path, database: &DatabaseUrl) -> Self {
        let file = reader.text("master_key_file").filter(|path| !path.is_empty());
        let key = reader.text("master_key").filter(|key| !key.is_empty());
        let is_set_twice = file.is_some() && key.is_some();
        let source = match (file, key) {
            (Some(path), _) => KeySource::File { path: PathBuf::from(path), make: false },
            (None, Some(key)) => KeySource::Given(key.into()),
            // Only where one process has the folder can one make a key without others missing it.
            (None, None) if database.is_sqlite() => KeySource::File { path: data_dir.join(DEFAULT_FILE), make: true },
            (None, None) => KeySource::None,
        };
        let require_signatures = reader.value("require_signatures", false, "true or false");
        Self { source, require_signatures, is_set_twice }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if self.is_set_twice {
            faults.push(Fault::new("secrets.master_key", "is set beside secrets.master_key_file; set one of them"));
        }
        if let Err(fault) = self.source.check() {
            faults.push(Fault::new("secrets.master_key", fault.to_string()));
        }
    }
}

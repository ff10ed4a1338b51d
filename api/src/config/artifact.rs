//! `[artifact]`: where values too large for a row are kept.

use std::path::{Path, PathBuf};

use super::Fault;
use super::reader::Reader;

const SCHEME: &str = "file://";

/// Where blobs live.
#[derive(Debug, Clone)]
pub struct ArtifactConfig {
    /// `url` as a folder: `file:///dir`; `artifacts` in the data folder by default.
    pub folder: PathBuf,
    /// A URL that is not a folder, kept for the fault that names it.
    wrong: Option<String>,
}

impl ArtifactConfig {
    pub(super) fn read(reader: &mut Reader, data_dir: &Path) -> Self {
        let Some(url) = reader.text("url") else {
            return Self { folder: data_dir.join("artifacts"), wrong: None };
        };
        match url.strip_prefix(SCHEME).filter(|path| !path.is_empty()) {
            Some(path) => Self { folder: PathBuf::from(path), wrong: None },
            None => Self { folder: data_dir.join("artifacts"), wrong: Some(url) },
        }
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if let Some(url) = &self.wrong {
            // Only the scheme is repeated: the rest of a storage URL may hold a secret.
            let scheme = url.split(':').next().unwrap_or_default();
            faults.push(Fault::new("artifact.url", format!("`{scheme}` is not supported; write file:///folder")));
        }
    }
}

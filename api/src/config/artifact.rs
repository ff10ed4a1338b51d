//! `[artifact]`: where large values and files are kept.

use std::path::{Path, PathBuf};

use runtime::blob::{BucketLinks, S3Settings};

use super::Fault;
use super::reader::Reader;

const FOLDER: &str = "file://";
const BUCKET: &str = "s3://";
const MEBIBYTE: u64 = 1024 * 1024;
/// The largest file, when nobody says: 10 GiB.
const LARGEST: u64 = 10 * 1024;

/// Where blobs and files live.
#[derive(Debug, Clone)]
pub struct ArtifactConfig {
    /// `url` as a folder: `file:///dir`; `artifacts` in the data folder by default.
    pub folder: PathBuf,
    /// `url` as a bucket: `s3://bucket/prefix`, with `endpoint`, `region`, `path_style`, `checksums`, `access_key`,
    /// `secret_key`, `direct` and `public_endpoint`; then the folder is not used.
    pub bucket: Option<S3Settings>,
    /// `max_file` in MiB; as bytes here.
    pub max_file: u64,
    /// What is wrong with the URL.
    wrong: Option<String>,
    /// Whether one of key and secret is there without the other.
    half_a_key: bool,
}

impl ArtifactConfig {
    pub(super) fn read(reader: &mut Reader, data_dir: &Path) -> Self {
        let url = reader.text("url");
        let (endpoint, region) = (reader.text("endpoint"), reader.text("region"));
        let (key, secret) = (reader.text("access_key"), reader.text("secret_key"));
        let path_style = reader.value("path_style", endpoint.is_some(), "true or false");
        let checksums = reader.value("checksums", true, "true or false");
        let (direct, public) = (reader.value("direct", false, "true or false"), reader.text("public_endpoint"));
        let max_file = reader.value("max_file", LARGEST, "a number of MiB").saturating_mul(MEBIBYTE);
        let half_a_key = key.is_some() != secret.is_some();
        let mut config = Self { folder: data_dir.join("artifacts"), bucket: None, max_file, wrong: None, half_a_key };
        let Some(url) = url else { return config };
        if let Some(path) = url.strip_prefix(FOLDER).filter(|path| !path.is_empty()) {
            config.folder = PathBuf::from(path);
        } else if let Some((bucket, prefix)) =
            url.strip_prefix(BUCKET).map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        {
            config.bucket = Some(S3Settings {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
                endpoint,
                region,
                path_style,
                credentials: key.zip(secret),
                checksums,
                links: direct.then_some(BucketLinks { endpoint: public }),
            });
        } else {
            // Only the scheme is repeated: the rest of a storage URL may hold a secret.
            let scheme = url.split(':').next().unwrap_or_default();
            config.wrong = Some(format!("`{scheme}` is not supported; write file:///folder or s3://bucket/prefix"));
        }
        config
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if let Some(wrong) = &self.wrong {
            faults.push(Fault::new("artifact.url", wrong));
        }
        if self.half_a_key {
            faults.push(Fault::new("artifact.access_key", "goes with artifact.secret_key; set both, or neither"));
        }
        if !(MEBIBYTE..=5 * MEBIBYTE * MEBIBYTE).contains(&self.max_file) {
            faults.push(Fault::new("artifact.max_file", "must be 1 to 5242880 MiB"));
        }
        let Some(bucket) = &self.bucket else { return };
        if bucket.bucket.is_empty() || bucket.bucket.contains(['?', '@', ':']) {
            faults.push(Fault::new("artifact.url", "names no bucket; write s3://bucket/prefix"));
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if !bucket.prefix.chars().all(is_plain) {
            faults.push(Fault::new("artifact.url", "the prefix takes letters, digits, `/`, `.`, `_` and `-`"));
        }
        let is_url = |text: &String| text.starts_with("http://") || text.starts_with("https://");
        if bucket.endpoint.as_ref().is_some_and(|endpoint| !is_url(endpoint)) {
            faults.push(Fault::new("artifact.endpoint", "must begin with http:// or https://"));
        }
        let public = bucket.links.as_ref().and_then(|links| links.endpoint.as_ref());
        if public.is_some_and(|endpoint| !is_url(endpoint)) {
            faults.push(Fault::new("artifact.public_endpoint", "must begin with http:// or https://"));
        }
    }
}

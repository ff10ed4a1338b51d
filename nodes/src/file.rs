//! Files: handles that only the server makes, and the door by which a node keeps and reads what they stand for.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use engine::error::ErrorInfo;
use engine::id::ArtifactId;
use futures::stream::BoxStream;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

mod base64;
pub(crate) mod convert;
pub mod media;
mod name;
pub(crate) mod read;
pub(crate) mod write;

pub use self::name::{FileName, FileNameError};

/// The member that makes an object a handle.
const MARK: &str = "$file";

/// What it is said to be when nobody says.
pub const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

/// The bytes of a file, as they come.
pub type FileBytes = BoxStream<'static, Result<Bytes, ErrorInfo>>;

/// A file that is kept. As a value it is `{"$file", "name", "mediaType", "size", "sha256"}`; of that, only `$file` counts
/// when it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHandle {
    /// Which.
    pub id: ArtifactId,
    /// What people call it.
    pub name: FileName,
    /// What it says it is.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

impl FileHandle {
    /// As later nodes get it.
    pub fn value(&self) -> Value {
        json!({
            MARK: self.id.to_string(),
            "name": self.name.as_str(),
            "mediaType": self.media_type,
            "size": self.size,
            "sha256": hex::encode(self.sha256),
        })
    }

    /// The file that a value says it is. Whether the run has it is for [`Files::find`] to say: anybody can write this.
    pub fn id_in(value: &Value) -> Option<ArtifactId> {
        value.get(MARK)?.as_str()?.parse().ok()
    }
}

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What people call it.
    pub name: FileName,
    /// What it says it is.
    pub media_type: String,
}

/// The files of a run.
#[async_trait]
pub trait Files: std::fmt::Debug + Send + Sync {
    /// Keeps what comes; durable when this returns.
    ///
    /// # Errors
    /// Those of the bytes; `FILE_TOO_LARGE`; `ARTIFACT_STORE_FAILED`.
    async fn keep(&self, new: NewFile, bytes: FileBytes) -> Result<FileHandle, ErrorInfo>;

    /// The file of a handle, when the run has it.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `ARTIFACT_STORE_FAILED`.
    async fn find(&self, id: ArtifactId) -> Result<FileHandle, ErrorInfo>;

    /// Its bytes. The last ones come only when all are what was kept.
    ///
    /// # Errors
    /// `ARTIFACT_STORE_FAILED`; `FILE_DAMAGED`, also from the bytes.
    async fn read(&self, file: &FileHandle) -> Result<FileBytes, ErrorInfo>;
}

/// The name that a `Content-Disposition` gives, by RFC 6266: `filename*` in UTF-8 goes before `filename`.
pub fn name_in_disposition(header: &str) -> Option<FileName> {
    let (mut plain, mut encoded) = (None, None);
    for parameter in parameters(header) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let value = value.trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "filename" => plain = Some(unquoted(value)),
            "filename*" => {
                let text = value.get(..7).filter(|charset| charset.eq_ignore_ascii_case("utf-8''")).and(value.get(7..));
                encoded = text.and_then(|text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned()));
            }
            _ => {}
        }
    }
    encoded.or(plain).map(|name| FileName::tame(&name))
}

/// What stands between semicolons, save those within quotes.
fn parameters(header: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    header.split(move |c| {
        let ends = c == ';' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        ends
    })
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(c);
            escaped = false;
        }
    }
    text
}

/// The file that stands in `field` of a config.
///
/// # Errors
/// When it is no handle, or the run has no such file.
pub(crate) async fn in_config(files: &Arc<dyn Files>, field: &str, value: &Value) -> Result<FileHandle, ErrorInfo> {
    let Some(id) = FileHandle::id_in(value) else {
        return Err(crate::config::invalid(field, value, "a file, such as another node's output gives"));
    };
    files.find(id).await
}

/// There is no such file, or it is somebody else's: both look the same.
pub fn not_found(id: ArtifactId) -> ErrorInfo {
    let message = format!(
        "this run has no file {id}. A run can use the files that it was started with or that its nodes kept; a handle that \
         somebody else wrote is only data"
    );
    ErrorInfo::permanent("FILE_NOT_FOUND", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_answer_is_read_and_tamed() {
        for (header, name) in [
            ("attachment; filename=a.csv", Some("a.csv")),
            ("attachment; filename=\"a; b.csv\"; size=3", Some("a; b.csv")),
            (r#"attachment; filename="a\"b.csv""#, Some("a\"b.csv")),
            ("attachment; filename=x; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt", Some("größe.txt")),
            ("attachment; filename*=iso-8859-1'en'%A3; filename=y", Some("y")),
            ("attachment; filename=../../etc/passwd", Some("passwd")),
            ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", Some("passwd")),
            ("attachment; filename*=UTF-8''%ff", None),
            ("inline", None),
            ("", None),
        ] {
            assert_eq!(name_in_disposition(header).as_ref().map(FileName::as_str), name, "{header}");
        }
    }

    #[test]
    fn a_handle_says_everything_and_only_its_id_counts() {
        let id: ArtifactId = "art_01920000000070008000000000000001".parse().unwrap();
        let (name, media_type) = (FileName::parse("a.csv").unwrap(), "text/csv".to_owned());
        let value = FileHandle { id, name, media_type, size: 3, sha256: [1; 32] }.value();
        assert_eq!(value["sha256"], "01".repeat(32));
        assert_eq!(FileHandle::id_in(&value), Some(id));
        for other in [json!({"$file": 1}), json!({"$file": "/etc/passwd"}), json!("art_1"), json!(null), json!([value])]
        {
            assert_eq!(FileHandle::id_in(&other), None, "{other}");
        }
    }
}

//! What a request carries: bytes at hand, a file, or a form with files in it. Files are read anew for each hop, so that a
//! redirect sends them again.

use std::sync::Arc;

use bytes::Bytes;
use engine::error::ErrorInfo;
use futures::TryStreamExt as _;
use reqwest::header::CONTENT_LENGTH;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, RequestBuilder};

use super::OutgoingError;
use crate::file::{FileHandle, Files};

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Payload {
    /// Bytes at hand.
    Bytes(Bytes),
    /// The bytes of a file, as they come from the store.
    File(FileHandle, Arc<dyn Files>),
    /// `multipart/form-data`.
    Form(Vec<(String, FormPart)>, Arc<dyn Files>),
}

/// One field of a form.
#[derive(Debug, Clone)]
pub enum FormPart {
    /// A text.
    Text(String),
    /// A file, with its name and type.
    File(FileHandle),
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl Payload {
    /// The request with this in it.
    pub(super) async fn put(self, request: RequestBuilder) -> Result<RequestBuilder, OutgoingError> {
        Ok(match self {
            Self::Bytes(bytes) => request.body(bytes),
            Self::File(file, files) => {
                // Services refuse a file whose length they are not told before.
                request.header(CONTENT_LENGTH, file.size).body(body(&file, &files).await?)
            }
            Self::Form(fields, files) => {
                let mut form = Form::new();
                for (name, part) in fields {
                    form = match part {
                        FormPart::Text(text) => form.text(name, text),
                        FormPart::File(file) => {
                            let part = Part::stream_with_length(body(&file, &files).await?, file.size);
                            let part = part.file_name(file.name.as_str().to_owned());
                            let part = part.mime_str(&file.media_type).map_err(|_| {
                                let message =
                                    format!("the type of the file `{}` is none: {:.100}", file.name, file.media_type);
                                OutgoingError::File(ErrorInfo::permanent("CONFIG_INVALID", message))
                            })?;
                            form.part(name, part)
                        }
                    };
                }
                request.multipart(form)
            }
        })
    }
}

async fn body(file: &FileHandle, files: &Arc<dyn Files>) -> Result<Body, OutgoingError> {
    let bytes = files.read(file).await.map_err(OutgoingError::File)?;
    Ok(Body::wrap_stream(bytes.map_err(|error| std::io::Error::other(error.message))))
}

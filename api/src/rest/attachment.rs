//! Bytes as a file to keep: whatever they hold, a browser never shows them as a page of ours.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
};
use axum::response::{IntoResponse as _, Response};
use runtime::blob::Pieces;

use crate::service::artifact::disposition;

/// Whatever a file holds, it gets no rights where it is opened.
const NO_RIGHTS: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// What is sent as a file.
pub(super) struct Attachment<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    /// What it says it is.
    pub(super) media_type: &'a str,
    /// How many bytes come.
    pub(super) length: u64,
    /// Tells its bytes from others, in quotes.
    pub(super) tag: String,
    pub(super) pieces: Pieces,
}

impl Attachment<'_> {
    pub(super) fn answer(self) -> Response {
        let mut response = Body::from_stream(self.pieces).into_response();
        let out = response.headers_mut();
        for (header, text) in
            [(CONTENT_DISPOSITION, disposition(self.name)), (CONTENT_LENGTH, self.length.to_string()), (ETAG, self.tag)]
        {
            if let Ok(value) = HeaderValue::try_from(text) {
                out.insert(header, value);
            }
        }
        let media_type = HeaderValue::try_from(self.media_type);
        out.insert(CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
        out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NO_RIGHTS));
        out.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        response
    }
}

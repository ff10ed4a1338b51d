//! `/api/v1/artifacts`: files as downloads, and files that are sent. Nothing here is ever shown by a browser as a page of
//! ours.

use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use runtime::artifact::Artifact;
use runtime::database::wall;
use serde_json::json;

use super::attachment::Attachment;
use super::error::Problem;
use super::run::viewer;
use crate::app::App;
use crate::code::Code;
use crate::service::artifact::link::{LinkError, Shown};
use crate::service::artifact::upload::{self, UploadError};
use crate::service::{ServiceError, artifact};

/// The bytes of a file, or the part of them that `Range` names.
pub(super) async fn content(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let viewer = viewer(&app, &headers).await?;
    let id = id.parse().map_err(|_| ServiceError::NotFound { what: "artifact" })?;
    let file = wall::of(viewer.workspace, artifact::get(&app, &viewer, id)).await?;
    download(&app, &file, &headers).await
}

/// The same for whoever has a link.
pub(super) async fn linked(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = Shown::parse(&link).ok_or(LinkError::Absent)?;
    let file = wall::of(shown.workspace(), shown.file(&app)).await?;
    download(&app, &file, &headers).await
}

/// Takes the file that a link is for.
pub(super) async fn sent(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    content: Body,
) -> Result<Response, Problem> {
    let shown = Shown::parse(&link).ok_or(LinkError::Absent)?;
    let file = wall::of(shown.workspace(), upload::receive(&app, shown, content.into_data_stream())).await?;
    let handle = &file.handle;
    let told = json!({
        "id": handle.id.to_string(),
        "name": handle.name.as_str(),
        "mediaType": handle.media_type,
        "size": handle.size,
        "sha256": hex::encode(handle.sha256),
    });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let detail = error.to_string();
        match error {
            LinkError::Absent => Self::new(StatusCode::NOT_FOUND, Code::NotFound.as_str(), detail),
            LinkError::Over => Self::new(StatusCode::GONE, Code::Gone.as_str(), detail),
            LinkError::Service(error) => error.into(),
        }
    }
}

impl From<UploadError> for Problem {
    fn from(error: UploadError) -> Self {
        let detail = error.to_string();
        match error {
            UploadError::Link(error) => error.into(),
            UploadError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail),
            UploadError::BrokeOff(_) => Self::new(StatusCode::BAD_REQUEST, Code::BadUserInput.as_str(), detail),
            UploadError::Taken => Self::new(StatusCode::CONFLICT, Code::Conflict.as_str(), detail),
        }
    }
}

async fn download(app: &App, file: &Artifact, headers: &HeaderMap) -> Result<Response, Problem> {
    let handle = &file.handle;
    let tag = format!("\"{}\"", hex::encode(handle.sha256));
    let range = match wanted(headers, &tag, handle.size) {
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
        Wanted::Nothing => {
            let problem = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "BAD_USER_INPUT",
                format!("the file has {} bytes, and the range begins after them", handle.size),
            );
            return Ok(([(CONTENT_RANGE, format!("bytes */{}", handle.size))], problem).into_response());
        }
    };
    let pieces = wall::of(file.workspace, artifact::open(app, file, range.clone())).await?;
    let length = range.as_ref().map_or(handle.size, |range| range.end - range.start);
    let (name, media_type) = (handle.name.as_str(), handle.media_type.as_str());
    let mut response = Attachment { name, media_type, length, tag, pieces }.answer();
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(range) = range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, handle.size);
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(CONTENT_RANGE, value);
        }
    }
    Ok(response)
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// A part that is not there.
    Nothing,
}

/// What `Range` asks for, by RFC 9110: one range of bytes. Several at once, other units and what cannot be read ask for
/// all; so does a range of another state of the file.
fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::Whole;
    }
    let Some((first, last)) = text(RANGE).and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
        return Wanted::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        (Some(first), None) if last.trim().is_empty() => first..size,
        (None, Some(count)) if first.trim().is_empty() => size.saturating_sub(count)..size,
        _ => return Wanted::Whole,
    };
    if range.start >= size || range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str, if_range: Option<&str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, tag.parse().unwrap());
        }
        wanted(&headers, "\"t\"", 10)
    }

    #[test]
    fn a_range_is_one_part_of_the_bytes() {
        assert_eq!(asked("bytes=0-3", None), Wanted::Part(0..4));
        assert_eq!(asked("bytes=4-", None), Wanted::Part(4..10));
        assert_eq!(asked("bytes=-3", None), Wanted::Part(7..10));
        assert_eq!(asked("bytes=-99", None), Wanted::Part(0..10));
        assert_eq!(asked("bytes=8-99", None), Wanted::Part(8..10));
        assert_eq!(asked(&format!("bytes=0-{}", u64::MAX), None), Wanted::Part(0..10));
        for nothing in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
            assert_eq!(asked(nothing, None), Wanted::Nothing, "{nothing}");
        }
        for all in ["bytes=0-1,3-4", "bytes=3-1", "lines=0-1", "bytes=a-b", "bytes=-", "bytes", "bytes=1-x"] {
            assert_eq!(asked(all, None), Wanted::Whole, "{all}");
        }
    }

    #[test]
    fn a_range_of_another_state_is_answered_with_all() {
        assert_eq!(asked("bytes=0-3", Some("\"t\"")), Wanted::Part(0..4));
        assert_eq!(asked("bytes=0-3", Some("\"other\"")), Wanted::Whole);
    }
}

//! From an answer to an output or an error.

use std::time::Duration;

use chrono::DateTime;
use engine::error::{ErrorInfo, ErrorKind};
use engine::time::Timestamp;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::{Value, json};

use crate::config::{Config, invalid};
use crate::file::{FileName, NewFile};
use crate::http::header::to_object;
use crate::outgoing::OutgoingResponse;
use crate::{Attempt, NodeContext};

/// Longest body of an answer, in bytes.
pub(in crate::http) const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// Most characters of an error's body that a message shows.
pub(in crate::http) const SHOWN: usize = 300;
/// Longest delay that an answer may ask for; a longer one is cut to this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// What the author wants to get.
pub(super) struct Expected {
    read_as: ReadAs,
    success: Option<Vec<Status>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ReadAs {
    Json,
    Text,
    /// Kept under this name, or the one that the answer says.
    File(Option<FileName>),
}

enum Status {
    One(u16),
    Class(u16),
}

impl Expected {
    /// As the attempt's config says.
    pub(super) fn of(attempt: &Attempt) -> Result<Self, ErrorInfo> {
        let config = Config::of(attempt)?;
        let read_as = match config.value("response") {
            None => ReadAs::Json,
            Some(Value::String(mode)) if mode == "json" => ReadAs::Json,
            Some(Value::String(mode)) if mode == "text" => ReadAs::Text,
            Some(Value::String(mode)) if mode == "file" => ReadAs::File(file_name(&config)?),
            Some(other) => return Err(invalid("response", other, "`json`, `text` or `file`")),
        };
        let Some(statuses) = config.list("success")? else { return Ok(Self { read_as, success: None }) };
        let read = statuses.iter().enumerate().map(|(index, value)| {
            status(value).ok_or_else(|| {
                invalid(&format!("success[{index}]"), value, "a status from 200 to 599, or a class such as `2xx`")
            })
        });
        Ok(Self { read_as, success: Some(read.collect::<Result<_, _>>()?) })
    }

    fn accepts(&self, status: StatusCode) -> bool {
        let Some(success) = &self.success else { return status.is_success() };
        success.iter().any(|wanted| match wanted {
            Status::One(code) => status == *code,
            Status::Class(class) => status.as_u16() / 100 == *class,
        })
    }
}

fn status(value: &Value) -> Option<Status> {
    match value {
        Value::String(text) => {
            let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
            class.filter(|class| (2..=5).contains(class)).map(Status::Class)
        }
        other => {
            let code = other.as_u64().and_then(|code| u16::try_from(code).ok());
            code.filter(|code| (200..=599).contains(code)).map(Status::One)
        }
    }
}

/// The node's output, or why there is none.
pub(super) async fn read(
    response: OutgoingResponse,
    expected: &Expected,
    has_body: bool,
    context: &dyn NodeContext,
) -> Result<Value, ErrorInfo> {
    let (status, headers, acted) = (response.status, response.headers.clone(), response.acted);
    if !expected.accepts(status) {
        return Err(refusal(status, &headers, &response.body_start(SHOWN * 4).await, acted, context.now()));
    }
    let body = match &expected.read_as {
        ReadAs::File(name) => keep(response, name.clone(), &headers, context).await?,
        ReadAs::Text => Value::from(String::from_utf8_lossy(&response.body(BODY_LIMIT).await?)),
        ReadAs::Json => {
            let bytes = response.body(BODY_LIMIT).await?;
            if bytes.is_empty() || !has_body {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).map_err(|error| not_json(status, &headers, &error))?
            }
        }
    };
    Ok(json!({ "status": status.as_u16(), "headers": to_object(&headers), "body": body }))
}

/// The body as a file of the run.
async fn keep(
    response: OutgoingResponse,
    name: Option<FileName>,
    headers: &HeaderMap,
    context: &dyn NodeContext,
) -> Result<Value, ErrorInfo> {
    let text = |header: HeaderName| headers.get(header).and_then(|value| value.to_str().ok());
    let told = || text(CONTENT_DISPOSITION).and_then(crate::file::name_in_disposition);
    let name = name.or_else(told).unwrap_or_else(|| FileName::tame(response.last_segment()));
    let media_type = text(CONTENT_TYPE).unwrap_or(crate::file::UNKNOWN_MEDIA_TYPE).to_owned();
    let bytes = response.pieces().map_err(ErrorInfo::from).boxed();
    Ok(context.files().keep(NewFile { name, media_type }, bytes).await?.value())
}

fn file_name(config: &Config<'_>) -> Result<Option<FileName>, ErrorInfo> {
    let Some(text) = config.text("file_name")? else { return Ok(None) };
    let read = FileName::parse(text).map(Some);
    read.map_err(|error| ErrorInfo::permanent("CONFIG_INVALID", format!("config.file_name: {error}")))
}

fn not_json(status: StatusCode, headers: &HeaderMap, error: &serde_json::Error) -> ErrorInfo {
    let described = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no content type");
    let message = format!(
        "the answer ({status}, {described:.100}) is not JSON: {error}. Set config.response to `text` to take it as text"
    );
    ErrorInfo::permanent("HTTP_BODY_NOT_JSON", message)
}

/// Statuses that another try may not meet again.
fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// What an answer that is none of those expected comes to.
pub(in crate::http) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    acted: bool,
    now: Timestamp,
) -> ErrorInfo {
    let text = String::from_utf8_lossy(body);
    let mut shown: String = text.trim().chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.is_empty() {
        shown.push_str("no body");
    }
    let kind = match (is_transient(status), acted) {
        (true, false) => ErrorKind::Transient,
        // The request itself was taken before a redirect led here, so this is no answer to it.
        (true, true) => ErrorKind::Unknown,
        (false, _) => ErrorKind::Permanent,
    };
    let mut error = ErrorInfo::new(kind, "HTTP_STATUS", format!("the service answered {status}: {shown}"));
    error.retry_after = if is_transient(status) { retry_after(headers, now) } else { None };
    error
}

/// The delay that `Retry-After` asks for, in seconds or as a date; at most [`LONGEST_RETRY_AFTER`].
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let delay = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp(DateTime::parse_from_rfc2822(text).ok()?.timestamp_micros()).since(now),
    };
    Some(delay.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn asked(text: &'static str, now: i64) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        retry_after(&headers, Timestamp(now * 1_000_000))
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(asked("120", 0), Some(Duration::from_secs(120)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_450), Some(Duration::from_secs(30)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT", 1_445_412_481), Some(Duration::ZERO));
        assert_eq!(asked("99999999999999", 0), Some(LONGEST_RETRY_AFTER));
        assert_eq!(asked("soon", 0), None);
        assert_eq!(asked("-5", 0), None);
    }

    #[test]
    fn an_error_of_a_request_that_was_redirected_after_it_was_taken_is_unknown() {
        let after = |acted| refusal(StatusCode::SERVICE_UNAVAILABLE, &HeaderMap::new(), b"", acted, Timestamp(0)).kind;
        assert_eq!(after(false), ErrorKind::Transient);
        assert_eq!(after(true), ErrorKind::Unknown);
    }
}

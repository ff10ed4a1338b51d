//! `/hooks/…`: requests that start runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, TryStreamExt as _};
use nodes::webhook::BodyMode;
use runtime::database::wall;
use serde_json::{Value, json};

use super::error::Problem;
use crate::app::App;
use crate::body::{self, BodyError};
use crate::code::Code;
use crate::service::hook::{self, Address, Answer, Content, Headers, HookError, Incoming};

/// Largest body.
pub(super) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Whether the run of the answer had been started before, by the same delivery.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Headers that the server itself decides about, whatever a node says.
const NOT_FOR_NODES: &[&str] =
    &["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer"];

/// Takes a request; a 2xx means that the run is committed.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    Path(address): Path<String>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    let address = Address::parse(&address).ok_or(HookError::Absent)?;
    // The address says which workspace it is of.
    let hook = wall::of_system(hook::find(&app, &address)).await?;
    let (raw_body, content) = if hook::takes_files(&hook) {
        let pieces = content.into_data_stream().map_err(std::io::Error::other);
        (Bytes::new(), Content::Stream(pieces.boxed()))
    } else {
        let bytes = body::read(&headers, content, BODY_LIMIT).await.map_err(|error| match error {
            BodyError::TooLarge => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "the body is over 16 MiB")
            }
            BodyError::BrokeOff => Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "the body broke off"),
        })?;
        (bytes, Content::Bytes(value))
    };
    let headers = headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let incoming = Incoming {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        raw_query: uri.query().unwrap_or_default().to_owned(),
        query: query.map(|Query(query)| query).unwrap_or_default(),
        headers: Headers(headers.collect()),
        raw_body,
        // Runs are read by more people than may know a secret address.
        shown_path: if matches!(address, Address::Secret(_)) { "/hooks/…".to_owned() } else { uri.path().to_owned() },
    };
    let answer = match wall::of(hook.workspace(), hook::receive(&app, &hook, incoming, content)).await {
        Err(HookError::Method { allowed }) => {
            let allow = [(ALLOW, allowed.join(", "))];
            return Ok((allow, Problem::from(HookError::Method { allowed })).into_response());
        }
        answer => answer?,
    };
    let (replayed, mut response) = match answer {
        Answer::Accepted { run, replayed } => {
            let location = format!("/api/v1/runs/{run}");
            let body = Json(json!({"runId": run.to_string(), "replayed": replayed}));
            (replayed, (StatusCode::ACCEPTED, [(LOCATION, location)], body).into_response())
        }
        Answer::Response { run, status, headers, body, replayed } => {
            (replayed, response(&run.to_string(), status, &headers, body))
        }
        Answer::Output { run, output, replayed } => {
            let headers = BTreeMap::from([(CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned())]);
            (replayed, response(&run.to_string(), 200, &headers, Value::String(output.to_string())))
        }
        Answer::Failed { run, status, replayed } => {
            let detail = format!("the run ended without an answer: {}", status.as_str());
            let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "RUN_FAILED", detail);
            (replayed, problem.with("runId", run.to_string()).into_response())
        }
    };
    let replayed = HeaderValue::from_static(if replayed { "true" } else { "false" });
    response.headers_mut().insert(IDEMPOTENT_REPLAYED, replayed);
    Ok(response)
}

impl From<HookError> for Problem {
    fn from(error: HookError) -> Self {
        let detail = error.to_string();
        let of = |code: Code| {
            let status = StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Self::new(status, code.as_str(), detail.clone())
        };
        match error {
            HookError::Absent => of(Code::NotFound),
            HookError::Gone => of(Code::Gone),
            HookError::Paused { retry_after } => of(Code::TriggerPaused).again_after(retry_after),
            HookError::Method { allowed } => of(Code::MethodNotAllowed).with("allowed", allowed),
            HookError::Refused(refusal) => of(Code::DeliveryRefused).with("reason", refusal.code()),
            HookError::TooMany { retry_after, .. } => of(Code::RateLimited).again_after(retry_after),
            HookError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail),
            HookError::Unreadable(_) => of(Code::BadUserInput),
            HookError::NotStarted(error) | HookError::Service(error) => error.into(),
        }
    }
}

/// As the config says; otherwise JSON when the sender says so, a form as an object of texts, everything else as text.
fn value(mode: BodyMode, headers: &Headers, content: &[u8]) -> Result<Value, String> {
    if content.is_empty() {
        return Ok(Value::Null);
    }
    let json = |content| serde_json::from_slice(content).map_err(|error| format!("the body is not JSON: {error}"));
    if mode == BodyMode::Json {
        return json(content);
    }
    let media = headers.find(CONTENT_TYPE.as_str()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"));
    if is_json && mode != BodyMode::Text {
        return json(content);
    }
    let text = std::str::from_utf8(content).map_err(|_| "the body is neither JSON nor text in UTF-8".to_owned())?;
    if media == "application/x-www-form-urlencoded" && mode != BodyMode::Text {
        let uri = format!("/?{text}");
        let form = uri.parse().ok().and_then(|uri| Query::<BTreeMap<String, String>>::try_from_uri(&uri).ok());
        if let Some(Query(form)) = form {
            return Ok(json!(form));
        }
    }
    Ok(Value::String(text.to_owned()))
}

/// A run's own answer: texts go out as they are, everything else as JSON.
fn response(run: &str, status: u16, headers: &BTreeMap<String, String>, body: Value) -> Response {
    let status =
        StatusCode::from_u16(status).ok().filter(|status| !status.is_informational()).unwrap_or(StatusCode::OK);
    let (media, bytes) = match body {
        Value::Null => (None, Vec::new()),
        Value::String(text) => (Some("text/plain; charset=utf-8"), text.into_bytes()),
        other => (Some("application/json"), other.to_string().into_bytes()),
    };
    let mut response = (status, bytes).into_response();
    let out = response.headers_mut();
    out.remove(CONTENT_TYPE);
    if let Some(media) = media {
        out.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    }
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) else {
            continue;
        };
        if !NOT_FOR_NODES.contains(&name.as_str()) {
            out.insert(name, value);
        }
    }
    if let Ok(run) = HeaderValue::from_str(run) {
        out.insert(HeaderName::from_static("x-flowforge-run-id"), run);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media: &str, text: &[u8]) -> Result<Value, String> {
        value(BodyMode::Auto, &Headers(vec![("content-type".to_owned(), media.as_bytes().to_vec())]), text)
    }

    #[test]
    fn a_body_is_read_as_what_it_says_it_is() {
        assert_eq!(read("application/json; charset=utf-8", b"{\"a\":1}").unwrap(), json!({"a": 1}));
        assert_eq!(read("application/cloudevents+json", b"[1]").unwrap(), json!([1]));
        assert_eq!(read("application/x-www-form-urlencoded", b"a=1&b=x+y%21").unwrap(), json!({"a": "1", "b": "x y!"}));
        assert_eq!(read("text/csv", b"{\"a\":1}").unwrap(), json!("{\"a\":1}"));
        assert_eq!(read("application/json", b"").unwrap(), Value::Null);
        assert!(read("application/json", b"{").is_err());
        assert!(value(BodyMode::Auto, &Headers::default(), &[0xff]).is_err());
        let says = |media: &str| Headers(vec![("content-type".to_owned(), media.as_bytes().to_vec())]);
        assert_eq!(value(BodyMode::Json, &says("text/plain"), b"[1]").unwrap(), json!([1]));
        assert!(value(BodyMode::Json, &says("text/plain"), b"a").is_err());
        assert_eq!(value(BodyMode::Text, &says("application/json"), b"[1]").unwrap(), json!("[1]"));
        assert_eq!(value(BodyMode::Text, &says("application/x-www-form-urlencoded"), b"a=1").unwrap(), json!("a=1"));
    }

    #[test]
    fn a_node_cannot_break_the_answers_framing() {
        let headers = BTreeMap::from([
            ("content-length".to_owned(), "5".to_owned()),
            ("x-ok".to_owned(), "yes".to_owned()),
            ("bad name".to_owned(), "x".to_owned()),
            ("x-split".to_owned(), "a\r\nset-cookie: b".to_owned()),
        ]);
        let answer = response("run_1", 101, &headers, json!("hi"));
        assert_eq!(answer.status(), StatusCode::OK);
        let names: Vec<&str> = answer.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names.contains(&"x-ok") && !names.contains(&"content-length"));
    }
}

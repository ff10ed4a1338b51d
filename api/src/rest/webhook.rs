//! `/hooks/{workspace}/{project}/{workflow}/{node}`: requests that start runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, PROXY_AUTHORIZATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::error::Problem;
use crate::app::App;
use crate::body::{self, BodyError};
use crate::service::hook::{self, Answer, Incoming, Route};

/// Largest body.
pub(super) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// What senders call the id of a delivery; the first that is there counts.
const DELIVERY_HEADERS: &[&str] = &["idempotency-key", "x-delivery-id", "x-github-delivery", "webhook-id"];

/// Whether the run of the answer had been started before, by the same delivery.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Credentials are for us, not for journals.
const WITHHELD: &[HeaderName] = &[AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];

/// Headers that the server itself decides about, whatever a node says.
const NOT_FOR_NODES: &[&str] =
    &["content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer"];

/// Takes a request; a 2xx means that the run is committed.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    Path((workspace, project, workflow, node)): Path<(String, String, String, String)>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    query: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    headers: HeaderMap,
    content: Body,
) -> Result<Response, Problem> {
    let content = body::read(&headers, content, BODY_LIMIT).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", "the body is over 16 MiB")
        }
        BodyError::BrokeOff => Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "the body broke off"),
    })?;
    let incoming = Incoming {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: query.map(|Query(query)| query).unwrap_or_default(),
        headers: texts(&headers),
        body: value(&headers, &content)?,
        delivery: delivery(&headers),
    };
    let answer = hook::receive(&app, &Route { workspace, project, workflow, node }, incoming).await?;
    let (replayed, mut response) = match answer {
        Answer::Accepted { run, replayed } => {
            let location = format!("/api/v1/runs/{run}");
            let body = Json(json!({"runId": run.to_string(), "replayed": replayed}));
            (replayed, (StatusCode::ACCEPTED, [(LOCATION, location)], body).into_response())
        }
        Answer::Response { run, status, headers, body, replayed } => {
            (replayed, response(&run.to_string(), status, &headers, body))
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

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !WITHHELD.contains(name)) {
        // Some senders put Latin-1 into headers; it is kept as well as it can be read.
        let value = String::from_utf8_lossy(value.as_bytes());
        texts
            .entry(name.as_str().to_owned())
            .and_modify(|text| {
                text.push_str(", ");
                text.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    texts
}

fn delivery(headers: &HeaderMap) -> Option<String> {
    DELIVERY_HEADERS.iter().find_map(|name| headers.get(*name)).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// JSON when the sender says so, a form as an object of texts, everything else as text.
fn value(headers: &HeaderMap, content: &Bytes) -> Result<Value, Problem> {
    let wrong = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", detail);
    if content.is_empty() {
        return Ok(Value::Null);
    }
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/json" || (media.starts_with("application/") && media.ends_with("+json")) {
        return serde_json::from_slice(content).map_err(|error| wrong(format!("the body is not JSON: {error}")));
    }
    let text =
        std::str::from_utf8(content).map_err(|_| wrong("the body is neither JSON nor text in UTF-8".to_owned()))?;
    if media == "application/x-www-form-urlencoded" {
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

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| {
            headers.append(name, value);
        });
        headers
    }

    #[test]
    fn a_body_is_read_as_what_it_says_it_is() {
        let read = |media: &'static str, text: &'static str| {
            value(&headers(&[("content-type", media)]), &Bytes::from_static(text.as_bytes()))
        };
        assert_eq!(read("application/json; charset=utf-8", "{\"a\":1}").unwrap(), json!({"a": 1}));
        assert_eq!(read("application/cloudevents+json", "[1]").unwrap(), json!([1]));
        assert_eq!(read("application/x-www-form-urlencoded", "a=1&b=x+y%21").unwrap(), json!({"a": "1", "b": "x y!"}));
        assert_eq!(read("text/csv", "{\"a\":1}").unwrap(), json!("{\"a\":1}"));
        assert_eq!(read("application/json", "").unwrap(), Value::Null);
        assert!(read("application/json", "{").is_err());
        assert!(value(&HeaderMap::new(), &Bytes::from_static(&[0xff])).is_err());
    }

    #[test]
    fn credentials_do_not_reach_the_run() {
        let seen = texts(&headers(&[("authorization", "Bearer x"), ("cookie", "a=b"), ("x-a", "1"), ("x-a", "2")]));
        assert_eq!(seen, BTreeMap::from([("x-a".to_owned(), "1, 2".to_owned())]));
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

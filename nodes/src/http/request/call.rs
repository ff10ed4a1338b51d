//! From a config to a request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use engine::error::ErrorInfo;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use tokio::time::Instant;

use super::METHODS;
use crate::config::{Config, invalid, scalar};
use crate::file::{self, Files};
use crate::http::header::{headers, name};
use crate::outgoing::{FormPart, OutgoingRequest, Payload};
use crate::{Attempt, Propagated};

/// How long an answer may take when the config does not say.
pub(in crate::http) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// What the draft of the IETF's HTTP API group calls it.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The request that the attempt's config describes, with the files of its run.
pub(super) async fn of(attempt: &Attempt, files: &Arc<dyn Files>) -> Result<OutgoingRequest, ErrorInfo> {
    let config = Config::of(attempt)?;
    let method = method(&config)?;
    let url = url(&config)?;
    let mut headers = headers(&config, "headers")?;
    let body = payload(&config, &mut headers, files).await?;
    put_trace(attempt.trace.as_ref(), &mut headers);
    let portable_header = put_key(&config, &method, &attempt.idempotency_key, &mut headers)?;
    let timeout = config.duration("timeout")?.unwrap_or(DEFAULT_TIMEOUT).min(attempt.timeout);
    Ok(OutgoingRequest { method, url, headers, body, portable_header, deadline: Instant::now() + timeout })
}

/// What is sent, and the header that says what it is.
async fn payload(
    config: &Config<'_>,
    headers: &mut HeaderMap,
    files: &Arc<dyn Files>,
) -> Result<Option<Payload>, ErrorInfo> {
    let (json, file, form) = (config.value("body"), config.value("body_file"), config.object("form")?);
    if usize::from(json.is_some()) + usize::from(file.is_some()) + usize::from(form.is_some()) > 1 {
        let message = "config has more than one of `body`, `body_file` and `form`; a request carries one of them";
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let mut described = |media: &str| {
        if let (false, Ok(media)) = (headers.contains_key(CONTENT_TYPE), HeaderValue::try_from(media)) {
            headers.insert(CONTENT_TYPE, media);
        }
    };
    if let Some(json) = json {
        described("application/json");
        return Ok(Some(Bytes::from(json.to_string()).into()));
    }
    if let Some(file) = file {
        let file = file::in_config(files, "body_file", file).await?;
        described(&file.media_type);
        return Ok(Some(Payload::File(file, Arc::clone(files))));
    }
    let Some(form) = form else { return Ok(None) };
    if headers.contains_key(CONTENT_TYPE) {
        let message = "config.headers sets `content-type`, which says for a form where its fields end; leave it out";
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let mut fields = Vec::new();
    for (name, value) in form {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter(|value| !value.is_null()) {
            let path = format!("form.{name}");
            let part = match scalar(value) {
                Some(text) => FormPart::Text(text),
                None => FormPart::File(file::in_config(files, &path, value).await?),
            };
            fields.push((name.clone(), part));
        }
    }
    Ok(Some(Payload::Form(fields, Arc::clone(files))))
}

fn method(config: &Config<'_>) -> Result<Method, ErrorInfo> {
    let Some(value) = config.value("method") else { return Ok(Method::GET) };
    let known = value.as_str().filter(|text| METHODS.contains(text));
    known
        .and_then(|text| Method::from_bytes(text.as_bytes()).ok())
        .ok_or_else(|| invalid("method", value, &format!("one of {}", METHODS.join(", "))))
}

/// The URL with the query put to it. Messages do not show it, because it may carry a secret.
fn url(config: &Config<'_>) -> Result<Url, ErrorInfo> {
    let mut url = Url::parse(config.required_text("url")?).map_err(|error| {
        let message = format!("config.url is no URL ({error}); expected one such as `https://api.example.com/orders`");
        ErrorInfo::permanent("CONFIG_INVALID", message)
    })?;
    for (name, value) in config.object("query")?.into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values.iter().filter(|value| !value.is_null()) {
            let expected = "a text, a number, a boolean or a list of those";
            let text = scalar(value).ok_or_else(|| invalid(&format!("query.{name}"), value, expected))?;
            url.query_pairs_mut().append_pair(name, &text);
        }
    }
    Ok(url)
}

/// Puts the trace in, unless the author named another one. What services noted belongs to its trace.
pub(in crate::http) fn put_trace(trace: Option<&Propagated>, headers: &mut HeaderMap) {
    let Some(trace) = trace.filter(|_| !headers.contains_key(TRACEPARENT)) else { return };
    let Ok(parent) = HeaderValue::try_from(&trace.traceparent) else { return };
    headers.insert(TRACEPARENT, parent);
    let state = trace.tracestate.as_ref().and_then(|state| HeaderValue::try_from(state).ok());
    if let Some(state) = state.filter(|_| !headers.contains_key(TRACESTATE)) {
        headers.insert(TRACESTATE, state);
    }
}

/// Puts the idempotency key under the author's header, or on calls that can change something under the usual one,
/// unless the author filled that one otherwise.
pub(in crate::http) fn put_key(
    config: &Config<'_>,
    method: &Method,
    key: &str,
    headers: &mut HeaderMap,
) -> Result<Option<HeaderName>, ErrorInfo> {
    let header = match config.raw("idempotency_header") {
        // The node counts as repeatable because of this field; without its value a repeat would not be recognized.
        Some(Value::String(text)) => {
            let header = name("idempotency_header", text)?;
            if headers.contains_key(&header) {
                let message = format!("config.headers sets `{header}`, which config.idempotency_header fills");
                return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
            }
            header
        }
        Some(other) => return Err(invalid("idempotency_header", other, "the name of a header")),
        None if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) => return Ok(None),
        None if headers.contains_key(IDEMPOTENCY_KEY) => return Ok(None),
        None => IDEMPOTENCY_KEY,
    };
    let key = HeaderValue::try_from(key)
        .map_err(|_| ErrorInfo::permanent("CONFIG_INVALID", "the idempotency key does not fit a header"))?;
    headers.insert(header.clone(), key);
    Ok(Some(header))
}

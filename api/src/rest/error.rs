//! The one crossing from our errors to HTTP: problem JSON (RFC 9457) with our `code`.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::graphql::transport::http::CHALLENGE;
use crate::service::{ServiceError, quota};

/// An error as an answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Option<(&'static str, Value)>,
    /// Seconds.
    retry_after: Option<u64>,
}

impl Problem {
    /// An answer of this status; `code` is the stable word.
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), more: None, retry_after: None }
    }

    /// The same, to be tried again after this time.
    pub(super) fn again_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait.as_secs() + 1), ..self }
    }

    /// The same with one more member.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.more = Some((name, value.into()));
        self
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        if let ServiceError::Internal(cause) = &error {
            tracing::error!(error.cause = %cause, "a REST request failed");
        }
        let status = StatusCode::from_u16(error.kind().http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = Self::new(status, error.code(), error.to_string());
        match &error {
            ServiceError::QuotaExceeded(exceeded) => Self {
                retry_after: exceeded.retry_after.map(|wait| wait.as_secs() + 1),
                ..problem.with("quota", quota::details(exceeded))
            },
            ServiceError::RateLimited { wait } => problem.again_after(*wait),
            _ => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some((name, value)) = self.more {
            body[name] = value;
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        response
    }
}

/// Nothing is at this path.
pub(super) async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("there is nothing at {path}"))
}

/// Something is at this path, but not for this method.
pub(super) async fn no_such_method(method: Method) -> Problem {
    let detail = format!("this path does not take {method}");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail)
}

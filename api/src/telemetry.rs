//! What the process tells about itself: log lines, figures, one line and one span a request.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

mod address;
mod clean;
pub(crate) mod export;
pub(crate) mod figure;
pub(crate) mod request;
mod span;

use crate::app::App;
use crate::config::log::{LogConfig, LogFormat};
use request::{Noted, RequestNotes};
use span::ServerSpan;

/// The header that carries a request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a caller may choose.
const REQUEST_ID_LIMIT: usize = 64;
/// The label of paths that match no route. They are no labels themselves: anybody could make up any number of them, and
/// put secrets in.
const UNMATCHED: &str = "unmatched";
/// The status of a request whose caller left before the answer, as proxies write it.
const CALLER_LEFT: u16 = 499;

/// Sends log lines to standard error. A process that has a subscriber already keeps it.
pub fn init(config: &LogConfig) {
    let filter: Targets = config.level.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    // The database driver logs every statement at info.
    let filter = filter.with_target("sqlx", tracing::Level::WARN).with_target("sea_orm", tracing::Level::WARN);
    let registry = tracing_subscriber::registry().with(filter);
    let is_watched = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_ansi(is_watched).with_writer(clean::Lines);
    let installed = match config.format {
        LogFormat::Human => registry.with(lines.with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if installed.is_err() {
        tracing::debug!("a log subscriber was there already");
    }
}

/// One log line, two figures and perhaps a span a request, and its id in the answer.
pub(crate) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sound(id))
        .map_or_else(|| app.runtime.clock().new_id().simple().to_string(), str::to_owned);
    // Whoever asks further inside finds the id where the caller would have put it.
    let value = HeaderValue::from_str(&id).ok();
    if let Some(value) = &value {
        request.headers_mut().insert(REQUEST_ID, value.clone());
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let asked = span::asked(request.headers());
    let span = ServerSpan::begin(&app, asked.as_ref(), route.as_ref().map(MatchedPath::as_str));
    let trace = span.as_ref().map(|span| span.context().clone()).or(asked);
    let notes = RequestNotes::traced(id, trace);
    if let Some(address) = address::of(&request, app.config.server.client_address_header.as_deref()) {
        notes.came_from(address);
    }
    let mut line =
        Line { notes: Arc::clone(&notes), method: known(request.method()), route, status: CALLER_LEFT, span };
    let mut response = request::within(notes, next.run(request)).await;
    line.status = response.status().as_u16();
    drop(line);
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A request's log line, written when this is dropped: also for a caller that does not wait for the answer.
struct Line {
    notes: Arc<RequestNotes>,
    method: &'static str,
    route: Option<MatchedPath>,
    status: u16,
    span: Option<ServerSpan>,
}

impl Drop for Line {
    fn drop(&mut self) {
        let (method, status) = (self.method, self.status);
        let route = self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        metrics::counter!(figure::REQUESTS, &labels).increment(1);
        metrics::histogram!(figure::REQUEST_SECONDS, &labels[..2]).record(self.notes.began.elapsed().as_secs_f64());
        let noted = self.notes.noted();
        if let Some(span) = self.span.take() {
            span.end(method, route, status, &self.notes.id, &noted);
        }
        let Noted { address: _, workspace, actor, kind, operation } = noted;
        let duration_ms = self.notes.milliseconds();
        tracing::info!(
            request.id = self.notes.id,
            http.method = method,
            http.route = route,
            http.status = status,
            duration_ms,
            workspace.id = workspace.map(tracing::field::display),
            actor,
            graphql.r#type = kind,
            graphql.operation = operation,
            "{method} {route} answered {status} in {duration_ms:.1} ms"
        );
    }
}

/// The method, unless it is one that somebody made up.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn is_sound(id: &str) -> bool {
    (1..=REQUEST_ID_LIMIT).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_request_id_is_kept_only_when_it_cannot_forge_log_lines() {
        assert!(is_sound("01J-abc_2.x"));
        for wrong in ["", "a b", "a\"b", "ä", &"a".repeat(65)] {
            assert!(!is_sound(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_method_that_somebody_made_up_is_no_label() {
        assert_eq!(known(&Method::PATCH), "PATCH");
        assert_eq!(known(&Method::from_bytes(b"FF-SECRET").unwrap()), "other");
    }
}

//! What the process tells about itself: log lines, figures, one line a request.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

mod clean;

use crate::app::App;
use crate::config::log::{LogConfig, LogFormat};

/// The header that carries a request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that a caller may choose.
const REQUEST_ID_LIMIT: usize = 64;
/// Upper bounds of the duration figures, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// How often figures are tidied, so that they do not grow between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static FIGURES: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

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

/// Starts to collect figures, once a process.
pub(crate) fn collect() {
    FIGURES.get_or_init(|| {
        let bounded = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS);
        let recorder = bounded.ok()?.build_recorder();
        let handle = recorder.handle();
        // Somebody who embeds us may have a recorder of their own; then theirs has the figures.
        metrics::set_global_recorder(recorder).ok().map(|()| handle)
    });
}

/// Tidies figures until it is dropped.
pub(crate) async fn upkeep() {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        if let Some(Some(handle)) = FIGURES.get() {
            handle.run_upkeep();
        }
    }
}

/// The figures as Prometheus reads them.
pub(crate) fn figures() -> String {
    FIGURES.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}

/// One log line and two figures a request, and its id in the answer.
pub(crate) async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
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
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Paths that match no route are not used as labels: anybody could make up any number of them.
    let label = route.as_ref().map_or_else(|| "unmatched".to_owned(), |route| route.as_str().to_owned());
    let path: String = request.uri().path().chars().take(200).collect();
    let mut response = next.run(request).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    let labels = [("method", known(method.as_str())), ("route", label), ("status", status.to_string())];
    metrics::counter!("flowforge_http_requests_total", &labels).increment(1);
    metrics::histogram!("flowforge_http_request_duration_seconds", &labels[..2]).record(took.as_secs_f64());
    let duration_ms = took.as_secs_f64() * 1_000.0;
    tracing::info!(
        request.id = %id, http.method = %method, http.path = %path, http.status = status, duration_ms,
        "{method} {path} answered {status} in {duration_ms:.1} ms"
    );
    if let Some(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn known(method: &str) -> String {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method.to_owned(),
        _ => "other".to_owned(),
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
}

//! Whether the process lives, whether it can work, and its figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use runtime::database::wall;
use serde_json::{Value, json};

use crate::app::App;
use crate::telemetry;

/// 200 while the process answers at all; it asks nothing of anybody.
pub(super) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// 200 when it can work; otherwise 503 and why not.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let health = app.runtime.health();
    let mut reasons = health.reasons;
    if app.stopping.is_cancelled() {
        reasons.push("the process is stopping".to_owned());
    }
    if health.can_work && reasons.is_empty() {
        Json(json!({"status": "ready"})).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "not ready", "reasons": reasons}))).into_response()
    }
}

/// Figures for Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    // They count over all workspaces.
    let figures = wall::of_system(telemetry::figure::shown(&app)).await;
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], figures).into_response()
}

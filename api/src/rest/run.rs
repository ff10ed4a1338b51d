//! `/api/v1/runs`

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use runtime::database::wall;
use serde_json::{Value, json};

use super::error::Problem;
use crate::app::App;
use crate::auth::{Viewer, credential};
use crate::service::run::{self, Run};
use crate::service::text::instant;
use crate::service::{ServiceError, caller};
use crate::telemetry::REQUEST_ID;

/// One run, without its data.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let viewer = viewer(&app, &headers).await?;
    let id = id.parse().map_err(|_| ServiceError::NotFound { what: "run" })?;
    Ok(Json(shown(&wall::of(viewer.workspace, run::get(&app, &viewer, id)).await?)))
}

/// Who asks.
pub(super) async fn viewer(app: &Arc<App>, headers: &HeaderMap) -> Result<Viewer, ServiceError> {
    let shown = credential::shown(headers, &app.config.server.allow_origins);
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    caller::authenticate_in(app, &shown.ok_or(ServiceError::Unauthenticated)?, request).await
}

fn shown(run: &Run) -> Value {
    json!({
        "id": run.id.to_string(),
        "workflowId": run.workflow.to_string(),
        "versionId": run.version.map(|id| id.to_string()),
        "environment": run.environment,
        "status": run.status.as_str(),
        "key": run.key,
        "labels": run.labels,
        "trigger": run.trigger,
        "error": run.error.as_ref().map(|error| json!({
            "code": error.code,
            "message": error.message,
            "node": error.node,
        })),
        "lastSeq": run.last_seq,
        "createdAt": instant(run.created_at),
        "startedAt": run.started_at.map(instant),
        "finishedAt": run.finished_at.map(instant),
        "createdBy": run.created_by,
    })
}

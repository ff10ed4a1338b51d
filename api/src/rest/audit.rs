//! `/api/v1/audit`: the audit as a stream, for programs that keep it elsewhere.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use engine::time::Timestamp;
use futures::StreamExt as _;
use runtime::database::wall;
use serde::Deserialize;

use super::error::Problem;
use super::run::viewer;
use crate::app::App;
use crate::service::audit::EntryFilter;
use crate::service::audit_export::{Format, export};
use crate::service::{ServiceError, denial};

/// Which rows, and how they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// `jsonl` or `csv`.
    format: Option<String>,
    /// Kinds of change, separated by commas.
    action: Option<String>,
    actor: Option<String>,
    entity: Option<String>,
    /// `DONE` or `DENIED`.
    result: Option<String>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

/// Streams the audit.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let viewer = viewer(&app, &headers).await?;
    let Query(wanted) = wanted.map_err(|error| ServiceError::invalid("query", error.body_text()))?;
    let word = wanted.format.as_deref().unwrap_or("jsonl");
    let wrong = |field, what: &str| ServiceError::invalid(field, format!("`{field}` must be {what}"));
    let format = Format::parse(word).ok_or_else(|| wrong("format", "jsonl or csv"))?;
    let denied = match wanted.result.as_deref() {
        None => None,
        Some("DENIED") => Some(true),
        Some("DONE") => Some(false),
        Some(_) => return Err(wrong("result", "DONE or DENIED").into()),
    };
    let time = |at: DateTime<Utc>| Timestamp(at.timestamp_micros());
    let filter = EntryFilter {
        entity: wanted.entity,
        actor: wanted.actor,
        actions: wanted.action.iter().flat_map(|list| list.split(',')).map(str::to_owned).collect(),
        denied,
        since: wanted.since.map(time),
        until: wanted.until.map(time),
    };
    let lines = match export(&app, &viewer, filter, format) {
        Err(error @ ServiceError::Forbidden { permission, .. }) => {
            let noted = denial::denied(&app, &viewer, "GET /api/v1/audit", permission.as_str());
            wall::of(viewer.workspace, noted).await;
            return Err(error.into());
        }
        lines => lines?,
    };
    let (media, name) = match format {
        Format::JsonLines => ("application/x-ndjson", "attachment; filename=\"audit.jsonl\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
    };
    let head = [(CONTENT_TYPE, media), (CONTENT_DISPOSITION, name), (CACHE_CONTROL, "no-store")];
    let lines = wall::stream_of(viewer.workspace, lines.boxed());
    Ok((head, Body::from_stream(lines)).into_response())
}

//! Run data whole: what runs were given, and what they and their nodes gave.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::database::wall;

use super::attachment::Attachment;
use super::error::Problem;
use super::run::viewer;
use crate::app::App;
use crate::service::ServiceError;
use crate::service::value::download::{self, Place};

/// What a run was given.
pub(super) async fn input(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    whole(&app, &headers, id.parse().ok().map(Place::Input), "run").await
}

/// A run's result.
pub(super) async fn output(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    whole(&app, &headers, id.parse().ok().map(Place::Output), "run").await
}

/// A node run's result.
pub(super) async fn node_output(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    whole(&app, &headers, id.parse().ok().map(Place::Node), "node run").await
}

async fn whole(
    app: &Arc<App>,
    headers: &HeaderMap,
    place: Option<Place>,
    what: &'static str,
) -> Result<Response, Problem> {
    let viewer = viewer(app, headers).await?;
    let place = place.ok_or(ServiceError::NotFound { what })?;
    let found = wall::of(viewer.workspace, download::open(app, &viewer, &place)).await?;
    let answer = Attachment {
        name: &found.name,
        media_type: "application/json",
        length: found.size,
        tag: format!("\"{}\"", found.tag),
        pieces: found.pieces,
    };
    Ok(answer.answer())
}

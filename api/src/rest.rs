//! REST: webhooks, the process's own state, and a few reads for programs without a GraphQL client.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};

mod artifact;
mod audit;
mod error;
mod login;
pub(crate) mod pages;
mod process;
mod run;
mod session;
mod webhook;

use crate::app::App;
use crate::config::oidc::CALLBACK_PATH;

/// Every route besides `/graphql`.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/health", get(process::health))
        .route("/ready", get(process::ready))
        .route("/metrics", get(process::metrics))
        .route("/api/v1/runs/{id}", get(run::get))
        .route("/api/v1/artifacts/{id}/content", get(artifact::content))
        .route("/api/v1/audit", get(audit::get))
        .route("/auth", get(login::ways))
        .route("/auth/sign-in", get(login::begin))
        .route(CALLBACK_PATH, get(login::finish))
        .route("/auth/back-channel-logout", post(login::logged_out))
        .route("/session", post(session::sign_in).delete(session::sign_out))
        .route("/hooks/{*address}", any(webhook::receive))
        .fallback(pages::serve)
        .method_not_allowed_fallback(error::no_such_method)
        .with_state(app)
}

/// The answer when a handler panicked: a fault of ours, whose text stays in the log.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    error::Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here; the log says what")
        .into_response()
}

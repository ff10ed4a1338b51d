//! REST: webhooks, the process's own state, and a few reads for programs without a GraphQL client.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post, put};

mod artifact;
mod attachment;
mod audit;
mod error;
mod login;
pub(crate) mod pages;
mod process;
mod run;
mod session;
mod value;
mod webhook;

use crate::app::App;
use crate::config::oidc::CALLBACK_PATH;

/// Every route besides `/graphql`, and what answers there. The paths are read off it where each must be tried.
fn routes() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/health", get(process::health)),
        ("/ready", get(process::ready)),
        ("/metrics", get(process::metrics)),
        ("/api/v1/runs/{id}", get(run::get)),
        ("/api/v1/runs/{id}/input", get(value::input)),
        ("/api/v1/runs/{id}/output", get(value::output)),
        ("/api/v1/node-runs/{id}/output", get(value::node_output)),
        ("/api/v1/artifacts/{id}/content", get(artifact::content)),
        ("/api/v1/artifact-links/{link}", get(artifact::linked)),
        ("/api/v1/artifact-uploads/{link}", put(artifact::sent)),
        ("/api/v1/audit", get(audit::get)),
        ("/auth", get(login::ways)),
        ("/auth/sign-in", get(login::begin)),
        (CALLBACK_PATH, get(login::finish)),
        ("/auth/back-channel-logout", post(login::logged_out)),
        ("/session", post(session::sign_in).delete(session::sign_out)),
        ("/hooks/{*address}", any(webhook::receive)),
    ]
}

/// The paths of every route besides `/graphql` and the pages, as the router knows them.
pub fn paths() -> Vec<&'static str> {
    routes().into_iter().map(|(path, _)| path).collect()
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let all = routes().into_iter().fold(Router::new(), |router, (path, answer)| router.route(path, answer));
    all.fallback(pages::serve).method_not_allowed_fallback(error::no_such_method).with_state(app)
}

/// The answer when a handler panicked: a fault of ours, whose text stays in the log.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    error::Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here; the log says what")
        .into_response()
}

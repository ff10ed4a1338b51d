//! `/session`: a browser signs in with a one-time link and signs out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::error::Problem;
use crate::app::App;
use crate::auth::credential::{self, COOKIE_NAME};
use crate::service::session::{self, SESSION_LIVES};
use crate::service::{ServiceError, key};
use crate::telemetry::REQUEST_ID;

/// What a page of ours sends: the part of the link that never was in a request line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    token: String,
}

/// Opens a session; the cookie is its credential.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, Problem> {
    // Somebody else's page must not sign a browser in either: it would work in a workspace that others read.
    if !credential::origin_allowed(&headers, &app.config.server.allow_origins) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "FORBIDDEN", "only pages of this server sign in here"));
    }
    let Json(SignIn { token }) =
        body.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", error.body_text()))?;
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let opened = match session::open(&app, &token, request).await {
        Err(ServiceError::Unauthenticated) => {
            let detail =
                "this link was used before, is over, or never was one; `flowforge admin login-link` prints another";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", detail));
        }
        opened => opened?,
    };
    Ok(answer(&cookie(opened.secret.expose(), SESSION_LIVES.as_secs())))
}

/// Ends the session of the cookie. Without one there is nothing to end.
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    if let Some(token) = credential::session(&headers, &app.config.server.allow_origins) {
        match key::authenticate_in(&app, token, request).await {
            Ok(viewer) => session::close(&app, &viewer).await?,
            Err(ServiceError::Unauthenticated) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(answer(&cookie("", 0)))
}

fn cookie(value: &str, seconds: u64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

fn answer(cookie: &str) -> Response {
    (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie), (CACHE_CONTROL, "no-store")]).into_response()
}

//! `/session`: a browser signs in with a one-time link and signs out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::database::wall;
use serde::Deserialize;
use serde_json::json;

use super::error::Problem;
use crate::app::App;
use crate::auth::credential::{self, COOKIE_NAME};
use crate::service::session::{self, SESSION_LIVES};
use crate::service::{ServiceError, user_session};
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
    if !app.config.has_login_links() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "FORBIDDEN", "people sign in at the OpenID provider here"));
    }
    let Json(SignIn { token }) =
        body.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", error.body_text()))?;
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    // The link says which workspace it is for.
    let opened = match wall::of_system(session::open(&app, &token, request)).await {
        Err(ServiceError::Unauthenticated) => {
            let detail =
                "this link was used before, is over, or never was one; `flowforge admin login-link` prints another";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", detail));
        }
        opened => opened?,
    };
    Ok(answer(&cookie(opened.secret.expose(), SESSION_LIVES.as_secs())))
}

/// Ends the session of the cookie. Without one there is nothing to end. For a person whom the provider vouched for, the
/// answer says where the browser goes to sign out there too.
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    if let Some(token) = credential::session(&headers, &app.config.server.allow_origins) {
        if user_session::is_one(token) {
            let next = wall::of_system(user_session::close(&app, token, request)).await?;
            let next = next.map(|url| url.to_string());
            return Ok((answer_head(&cookie("", 0)), Json(json!({ "signOutUrl": next }))).into_response());
        }
        // The cookie says whose session ends, and in which workspace.
        wall::of_system(session::close(&app, token, request)).await?;
    }
    Ok(answer(&cookie("", 0)))
}

pub(super) fn cookie(value: &str, seconds: u64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

fn answer(cookie: &str) -> Response {
    (StatusCode::NO_CONTENT, answer_head(cookie)).into_response()
}

fn answer_head(cookie: &str) -> [(HeaderName, String); 2] {
    [(SET_COOKIE, cookie.to_owned()), (CACHE_CONTROL, "no-store".to_owned())]
}

//! `/auth`: a browser signs in at the OpenID provider, and the provider says when somebody signed out there.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Query, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, PRAGMA, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use runtime::database::wall;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::Problem;
use super::session;
use crate::app::App;
use crate::auth::credential::{self, LOGIN_COOKIE_NAME};
use crate::service::login::{self, Answer, Unopened};
use crate::service::user_session::{self, LIVES};
use crate::telemetry::REQUEST_ID;

/// How long the cookie of a sign-in that was begun is kept, in seconds.
const LOGIN_LASTS: u64 = 600;
/// Longest cookie of that kind that is ours.
const LOGIN_COOKIE_LEN: usize = 43;

/// Where somebody wants to be when they are signed in.
#[derive(Debug, Deserialize)]
pub(super) struct Begin {
    #[serde(default)]
    return_to: String,
}

/// What the provider sends a browser back with.
#[derive(Debug, Deserialize)]
pub(super) struct Callback {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// What the provider sends when somebody signed out there.
#[derive(Deserialize)]
pub(super) struct Logout {
    logout_token: String,
}

/// How people sign in here: what the sign-in page needs to know before anybody is known.
pub(super) async fn ways(State(app): State<Arc<App>>) -> Json<Value> {
    let provider = app.provider.as_ref().map(|provider| json!({"name": provider.config().name}));
    Json(json!({ "provider": provider }))
}

/// Sends the browser to the provider.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(asked): Query<Begin>,
) -> Result<Response, Problem> {
    login::provider(&app)?;
    // Several tabs may sign in at once: all of them go by the browser's one cookie.
    let known = credential::cookie(&headers, LOGIN_COOKIE_NAME).filter(|known| known.len() == LOGIN_COOKIE_LEN);
    let browser = match known {
        Some(known) => known.to_owned(),
        None => login::new_browser()?,
    };
    Ok(match wall::of_system(login::begin(&app, &browser, &asked.return_to)).await {
        Ok(url) => to(url.as_str(), &[login_cookie(&browser, LOGIN_LASTS)]),
        Err(error) => refused(&error),
    })
}

/// Opens a session for the browser that comes back, or says why not.
pub(super) async fn finish(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(came): Query<Callback>,
) -> Result<Response, Problem> {
    login::provider(&app)?;
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let browser = credential::cookie(&headers, LOGIN_COOKIE_NAME);
    let answer = Answer { state: came.state, code: came.code, issuer: came.iss, error: came.error };
    Ok(match wall::of_system(login::finish(&app, browser, &answer, request)).await {
        Ok(opened) => {
            let cookies = [session::cookie(&opened.secret, LIVES.as_secs()), login_cookie("", 0)];
            to(&opened.return_to, &cookies)
        }
        Err(error) => refused(&error),
    })
}

/// Ends the sessions of somebody who signed out at the provider (OpenID Connect Back-Channel Logout 1.0).
pub(super) async fn logged_out(
    State(app): State<Arc<App>>,
    body: Result<Form<Logout>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    login::provider(&app)?;
    let invalid = || Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", "this is no logout token that counts");
    let Ok(Form(Logout { logout_token })) = body else { return Ok(unkept(invalid().into_response())) };
    let answer = match wall::of_system(user_session::logged_out(&app, &logout_token)).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error @ Unopened::Unavailable(_)) => {
            tracing::error!(error = %error, "a logout token could not be carried out");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "it could not be carried out; send it again")
                .into_response()
        }
        Err(error) => {
            tracing::warn!(error = %error, "a logout token was refused");
            invalid().into_response()
        }
    };
    Ok(unkept(answer))
}

/// Nobody is signed in by this; the page says so in words.
fn refused(error: &Unopened) -> Response {
    match error {
        Unopened::Unavailable(_) => tracing::error!(error = %error, "nobody can sign in"),
        _ => tracing::warn!(error = %error, "a sign-in was refused"),
    }
    to(&format!("/sign-in?refused={}", error.word()), &[])
}

fn to(url: &str, cookies: &[String]) -> Response {
    let Ok(place) = HeaderValue::from_str(url) else { return StatusCode::BAD_REQUEST.into_response() };
    let cookies = cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok());
    let cookies: Vec<(HeaderName, HeaderValue)> = cookies.map(|cookie| (SET_COOKIE, cookie)).collect();
    // The address of this request has a code in it.
    let quiet = [(LOCATION, place), (REFERRER_POLICY, HeaderValue::from_static("no-referrer"))];
    unkept((StatusCode::SEE_OTHER, quiet, AppendHeaders(cookies)).into_response())
}

fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The cookie that a sign-in is bound to. It has to come along when the provider sends the browser back, so it cannot be
/// `Strict`; it opens nothing.
fn login_cookie(value: &str, seconds: u64) -> String {
    format!("{LOGIN_COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

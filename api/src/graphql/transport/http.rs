//! GraphQL over HTTP, as the GraphQL-over-HTTP draft says.

use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as GraphqlResponse, ServerError};
use axum::body::Body;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use runtime::database::wall;
use serde_json::{Map, Value};

use super::{Face, Head, Params, prepare, shown, sse};
use crate::auth::credential;
use crate::body::{self, BodyError};
use crate::graphql::error::{Code, complete, request_error};
use crate::graphql::limit::COST;
use crate::graphql::request::IdempotencyKey;
use crate::service::ServiceError;
use crate::service::caller::{self, Credential};
use crate::telemetry::REQUEST_ID;

/// A start that brings no key of its own goes by this header.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Largest body of a request.
pub const BODY_LIMIT: usize = 5 * 1024 * 1024;
/// Longest execution of a query or mutation.
pub(super) const EXECUTION_LIMIT: Duration = Duration::from_secs(10);

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// `application/json`: a well-formed request is answered with 200 whatever comes of it.
    Json,
    /// `application/graphql-response+json`: a refused request has a status of its own.
    GraphqlResponse,
    /// `text/event-stream`: every answer of one operation, as it comes.
    Events,
}

impl Media {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            // A request that is refused is no stream.
            Self::GraphqlResponse | Self::Events => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// What the client wants most of what there is; `None` when it takes neither.
    fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let accepted: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        if accepted.is_empty() {
            return Some(Self::Json);
        }
        let mut best: Option<(Self, f32, u8)> = None;
        for range in accepted.iter().flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let (media, precision) = match parts.next().map(str::to_ascii_lowercase).as_deref() {
                Some("application/graphql-response+json") => (Self::GraphqlResponse, 2),
                Some("text/event-stream") => (Self::Events, 2),
                Some("application/json") => (Self::Json, 2),
                Some("application/*") => (Self::Json, 1),
                Some("*/*") => (Self::Json, 0),
                _ => continue,
            };
            let quality = parts
                .filter_map(|part| part.strip_prefix("q="))
                .find_map(|text| text.parse::<f32>().ok())
                .unwrap_or(1.0);
            let better = best.is_none_or(|(_, q, p)| quality > q || (quality == q && precision > p));
            if quality > 0.0 && better {
                best = Some((media, quality, precision));
            }
        }
        best.map(|(media, ..)| media)
    }
}

/// Everything at `/graphql` that is not a WebSocket.
pub(super) async fn graphql(face: Face, method: &Method, uri: &Uri, headers: &HeaderMap, content: Body) -> Response {
    let Some(media) = Media::negotiate(headers) else {
        let error = request_error(
            Code::BadUserInput,
            "answers are application/graphql-response+json, application/json or text/event-stream; `Accept` takes none",
        );
        return refused(Media::Json, StatusCode::NOT_ACCEPTABLE, error);
    };
    match *method {
        Method::GET | Method::POST => {}
        Method::OPTIONS => return (StatusCode::NO_CONTENT, [(ALLOW, "GET, POST, OPTIONS")]).into_response(),
        _ => {
            let error = request_error(Code::OperationResolutionFailure, "send GET or POST");
            return with_header(refused(media, StatusCode::METHOD_NOT_ALLOWED, error), ALLOW, "GET, POST, OPTIONS");
        }
    }
    let is_get = *method == Method::GET;
    let params = if is_get {
        from_uri(uri)
    } else {
        match body::read(headers, content, BODY_LIMIT).await {
            Ok(content) => from_body(headers, &content),
            Err(BodyError::TooLarge) => Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is over 5 MiB".to_owned())),
            Err(BodyError::BrokeOff) => Err((StatusCode::BAD_REQUEST, "the body broke off".to_owned())),
        }
    };
    match params {
        Err((status, message)) => refused(media, status, request_error(Code::BadUserInput, &message)),
        Ok(params) => answer(&face, media, is_get, headers, params).await,
    }
}

async fn answer(face: &Face, media: Media, is_get: bool, headers: &HeaderMap, params: Params) -> Response {
    let viewer = match authenticate(face, headers).await {
        Ok(viewer) => viewer,
        Err(error) => return unauthorized(media, &error),
    };
    let head = Head {
        resume: if media == Media::Events { sse::resume(headers) } else { None },
        idempotency_key: IdempotencyKey::of(headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok())),
        is_socket: false,
    };
    let admitted = match prepare(face, viewer.clone(), params, head) {
        Ok(admitted) => admitted,
        Err(error) => return refused(media, client_fault(media), error),
    };
    match admitted.kind {
        OperationType::Query => {}
        OperationType::Mutation if !is_get => {}
        OperationType::Mutation => {
            let error = request_error(Code::OperationResolutionFailure, "a mutation is sent by POST");
            return with_header(refused(media, StatusCode::METHOD_NOT_ALLOWED, error), ALLOW, "POST");
        }
        OperationType::Subscription if media == Media::Events => {}
        OperationType::Subscription => {
            let error = request_error(
                Code::OperationResolutionFailure,
                "a subscription needs `Accept: text/event-stream`, or a WebSocket with the subprotocol graphql-transport-ws",
            );
            return refused(media, StatusCode::BAD_REQUEST, error);
        }
    }
    if media == Media::Events {
        return sse::stream(face, &viewer, shown_credential(face, headers), admitted);
    }
    let (executed, cost) = (admitted.executed, admitted.cost);
    let execution = wall::of(viewer.workspace, Box::pin(face.schema.execute(admitted.request)));
    let Ok(mut response) = tokio::time::timeout(EXECUTION_LIMIT, execution).await else {
        return refused(media, StatusCode::GATEWAY_TIMEOUT, too_long());
    };
    complete(&mut response.errors, executed.get());
    let status = if executed.get() { StatusCode::OK } else { client_fault(media) };
    let mut body = shown(&response, executed.get());
    if executed.get() {
        body["extensions"]["cost"] = serde_json::json!({"requestedQueryCost": cost, "maximumQueryCost": COST});
    }
    written(media, status, &body)
}

/// What a query or mutation over [`EXECUTION_LIMIT`] is told.
pub(super) fn too_long() -> ServerError {
    request_error(Code::Timeout, "the operation took longer than 10 seconds")
}

/// The viewer of the request's credential.
pub(super) async fn authenticate(face: &Face, headers: &HeaderMap) -> Result<crate::auth::Viewer, ServiceError> {
    let shown = credential::shown(headers, &face.app.config.server.allow_origins);
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    caller::authenticate_in(&face.app, &shown.ok_or(ServiceError::Unauthenticated)?, request).await
}

/// What a long answer asks again with, whether it is still valid.
pub(super) fn shown_credential(face: &Face, headers: &HeaderMap) -> Credential {
    credential::shown(headers, &face.app.config.server.allow_origins).unwrap_or_default()
}

/// 401 with its challenge, or what else kept the credential from being looked at.
fn unauthorized(media: Media, error: &ServiceError) -> Response {
    let (code, status) = match error {
        ServiceError::Unauthenticated => (Code::Unauthenticated, StatusCode::UNAUTHORIZED),
        ServiceError::Unavailable { .. } => (Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE),
        // The workspace that the request names.
        ServiceError::NotFound { .. } => (Code::NotFound, StatusCode::NOT_FOUND),
        ServiceError::RateLimited { .. } => (Code::RateLimited, StatusCode::TOO_MANY_REQUESTS),
        _ => (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR),
    };
    if let ServiceError::Internal(cause) = error {
        tracing::error!(error.cause = %cause, "a credential could not be looked up");
    }
    let mut response = refused(media, status, request_error(code, &error.to_string()));
    if let ServiceError::RateLimited { wait } = error {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    if status == StatusCode::UNAUTHORIZED { with_header(response, WWW_AUTHENTICATE, CHALLENGE) } else { response }
}

/// The challenge of every 401.
pub(crate) const CHALLENGE: &str = "Bearer realm=\"flowforge\"";

fn client_fault(media: Media) -> StatusCode {
    match media {
        Media::Json => StatusCode::OK,
        Media::GraphqlResponse | Media::Events => StatusCode::BAD_REQUEST,
    }
}

fn from_body(headers: &HeaderMap, content: &[u8]) -> Result<Params, (StatusCode, String)> {
    if !is_json(headers) {
        // Forms and plain text can be sent across sites without a preflight.
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send `Content-Type: application/json`".to_owned()));
    }
    let wrong = |message: String| (StatusCode::BAD_REQUEST, message);
    let value = serde_json::from_slice(content).map_err(|error| wrong(format!("the body is not JSON: {error}")))?;
    Params::read(value).map_err(|message| wrong(message.to_owned()))
}

/// Whether the body says that it is JSON in UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media = parts.next();
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|set| set.trim_matches('"').to_owned()));
    media.as_deref() == Some("application/json") && charset.is_none_or(|set| set == "utf-8" || set == "utf8")
}

fn from_uri(uri: &Uri) -> Result<Params, (StatusCode, String)> {
    let wrong = |message: String| (StatusCode::BAD_REQUEST, message);
    let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| wrong(format!("the query string cannot be read: {error}")))?;
    let mut fields = Map::new();
    for (key, text) in pairs {
        let value = match key.as_str() {
            "query" | "operationName" => Value::String(text),
            "variables" | "extensions" => {
                serde_json::from_str(&text).map_err(|error| wrong(format!("`{key}` is not JSON: {error}")))?
            }
            _ => continue,
        };
        fields.insert(key, value);
    }
    Params::read(Value::Object(fields)).map_err(|message| wrong(message.to_owned()))
}

fn refused(media: Media, status: StatusCode, error: ServerError) -> Response {
    written(media, status, &shown(&GraphqlResponse::from_errors(vec![error]), false))
}

fn written(media: Media, status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, media.content_type())], body.to_string()).into_response()
}

fn with_header(mut response: Response, name: HeaderName, value: &'static str) -> Response {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).unwrap());
        Media::negotiate(&headers)
    }

    #[test]
    fn the_answer_has_the_type_that_the_client_wants_most() {
        assert_eq!(Media::negotiate(&HeaderMap::new()), Some(Media::Json));
        for (accept, wanted) in [
            ("*/*", Some(Media::Json)),
            ("application/json", Some(Media::Json)),
            ("application/graphql-response+json", Some(Media::GraphqlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(Media::GraphqlResponse)),
            ("application/graphql-response+json;q=0.5, application/json;q=0.9", Some(Media::Json)),
            ("application/graphql-response+json; charset=utf-8, */*", Some(Media::GraphqlResponse)),
            ("text/html, application/*;q=0.1", Some(Media::Json)),
            ("text/event-stream", Some(Media::Events)),
            ("text/event-stream;q=0.5, application/json", Some(Media::Json)),
            ("application/json;q=0", None),
            ("text/html", None),
        ] {
            assert_eq!(accepting(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_taken() {
        let says = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
            is_json(&headers)
        };
        assert!(says("application/json") && says("Application/JSON; charset=UTF-8"));
        for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""] {
            assert!(!says(wrong), "{wrong}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}

//! One `graphql-transport-ws` session. A single task reads, runs and writes: what the client does not read is not
//! produced, so nothing is buffered without end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as GraphqlResponse, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::stream::{AbortHandle, BoxStream, SelectAll, StreamExt as _, abortable};
use runtime::database::wall;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::http::{CHALLENGE, authenticate, shown_credential};
use super::{Executed, Face, Head, Params, prepare, shown, shown_errors};
use crate::app::App;
use crate::auth::credential::{self, origin_allowed};
use crate::auth::{Viewer, bearer};
use crate::graphql::error::{Code, complete, request_error};
use crate::service::ServiceError;
use crate::service::access::Changes;
use crate::service::caller::{self, Credential};
use crate::telemetry::figure::Open;
use crate::telemetry::request::RequestNotes;
use crate::telemetry::{self, REQUEST_ID};

/// The only subprotocol.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";
/// Largest message of a client.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// Up to here a message that is too large is read to its end, so that its sender, who reads nothing while it writes, can
/// still be told. A larger one is broken off.
const READ_LIMIT: usize = 2 * MESSAGE_LIMIT;
/// Most operations under way on one socket.
const OPERATION_LIMIT: usize = 100;
/// How long a client may take for `connection_init`.
const INIT_WITHIN: Duration = Duration::from_secs(3);
/// How often the client is asked for a sign of life, and its credential looked at again.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A client that sent nothing for three pings is gone.
const SILENT_FOR: Duration = Duration::from_secs(45);
/// A client that does not take a message for this long is closed.
const SEND_WITHIN: Duration = Duration::from_secs(10);

/// Why a session ends, with the close code that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The other side is gone: there is nobody to tell.
    Gone,
    /// The other side closed, and waits for our answer to that.
    Closed,
    ShuttingDown,
    TooLarge,
    BadMessage(&'static str),
    Unauthorized,
    Forbidden,
    WrongSubprotocol,
    InitTimeout,
    DuplicateOperation,
    TooManyInits,
    Internal,
    SlowReader,
}

impl End {
    fn frame(self) -> Option<(u16, &'static str)> {
        Some(match self {
            Self::Gone | Self::Closed => return None,
            Self::ShuttingDown => (1001, "Going away"),
            Self::TooLarge => (1009, "Message too big"),
            Self::BadMessage(reason) => (4400, reason),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::WrongSubprotocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::DuplicateOperation => (4409, "Subscriber already exists"),
            Self::TooManyInits => (4429, "Too many initialisation requests"),
            Self::Internal => (4500, "Internal server error"),
            Self::SlowReader => (4503, "Slow reader"),
        })
    }
}

/// What a client may send.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Value>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Value,
    },
    Complete {
        id: String,
    },
}

/// Takes the upgrade. A wrong credential in a header is refused here, with 401, where every client understands it.
pub(super) async fn upgrade(face: Face, headers: &HeaderMap, socket: WebSocketUpgrade) -> Response {
    if !origin_allowed(headers, &face.app.config.server.allow_origins) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let viewer = if credential::is_present(headers) {
        match authenticate(&face, headers).await {
            Ok(viewer) => Some((viewer, shown_credential(&face, headers))),
            // A session that is over is no reason to refuse a client that brings a key in its first message.
            Err(ServiceError::Unauthenticated) if !headers.contains_key(AUTHORIZATION) => None,
            Err(ServiceError::Unauthenticated) => {
                return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, CHALLENGE)]).into_response();
            }
            Err(ServiceError::NotFound { .. }) => return StatusCode::NOT_FOUND.into_response(),
            Err(ServiceError::RateLimited { .. }) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
            Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    } else {
        None
    };
    let request = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let notes = telemetry::request::current().unwrap_or_else(|| RequestNotes::new(request.clone().unwrap_or_default()));
    socket.protocols([SUBPROTOCOL]).max_message_size(READ_LIMIT).max_frame_size(READ_LIMIT).on_upgrade(move |socket| {
        let session = Session::new(face, socket, viewer, request);
        telemetry::request::within(notes, wall::of_nobody(session.run()))
    })
}

/// The log line of a socket's end; that of its request told of its beginning.
fn tell(end: End) {
    let Some(notes) = telemetry::request::current() else { return };
    let (code, reason) = end.frame().unwrap_or(match end {
        End::Closed => (1000, "Closed by the client"),
        _ => (1006, "The client is gone"),
    });
    let (noted, duration_ms) = (notes.noted(), notes.milliseconds());
    tracing::info!(
        request.id = notes.id,
        workspace.id = noted.workspace.map(tracing::field::display),
        actor = noted.actor,
        websocket.code = code,
        duration_ms,
        reason,
        "a WebSocket ended with {code} after {duration_ms:.0} ms: {reason}"
    );
}

/// One thing that an operation says.
enum Said {
    Next(String, Box<GraphqlResponse>, Executed),
    Done(String),
}

struct Session {
    face: Face,
    socket: WebSocket,
    /// Who asks, and the credential that is looked at again with every ping.
    viewer: Option<(Viewer, Credential)>,
    /// Wakes when their rights may be others.
    changes: Option<Changes>,
    acknowledged: bool,
    /// The id of the upgrade's request; every operation on the socket is part of it.
    request: Option<String>,
    operations: HashMap<String, AbortHandle>,
    streams: SelectAll<BoxStream<'static, Said>>,
    heard_at: Instant,
}

impl Session {
    fn new(face: Face, socket: WebSocket, viewer: Option<(Viewer, Credential)>, request: Option<String>) -> Self {
        let changes = viewer.as_ref().map(|(viewer, _)| face.app.access.changes(viewer));
        Self {
            face,
            socket,
            viewer,
            changes,
            request,
            acknowledged: false,
            operations: HashMap::new(),
            streams: SelectAll::new(),
            heard_at: Instant::now(),
        }
    }

    async fn run(mut self) {
        let open = Open::websocket();
        let end = match self.converse().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let Some((code, reason)) = end.frame() {
            let frame = CloseFrame { code, reason: reason.into() };
            let closing = self.socket.send(Message::Close(Some(frame)));
            if tokio::time::timeout(SEND_WITHIN, closing).await.is_err() {
                tracing::debug!("a WebSocket client did not take its close frame");
            }
        }
        if end == End::Closed {
            // Reading on writes the answer to the client's close frame; without it clients report a lost connection.
            let _ = tokio::time::timeout(SEND_WITHIN, self.socket.recv()).await;
        }
        drop(open);
        tell(end);
    }

    async fn converse(&mut self) -> Result<std::convert::Infallible, End> {
        if self.socket.protocol().is_none() {
            return Err(End::WrongSubprotocol);
        }
        let stopping = self.face.app.stopping.clone();
        let init_by = Instant::now() + INIT_WITHIN;
        let mut pings: Interval = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Err(End::ShuttingDown),
                () = tokio::time::sleep_until(init_by), if !self.acknowledged => return Err(End::InitTimeout),
                message = self.socket.recv() => self.receive(message).await?,
                Some(said) = self.streams.next() => self.say(said).await?,
                () = changed(&mut self.changes) => self.look_again().await?,
                _ = pings.tick() => self.ping().await?,
            }
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard_at = Instant::now();
        let text = match message {
            None => return Err(End::Gone),
            Some(Ok(Message::Close(_))) => return Err(End::Closed),
            Some(Err(error)) if is_too_large(&error) => return Err(End::TooLarge),
            Some(Err(_)) => return Err(End::Gone),
            Some(Ok(Message::Text(text))) if text.len() > MESSAGE_LIMIT => return Err(End::TooLarge),
            Some(Ok(Message::Binary(_))) => return Err(End::BadMessage("Messages are text")),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Text(text))) => text,
        };
        let incoming = serde_json::from_str(&text).map_err(|_| End::BadMessage("Invalid message"))?;
        match incoming {
            Incoming::ConnectionInit { payload } => self.init(payload.as_ref()).await,
            Incoming::Ping { payload } => self.send(&with_payload("pong", payload)).await,
            Incoming::Pong {} => Ok(()),
            Incoming::Subscribe { id, payload } => self.subscribe(id, payload).await,
            Incoming::Complete { id } => {
                if let Some(operation) = self.operations.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<&Value>) -> Result<(), End> {
        if self.acknowledged {
            return Err(End::TooManyInits);
        }
        let said = |name| payload.and_then(|payload| field(payload, name)).map(str::to_owned);
        let token = match said("authorization") {
            Some(text) => Some(bearer(&text).ok_or(End::Forbidden)?.to_owned()),
            // A browser's socket has no header for the workspace that its page is about.
            None => self.viewer.as_ref().map(|(_, shown)| shown.token.clone()).filter(|_| said("workspace").is_some()),
        };
        if let Some(token) = token {
            let shown = Credential { token, workspace: said("workspace") };
            let viewer = viewer_of(&self.face.app, &shown).await?;
            if let Some(notes) = telemetry::request::current() {
                notes.viewer(&viewer);
            }
            self.changes = Some(self.face.app.access.changes(&viewer));
            self.viewer = Some((viewer.in_request(self.request.as_deref()), shown));
        }
        if self.viewer.is_none() {
            return Err(End::Forbidden);
        }
        // Rights may have ended between the first look at the credential and now, when changes are waited for.
        self.look_again().await?;
        self.acknowledged = true;
        self.send(&json!({"type": "connection_ack"})).await
    }

    async fn subscribe(&mut self, id: String, payload: Value) -> Result<(), End> {
        let Some((viewer, _)) = self.viewer.clone().filter(|_| self.acknowledged) else {
            return Err(End::Unauthorized);
        };
        if id.is_empty() {
            return Err(End::BadMessage("`id` must not be empty"));
        }
        if self.operations.contains_key(&id) {
            return Err(End::DuplicateOperation);
        }
        let params = Params::read(payload).map_err(|_| End::BadMessage("Invalid payload"))?;
        if self.operations.len() >= OPERATION_LIMIT {
            let message = format!("a socket carries at most {OPERATION_LIMIT} operations at once");
            return self.send_errors(&id, &[request_error(Code::RateLimited, &message)]).await;
        }
        let head = Head { is_socket: true, ..Head::default() };
        let workspace = viewer.workspace;
        let admitted = match prepare(&self.face, viewer, params, head) {
            Ok(admitted) => admitted,
            Err(error) => return self.send_errors(&id, &[error]).await,
        };
        let responses = self.face.schema.execute_stream(admitted.request).boxed();
        let (responses, handle) = abortable(wall::stream_of(workspace, responses));
        let open = (admitted.kind == OperationType::Subscription).then(|| Open::subscription("websocket"));
        let (next_id, done_id, executed) = (id.clone(), id.clone(), admitted.executed);
        // An aborted stream must not say that it is done: its id may already belong to another operation.
        let aborted = handle.clone();
        let done = futures::stream::once(async move { (!aborted.is_aborted()).then_some(Said::Done(done_id)) });
        let said = responses
            .map(move |response| {
                // It counts as long as its stream is there.
                let _open = &open;
                Said::Next(next_id.clone(), Box::new(response), executed.clone())
            })
            .chain(done.filter_map(std::future::ready));
        self.operations.insert(id, handle);
        self.streams.push(said.boxed());
        Ok(())
    }

    async fn say(&mut self, said: Said) -> Result<(), End> {
        match said {
            Said::Next(id, mut response, executed) => {
                complete(&mut response.errors, executed.get());
                if response.is_err() && !executed.get() {
                    if let Some(operation) = self.operations.remove(&id) {
                        operation.abort();
                    }
                    return self.send_errors(&id, &response.errors).await;
                }
                let body = shown(&response, true);
                self.send(&json!({"type": "next", "id": id, "payload": body})).await
            }
            Said::Done(id) => {
                self.operations.remove(&id);
                self.send(&json!({"type": "complete", "id": id})).await
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard_at.elapsed() > SILENT_FOR {
            return Err(End::Gone);
        }
        self.look_again().await?;
        self.send(&json!({"type": "ping"})).await
    }

    /// Goes on only while the credential opens what it opened before: a revoked one ends its sockets, and so do other
    /// rights, with which the client comes back.
    async fn look_again(&mut self) -> Result<(), End> {
        let Some((viewer, shown)) = &self.viewer else { return Ok(()) };
        match viewer_of(&self.face.app, shown).await {
            Ok(found) if found.may_as(viewer) => Ok(()),
            Ok(_) => Err(End::Forbidden),
            // The database being away for a moment is no reason to cut everybody off.
            Err(End::Internal) => Ok(()),
            Err(end) => Err(end),
        }
    }

    async fn send_errors(&mut self, id: &str, errors: &[ServerError]) -> Result<(), End> {
        self.send(&json!({"type": "error", "id": id, "payload": shown_errors(errors)})).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), End> {
        let sending = self.socket.send(Message::text(message.to_string()));
        match tokio::time::timeout(SEND_WITHIN, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::SlowReader),
        }
    }
}

async fn changed(changes: &mut Option<Changes>) {
    match changes {
        Some(changes) => changes.changed().await,
        None => std::future::pending().await,
    }
}

async fn viewer_of(app: &Arc<App>, shown: &Credential) -> Result<Viewer, End> {
    match caller::authenticate(app, shown).await {
        Ok(viewer) => Ok(viewer),
        Err(ServiceError::Unauthenticated | ServiceError::NotFound { .. }) => Err(End::Forbidden),
        Err(_) => Err(End::Internal),
    }
}

/// A field of `{"authorization": "Bearer …", "workspace": "…"}`; its case does not matter.
fn field<'a>(payload: &'a Value, name: &str) -> Option<&'a str> {
    let fields = payload.as_object()?;
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| value.as_str())
}

fn with_payload(kind: &str, payload: Option<Value>) -> Value {
    match payload {
        Some(payload) => json!({"type": kind, "payload": payload}),
        None => json!({"type": kind}),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    // The library's error type is not re-exported; its words are.
    error.to_string().contains("too long") || error.to_string().contains("too large")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::{HOST, ORIGIN};

    #[test]
    fn a_browser_may_come_from_the_servers_own_origin_or_a_listed_one() {
        let from = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("flow.test:8080"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            origin_allowed(&headers, &["https://app.test".to_owned()])
        };
        assert!(from(None) && from(Some("http://flow.test:8080")) && from(Some("https://app.test")));
        assert!(!from(Some("https://evil.test")) && !from(Some("null")) && !from(Some("http://flow.test")));
    }

    #[test]
    fn a_message_that_is_not_of_the_protocol_is_not_read() {
        for wrong in ["{}", "[]", "x", r#"{"type":"start"}"#, r#"{"type":"subscribe","id":"1"}"#, r#"{"type":1}"#] {
            assert!(serde_json::from_str::<Incoming>(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Incoming>(r#"{"type":"pong","payload":{}}"#).is_ok());
    }
}

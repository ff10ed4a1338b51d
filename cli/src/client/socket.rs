//! One subscription over `graphql-transport-ws`. The socket is opened through the HTTP client, so that TLS and proxies
//! are those of every other question.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::{Client, data};
use crate::exit::{Exit, Failure};
use crate::question::Question;

/// The server pings every 15 s; a connection that says nothing for three of them is dead.
const SILENT_FOR: Duration = Duration::from_secs(45);
/// How long the handshake and the acknowledgment may take.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// A stream of answers to one subscription.
pub(crate) struct Subscription {
    socket: WebSocketStream<reqwest::Upgraded>,
}

impl Client {
    /// Opens a socket of its own and subscribes. A failure with [`Exit::Unreachable`] is worth another try.
    pub(crate) async fn subscribe(&self, question: Question, variables: Value) -> Result<Subscription, Failure> {
        tokio::time::timeout(OPEN_WITHIN, self.open(question, variables))
            .await
            .unwrap_or_else(|_| Err(lost(&format!("no answer within {} s", OPEN_WITHIN.as_secs()))))
    }

    async fn open(&self, question: Question, variables: Value) -> Result<Subscription, Failure> {
        let nonce = generate_key();
        let mut request = self
            .http
            .get(self.endpoint()?)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-protocol", SUBPROTOCOL)
            .header("sec-websocket-key", &nonce);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let accepted = response.headers().get("sec-websocket-accept").and_then(|value| value.to_str().ok());
        if status != StatusCode::SWITCHING_PROTOCOLS || accepted != Some(derive_accept_key(nonce.as_bytes()).as_str()) {
            return Err(self.not_ours(status));
        }
        let stream = response.upgrade().await.map_err(|error| self.unreachable(&error))?;
        let mut subscription =
            Subscription { socket: WebSocketStream::from_raw_socket(stream, Role::Client, None).await };
        subscription.send(&json!({ "type": "connection_init" })).await?;
        while subscription.message().await?.get("type").and_then(Value::as_str) != Some("connection_ack") {}
        let payload = json!({ "query": question.text(), "variables": variables });
        subscription.send(&json!({ "type": "subscribe", "id": "1", "payload": payload })).await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// The next answer's `data`; `None` when the server says that nothing can follow.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        loop {
            let mut message = self.message().await?;
            let payload = message.get_mut("payload").map(Value::take).unwrap_or_default();
            match message.get("type").and_then(Value::as_str) {
                Some("next") => return data(payload, StatusCode::OK).map(Some),
                Some("error") => return data(json!({ "errors": payload }), StatusCode::OK).map(Some),
                Some("complete") => return Ok(None),
                _ => {}
            }
        }
    }

    async fn send(&mut self, message: &Value) -> Result<(), Failure> {
        self.socket.send(Message::text(message.to_string())).await.map_err(|error| broken(&error))
    }

    /// The next message that is no sign of life.
    async fn message(&mut self) -> Result<Value, Failure> {
        loop {
            let frame = tokio::time::timeout(SILENT_FOR, self.socket.next())
                .await
                .map_err(|_| lost(&format!("nothing was heard for {} s", SILENT_FOR.as_secs())))?;
            let text = match frame {
                None => return Err(lost("the server closed the connection")),
                Some(Err(error)) => return Err(broken(&error)),
                Some(Ok(Message::Close(frame))) => return Err(closed(frame.as_ref())),
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(_)) => continue,
            };
            let message: Value = serde_json::from_str(&text)
                .map_err(|error| Failure::new(Exit::Failed, "BAD_MESSAGE", format!("the server sent: {error}")))?;
            if message.get("type").and_then(Value::as_str) == Some("ping") {
                self.send(&json!({ "type": "pong" })).await?;
                continue;
            }
            return Ok(message);
        }
    }
}

fn lost(why: &str) -> Failure {
    Failure::new(Exit::Unreachable, "CONNECTION_LOST", format!("the connection was lost: {why}"))
}

fn broken(error: &SocketError) -> Failure {
    lost(&error.to_string())
}

fn closed(frame: Option<&CloseFrame>) -> Failure {
    let Some(frame) = frame else { return lost("the server closed the connection") };
    let why = format!("the server closed the connection: {} ({})", frame.reason, u16::from(frame.code));
    match u16::from(frame.code) {
        4401 => Failure::of_code("UNAUTHENTICATED", why),
        4403 => Failure::of_code("FORBIDDEN", why),
        4400 | 4406 | 4409 | 4429 => Failure::new(Exit::Failed, "PROTOCOL", why),
        _ => lost(&why),
    }
}

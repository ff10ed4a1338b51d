//! A `graphql-transport-ws` client that hides nothing.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::app::TestApp;

/// Longer than any test waits for anything that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) const RUN_EVENTS: &str = "subscription($run: ID!, $after: String) { runEvents(runId: $run, after: $after) {
    cursor seq at payload { __typename
        ... on RunEvent { kind node scope attempt port status signal error { code message } }
        ... on CaughtUp { lastSeq } } } }";

const WORKSPACE_EVENTS: &str = "subscription($filter: WorkspaceEventFilter, $after: String) {
    workspaceEvents(filter: $filter, after: $after) { cursor seq at payload { __typename
        ... on RunChange { kind runId status mode environment }
        ... on WorkspaceEvent { kind entityId workflowId data }
        ... on CaughtUp { lastSeq } } } }";

const DRAFT_EVENTS: &str = "subscription($workflow: ID!, $after: String) {
    draftEvents(workflowId: $workflow, after: $after) { cursor seq payload { __typename
        ... on DraftUpdate { draftId workflowId revision actor change { patch } } ... on CaughtUp { lastSeq } } } }";

/// Something to follow, over any transport.
pub(crate) struct Follow {
    pub(crate) field: &'static str,
    pub(crate) query: &'static str,
    pub(crate) variables: Value,
}

impl Follow {
    pub(crate) fn run(id: &str) -> Self {
        Self { field: "runEvents", query: RUN_EVENTS, variables: json!({"run": id}) }
    }

    pub(crate) fn workspace(filter: Value) -> Self {
        Self { field: "workspaceEvents", query: WORKSPACE_EVENTS, variables: json!({"filter": filter}) }
    }

    pub(crate) fn draft(workflow: &Value) -> Self {
        Self { field: "draftEvents", query: DRAFT_EVENTS, variables: json!({"workflow": workflow}) }
    }

    /// Follows after a cursor, on a socket of its own.
    pub(crate) async fn open(&self, app: &TestApp, after: Option<&str>) -> Socket {
        let mut socket = Socket::ready(app).await;
        let mut variables = self.variables.clone();
        variables["after"] = json!(after);
        socket.subscribe("1", self.query, variables).await;
        socket
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl From<WebSocketStream<MaybeTlsStream<TcpStream>>> for Socket {
    fn from(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self(socket)
    }
}

impl Socket {
    /// Opens a socket with these headers besides the usual ones.
    pub(crate) async fn open(app: &TestApp, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{}/graphql", app.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self(socket))
    }

    /// Opens a socket and is acknowledged, with the key in `connection_init`.
    pub(crate) async fn ready(app: &TestApp) -> Self {
        let mut socket = Self::open(app, &[]).await.unwrap();
        let payload = json!({"authorization": format!("Bearer {}", app.key)});
        socket.send(&json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
        socket
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// The next message, pings left out, or the close code.
    pub(crate) async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == "ping" {
                        self.send(&json!({"type": "pong"})).await;
                    } else {
                        return Ok(message);
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.send(&json!({"type": "subscribe", "id": id, "payload": payload})).await;
    }

    /// Follows a run's events after a cursor.
    pub(crate) async fn run_events(app: &TestApp, run: &str, after: Option<&str>) -> Self {
        let mut socket = Self::ready(app).await;
        socket.subscribe("1", RUN_EVENTS, json!({"run": run, "after": after})).await;
        socket
    }

    /// The next envelope of a run's events; `None` when the stream is complete.
    pub(crate) async fn envelope(&mut self) -> Result<Option<Value>, u16> {
        self.envelope_of("runEvents").await
    }

    /// The answer that refuses a stream, or ends it with an error.
    pub(crate) async fn error_of(&mut self, field: &str) -> Value {
        let message = self.next().await.unwrap();
        match message["type"].as_str() {
            Some("error") => json!({"errors": message["payload"]}),
            Some("next") => message["payload"].clone(),
            _ => panic!("{field}: {message:#}"),
        }
    }

    /// The next envelope under this field; `None` when the stream is complete.
    pub(crate) async fn envelope_of(&mut self, field: &str) -> Result<Option<Value>, u16> {
        let message = self.next().await?;
        match message["type"].as_str() {
            Some("next") => {
                assert!(message["payload"].get("errors").is_none(), "{message:#}");
                Ok(Some(message["payload"]["data"][field].clone()))
            }
            Some("complete") => Ok(None),
            _ => panic!("{message:#}"),
        }
    }

    /// Every envelope after a cursor, to the end of the run.
    pub(crate) async fn follow_to_end(app: &TestApp, run: &str, after: Option<&str>) -> Vec<Value> {
        let mut socket = Self::run_events(app, run, after).await;
        let mut envelopes = Vec::new();
        while let Some(envelope) = socket.envelope().await.unwrap() {
            envelopes.push(envelope);
        }
        envelopes
    }
}

/// The numbers of the events among envelopes.
pub(crate) fn seqs(envelopes: &[Value]) -> Vec<u64> {
    envelopes.iter().filter_map(|envelope| envelope["seq"].as_u64()).collect()
}

/// What an envelope carries.
pub(crate) fn type_of(envelope: &Value) -> &str {
    envelope["payload"]["__typename"].as_str().unwrap()
}

//! A place for a node to run in tests: everything real but the run around it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use engine::error::ErrorInfo;
use engine::expression::Scope as ExpressionScope;
use engine::id::{ArtifactId, WorkspaceId};
use engine::scope::Scope;
use engine::time::Timestamp;
use serde_json::Value;

use crate::code::CodeCeiling;
use crate::connection::Connection;
use crate::file::{FileBytes, FileHandle, Files, NewFile, not_found};
use crate::outgoing::{Outgoing, OutgoingPolicy};
use crate::{Attempt, LogLevel, NodeContext, NodeOutcome, NodeType};

mod shelf;

pub(crate) use self::shelf::Shelf;

/// When every attempt in tests begins: 2026-01-01T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

/// The door of one attempt.
pub(crate) struct Room {
    input: Arc<Value>,
    outgoing: Outgoing,
    connection: Option<Connection>,
    files: Arc<dyn Files>,
    /// The lines that were told.
    told: Mutex<Vec<(LogLevel, String)>>,
    lost: Mutex<u64>,
}

impl ExpressionScope for Room {
    fn root(&self, name: &str) -> Option<&Value> {
        (name == "input").then_some(&*self.input)
    }

    fn node_output(&self, _key: &str) -> Option<&Value> {
        None
    }
}

#[async_trait::async_trait]
impl NodeContext for Room {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn began(&self) -> Timestamp {
        NOW
    }

    fn workspace(&self) -> WorkspaceId {
        "ws_01920000000070008000000000000001".parse().unwrap()
    }

    fn scope(&self) -> &dyn ExpressionScope {
        self
    }

    fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.files)
    }

    fn tell(&self, level: LogLevel, line: &str) {
        self.told.lock().unwrap().push((level, line.to_owned()));
    }

    fn tell_lost(&self, lines: u64) {
        *self.lost.lock().unwrap() += lines;
    }

    async fn code_ceiling(&self) -> Result<CodeCeiling, ErrorInfo> {
        Ok(CodeCeiling::default())
    }
}

/// The files of a run that has none.
#[derive(Debug)]
struct NoFiles;

#[async_trait::async_trait]
impl Files for NoFiles {
    async fn keep(&self, _: NewFile, _: FileBytes) -> Result<FileHandle, ErrorInfo> {
        Err(ErrorInfo::permanent("ARTIFACT_STORE_FAILED", "there is no place for files here"))
    }

    async fn find(&self, id: ArtifactId) -> Result<FileHandle, ErrorInfo> {
        Err(not_found(id))
    }

    async fn read(&self, file: &FileHandle) -> Result<FileBytes, ErrorInfo> {
        Err(not_found(file.id))
    }
}

/// The door of an attempt that calls nobody.
pub(crate) fn room(attempt: &Attempt) -> Room {
    in_room(attempt, closed())
}

/// The door of an attempt without files.
fn in_room(attempt: &Attempt, outgoing: Outgoing) -> Room {
    Room {
        input: Arc::clone(&attempt.input),
        outgoing,
        connection: None,
        files: Arc::new(NoFiles),
        told: Mutex::default(),
        lost: Mutex::default(),
    }
}

/// An attempt of 10 s with this config and input.
pub(crate) fn attempt(config: Value, input: Value) -> Attempt {
    Attempt {
        run: "run_01920000000070008000000000000001".parse().unwrap(),
        node: "node".to_owned(),
        scope: Scope::ROOT,
        number: 1,
        idempotency_key: "key-of-the-node-run".to_owned(),
        timeout: Duration::from_secs(10),
        config,
        input: Arc::new(input),
        trace: None,
    }
}

/// The way out under an allow list.
pub(crate) fn outgoing(allowed: &[&str]) -> Outgoing {
    let allow_hosts = allowed.iter().map(|entry| entry.parse().unwrap()).collect();
    Outgoing::new(OutgoingPolicy { allow_hosts, ..OutgoingPolicy::default() }).unwrap()
}

/// A way out for those who call nobody; made once, because that takes long.
fn closed() -> Outgoing {
    static CLOSED: OnceLock<Outgoing> = OnceLock::new();
    CLOSED.get_or_init(|| outgoing(&[])).clone()
}

/// Executes `attempt` with this way out.
pub(crate) async fn execute(
    node: &dyn NodeType,
    outgoing: Outgoing,
    attempt: &Attempt,
) -> Result<NodeOutcome, ErrorInfo> {
    node.execute(&in_room(attempt, outgoing), attempt).await
}

/// Executes `attempt` with this way out and this connection.
pub(crate) async fn execute_with(
    node: &dyn NodeType,
    outgoing: Outgoing,
    connection: Connection,
    attempt: &Attempt,
) -> Result<NodeOutcome, ErrorInfo> {
    let room = Room { connection: Some(connection), ..in_room(attempt, outgoing) };
    node.execute(&room, attempt).await
}

/// What leaves a node that calls nobody and has the files of this shelf.
pub(crate) async fn kept_by(
    node: &dyn NodeType,
    shelf: &Shelf,
    config: Value,
    input: Value,
) -> Result<Value, ErrorInfo> {
    with_files(node, Arc::new(shelf.clone()), config, input).await
}

/// The same with any files.
pub(crate) async fn with_files(
    node: &dyn NodeType,
    files: Arc<dyn Files>,
    config: Value,
    input: Value,
) -> Result<Value, ErrorInfo> {
    let attempt = attempt(config, input);
    let room = Room { files, ..room(&attempt) };
    match node.execute(&room, &attempt).await? {
        NodeOutcome::Done { port, output } if port == "out" => Ok(output),
        other => panic!("{other:?}"),
    }
}

/// How a node that calls nobody ends.
async fn ends(node: &dyn NodeType, config: Value, input: Value) -> Result<NodeOutcome, ErrorInfo> {
    execute(node, closed(), &attempt(config, input)).await
}

/// The outcome of a node that does not fail.
pub(crate) async fn runs(node: &dyn NodeType, config: Value, input: Value) -> NodeOutcome {
    ends(node, config, input).await.unwrap()
}

/// What leaves by `out`.
pub(crate) async fn output(node: &dyn NodeType, config: Value, input: Value) -> Value {
    match runs(node, config, input.clone()).await {
        NodeOutcome::Done { port, output } if port == "out" => output,
        NodeOutcome::Passed { port } if port == "out" => input,
        other => panic!("{other:?}"),
    }
}

/// The error of a node that fails for good.
pub(crate) async fn fails(node: &dyn NodeType, config: Value, input: Value) -> ErrorInfo {
    let error = ends(node, config, input).await.unwrap_err();
    assert_eq!(error.kind, engine::error::ErrorKind::Permanent);
    error
}

/// Runs a server beside the test; the test's runtime ends it.
#[expect(clippy::disallowed_methods, reason = "nothing waits for a test's servers to shut down")]
pub(crate) fn beside(server: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(server);
}

/// Serves `router` on loopback for the rest of the test.
pub(crate) async fn serve(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    beside(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// The server that a variable of the environment names; `make test` starts them. `None` where it is not set, so that
/// the other tests of this crate run on a machine without the servers.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment which servers there are")]
pub(crate) fn server_of(variable: &str) -> Option<reqwest::Url> {
    let Ok(text) = std::env::var(variable) else {
        println!("skipped: {variable} is not set");
        return None;
    };
    Some(text.parse().unwrap())
}

/// A server that takes connections and never says a word.
pub(crate) async fn silent() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    beside(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    address
}

//! The witness outside: an HTTP server that notes every call, answers after a small random time and sometimes with 503.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::routing::any;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::random::Random;

/// What names one effect: the run's key, the node's key and the item (`-` for none).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Effect {
    pub(crate) run: String,
    pub(crate) node: String,
    pub(crate) item: String,
}

/// How a call ended, as the service saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Not answered yet.
    InFlight,
    /// Answered with this status.
    Answered(StatusCode, Instant),
    /// The caller was gone before the answer.
    Aborted,
}

/// One call that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) effect: Effect,
    pub(crate) method: Method,
    pub(crate) key: Option<String>,
    pub(crate) arrived: Instant,
    pub(crate) outcome: Outcome,
}

impl Call {
    /// A definite refusal: nothing was done, and the caller may ask again.
    pub(crate) fn was_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE, _))
    }
}

/// Asked at the moment of each call, before it is noted.
pub(crate) type Inspector =
    Arc<dyn Fn(&Effect) -> futures::future::BoxFuture<'static, Result<(), String>> + Send + Sync>;

struct Book {
    calls: Mutex<Vec<Call>>,
    random: Random,
    manners: Manners,
    inspector: Option<Inspector>,
    complaints: Mutex<Vec<String>>,
}

/// How the service behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// Milliseconds to an answer.
    pub(crate) delay: std::ops::Range<u64>,
    /// Percent of calls that are answered with 503.
    pub(crate) refused: u64,
}

/// The running service.
pub(crate) struct Ledger {
    book: Arc<Book>,
    /// `127.0.0.1:port`
    pub(crate) host: String,
    serving: JoinHandle<()>,
}

impl Ledger {
    pub(crate) async fn open(manners: Manners, seed: u64, inspector: Option<Inspector>) -> Self {
        let book = Arc::new(Book {
            calls: Mutex::default(),
            random: Random::new(seed),
            manners,
            inspector,
            complaints: Mutex::default(),
        });
        let router = axum::Router::new().route("/{run}/{node}/{item}", any(call)).with_state(Arc::clone(&book));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { book, host, serving }
    }

    pub(crate) fn count(&self) -> usize {
        self.book.calls.lock().unwrap().len()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.book.calls.lock().unwrap().clone()
    }

    /// The calls of each effect, in the order of their arrival.
    pub(crate) fn by_effect(&self) -> BTreeMap<Effect, Vec<Call>> {
        let mut effects: BTreeMap<Effect, Vec<Call>> = BTreeMap::new();
        for call in self.calls() {
            effects.entry(call.effect.clone()).or_default().push(call);
        }
        effects
    }

    pub(crate) fn complaints(&self) -> Vec<String> {
        self.book.complaints.lock().unwrap().clone()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Notes that the caller went away, unless the answer came first.
struct Noted {
    book: Arc<Book>,
    place: usize,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut calls = self.book.calls.lock().unwrap();
        let outcome = &mut calls[self.place].outcome;
        if *outcome == Outcome::InFlight {
            *outcome = Outcome::Aborted;
        }
    }
}

async fn call(
    State(book): State<Arc<Book>>,
    Path((run, node, item)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let arrived = Instant::now();
    let effect = Effect { run, node, item };
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    let place = {
        let mut calls = book.calls.lock().unwrap();
        calls.push(Call { effect: effect.clone(), method, key, arrived, outcome: Outcome::InFlight });
        calls.len() - 1
    };
    // The server drops this future when the caller's connection closes.
    let noted = Noted { book: Arc::clone(&book), place };
    if let Some(inspector) = &book.inspector
        && let Err(complaint) = inspector(&effect).await
    {
        book.complaints.lock().unwrap().push(complaint);
    }
    tokio::time::sleep(book.random.millis(book.manners.delay.clone())).await;
    let refused = book.random.chance(book.manners.refused);
    let status = if refused { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    book.calls.lock().unwrap()[place].outcome = Outcome::Answered(status, Instant::now());
    drop(noted);
    (status, Json(json!({ "node": effect.node, "item": effect.item }))).into_response()
}

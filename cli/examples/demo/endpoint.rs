//! A small service that is as unreliable as real ones, in the same way each time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What one idempotency key did to one address.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Received {
    /// Such as `states/CA`.
    pub(crate) address: String,
    /// The idempotency key of the calls.
    pub(crate) key: String,
    /// How often it was called, the refused calls included.
    pub(crate) calls: u32,
    /// What it was given when it took it; absent as long as it refused.
    pub(crate) body: Option<Value>,
}

#[derive(Clone)]
struct Endpoint {
    data: axum::body::Bytes,
    received: Arc<Mutex<BTreeMap<(String, String), Received>>>,
}

/// Serves on 127.0.0.1 until the process ends.
pub(crate) async fn serve(data: &Path, port: u16) -> anyhow::Result<()> {
    let data = std::fs::read(data).with_context(|| format!("cannot read {}", data.display()))?.into();
    let endpoint = Endpoint { data, received: Arc::default() };
    let router = Router::new()
        .route("/airports.json", get(airports))
        .route("/received", get(received))
        .route("/{collection}/{name}", post(take))
        .with_state(endpoint);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// How many calls with a new key an address answers with 503 before it takes one: 0, 1 or 2, by its name alone.
pub(crate) fn refusals(address: &str) -> u32 {
    u32::from(Sha256::digest(address)[0] % 3)
}

async fn airports(State(endpoint): State<Endpoint>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], endpoint.data).into_response()
}

async fn received(State(endpoint): State<Endpoint>) -> Json<Vec<Received>> {
    let received = endpoint.received.lock().unwrap_or_else(PoisonError::into_inner);
    Json(received.values().cloned().collect())
}

/// Takes each thing once per key, however often it is sent. `gifts` are never taken: that is a definite no.
async fn take(
    State(endpoint): State<Endpoint>,
    UrlPath((collection, name)): UrlPath<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "the Idempotency-Key header is missing"})))
            .into_response();
    };
    let address = format!("{collection}/{name}");
    let mut received = endpoint.received.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = received.entry((address.clone(), key.to_owned())).or_insert_with(|| Received {
        address: address.clone(),
        key: key.to_owned(),
        calls: 0,
        body: None,
    });
    entry.calls += 1;
    if collection == "gifts" {
        return (StatusCode::CONFLICT, Json(json!({"error": "no gift paper left"}))).into_response();
    }
    if entry.body.is_none() && entry.calls <= refusals(&address) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"error": "busy, try again"}))).into_response();
    }
    let repeated = entry.body.is_some();
    entry.body.get_or_insert(body);
    (StatusCode::CREATED, Json(json!({"taken": address, "repeated": repeated}))).into_response()
}

//! Servers that end at a point of keeping a file, or anywhere while one comes, and what is left of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use engine::time::Timestamp;
use runtime::blob::{BlobStore, S3Settings};
use runtime::clock::Clock;
use runtime::database::{Database, DatabaseOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Api, Fleet};
use crate::home::{Home, On, Server};

/// More than is put at once, in several parts of an upload.
const LEN: usize = 20_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Where a server ends: the file of the webhook comes first, then that of the answer.
const DEATHS: [(&str, u32); 20] = [
    ("file_begun", 1),
    ("file_piece", 1),
    ("file_piece", 50),
    ("file_finished", 1),
    ("file_touched", 1),
    ("file_settled", 1),
    ("file_pointed", 1),
    ("file_kept", 1),
    ("before_intake", 1),
    ("after_intake", 1),
    ("before_effect", 1),
    ("after_effect", 1),
    ("file_begun", 2),
    ("file_piece", 10),
    ("file_finished", 2),
    ("file_touched", 2),
    ("file_settled", 2),
    ("file_pointed", 2),
    ("file_kept", 2),
    ("after_flush", 3),
];

/// Bytes that differ from number to number.
fn bytes(number: u64) -> Bytes {
    let mut state = number.wrapping_mul(2_654_435_769).wrapping_add(1);
    let next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(LEN).collect()
}

fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Takes files and tells what came; gives others.
async fn service() -> String {
    async fn take(body: Body) -> axum::Json<Value> {
        let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        axum::Json(json!({ "sha256": sum(&whole) }))
    }
    let give = |axum::extract::Path(number): axum::extract::Path<u64>| async move { bytes(number) };
    let router = Router::new().route("/take", axum::routing::put(take)).route("/give/{number}", get(give));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    host
}

/// From a webhook to a service, and from the service back to it.
fn workflow(host: &str) -> Value {
    let call = |method: &str, path: &str, more: Value| {
        let mut config = json!({ "method": method, "url": format!("http://{host}{path}"), "timeout": "1m" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "http.request@1", "config": config, "retry": { "attempts": 6, "initial": "100ms" } })
    };
    json!({
        "nodes": {
            "hook": { "type": "trigger.webhook@1", "config": { "body": "file" } },
            "send": call("PUT", "/take", json!({ "body_file": "{{ trigger.body }}" })),
            "fetch": call("GET", "/give/{{ trigger.query.n }}", json!({ "response": "file" })),
            "back": call("PUT", "/take", json!({ "body_file": "{{ nodes.fetch.output.body }}" })),
        },
        "edges": [
            { "from": "hook", "to": "send" }, { "from": "send", "to": "fetch" }, { "from": "fetch", "to": "back" },
        ],
        "output": "{{ [nodes.send.output.body.sha256, nodes.back.output.body.sha256] }}",
    })
}

/// A place of its own in the bucket that the tests are given.
pub(crate) fn bucket() -> S3Settings {
    let url = std::env::var("FLOWFORGE_TEST_S3").unwrap_or_else(|_| panic!("FLOWFORGE_TEST_S3 names no S3 server"));
    let url: reqwest::Url = url.parse().unwrap();
    S3Settings {
        bucket: url.path().trim_matches('/').to_owned(),
        prefix: format!("kills/{}", uuid::Uuid::now_v7().simple()),
        endpoint: Some(format!("http://{}:{}", url.host_str().unwrap(), url.port().unwrap())),
        region: None,
        path_style: true,
        credentials: Some((url.username().to_owned(), url.password().unwrap().to_owned())),
        checksums: true,
        links: None,
    }
}

pub(crate) fn in_bucket(home: Home, place: &S3Settings) -> Home {
    let (key, secret) = place.credentials.clone().unwrap();
    home.with("ARTIFACT__URL", &format!("s3://{}/{}", place.bucket, place.prefix))
        .with("ARTIFACT__ENDPOINT", place.endpoint.as_ref().unwrap())
        .with("ARTIFACT__ACCESS_KEY", &key)
        .with("ARTIFACT__SECRET_KEY", &secret)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_a_folder_is_whole_or_not_there_whatever_ends_the_server() {
    let home = Home::new(On::Sqlite).await;
    let folder = home.folder().join("data/artifacts");
    kills(home, Place::Folder(folder.to_str().unwrap().to_owned())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_a_bucket_is_whole_or_not_there_whatever_ends_the_server() {
    let place = bucket();
    // Without a master key a server on PostgreSQL makes none.
    let key = runtime::secret::new_key().unwrap();
    let home = Home::new(On::Postgres).await.with("SECRETS__MASTER_KEY", &key);
    kills(in_bucket(home, &place), Place::Bucket(place)).await;
}

enum Place {
    Folder(String),
    Bucket(S3Settings),
}

impl Place {
    async fn store(&self, url: &str, clock: &Clock) -> BlobStore {
        let database = Database::connect(url, &DatabaseOptions::default()).await.unwrap();
        match self {
            Self::Folder(folder) => BlobStore::folder(Path::new(folder), database, clock.clone()).unwrap(),
            Self::Bucket(bucket) => BlobStore::s3(bucket, database, clock.clone()).await.unwrap(),
        }
    }
}

fn serve(home: &Home, fleet: &Fleet) -> Server {
    let server = home.serve("server");
    fleet.set(0, Some(server.url.clone()));
    server
}

async fn kills(home: Home, place: Place) {
    let host = service().await;
    let home = home.with("HTTP__ALLOW_HOSTS", &host).with("RUNTIME__LEASE", "300ms");
    let fleet = Fleet::of(1);
    let api = Api::new(Arc::clone(&fleet), home.key());
    let mut server = serve(&home, &fleet);
    api.publish("pass", &workflow(&host)).await;
    let query = "{ workflow(name: \"pass\") { triggerBindings { webhook { urls { path } } } } }";
    let found = api.ask(query, json!({})).await;
    let path = found["workflow"]["triggerBindings"][0]["webhook"]["urls"][0]["path"].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut deaths, mut number) = (0, 0);
    for (point, nth) in DEATHS {
        server.kill();
        let at = format!("{point}:{nth}");
        server = match home.try_serve("server", &[("TESTING__CRASH_AT", &at)]) {
            Some(server) => server,
            // It had something to take over.
            None => {
                deaths += 1;
                home.serve("server")
            }
        };
        fleet.set(0, Some(server.url.clone()));
        number += 1;
        let run = delivered(&home, &fleet, &http, &mut server, &path, number, &mut deaths).await;
        finished(&home, &fleet, &api, &mut server, &run, number, &mut deaths).await;
    }
    assert_eq!(deaths, DEATHS.len() as u64, "each server meets its point");
    // A sender that goes away leaves nothing either.
    for cut in [0, 1_500_000, LEN - 1] {
        let gone = [Ok(bytes(99).slice(..cut)), Err(std::io::Error::other("gone"))];
        let body = reqwest::Body::wrap_stream(futures::stream::iter(gone));
        let url = format!("{}{path}?n=99", fleet.one().unwrap());
        assert!(http.post(url).body(body).send().await.is_err_and(|error| !error.is_connect()), "cut at {cut}");
    }
    server.kill();
    nothing_is_left_over(&home, &place, number).await;
}

/// Sends a file until somebody says that its run is there.
async fn delivered(
    home: &Home,
    fleet: &Fleet,
    http: &reqwest::Client,
    server: &mut Server,
    path: &str,
    number: u64,
    deaths: &mut u64,
) -> String {
    let body = bytes(number);
    loop {
        let url = format!("{}{path}?n={}", fleet.one().unwrap(), number + 1_000);
        let request = http.post(url).header("idempotency-key", format!("file-{number}")).body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status() == 202 => match answer.json::<Value>().await {
                Ok(told) => return told["runId"].as_str().unwrap().to_owned(),
                Err(_) => again(home, fleet, server, deaths).await,
            },
            Ok(answer) => panic!("{}: {}", answer.status(), answer.text().await.unwrap_or_default()),
            Err(_) => again(home, fleet, server, deaths).await,
        }
    }
}

/// A server in place of one that ended.
async fn again(home: &Home, fleet: &Fleet, server: &mut Server, deaths: &mut u64) {
    assert!(server.ended_within(Duration::from_secs(20)).await, "the connection was lost, and the server lives");
    *deaths += 1;
    *server = serve(home, fleet);
}

async fn finished(
    home: &Home,
    fleet: &Fleet,
    api: &Api,
    server: &mut Server,
    run: &str,
    number: u64,
    deaths: &mut u64,
) {
    let query = "query($id: ID!) { run(id: $id) { status output { json } error { code message } } }";
    let seen = loop {
        if server.ended_within(Duration::from_millis(50)).await {
            *deaths += 1;
            *server = serve(home, fleet);
        }
        let Ok(mut seen) = api.try_ask(query, &json!({ "id": run })).await else { continue };
        if matches!(seen["run"]["status"].as_str(), Some("SUCCEEDED" | "FAILED")) {
            break seen["run"].take();
        }
    };
    let wanted = json!([sum(&bytes(number)), sum(&bytes(number + 1_000))]);
    assert_eq!(seen["output"]["json"], wanted, "{number}: {seen:#}");
}

/// After the days that the store gives to whoever might still need something, there is what the runs have and no more.
async fn nothing_is_left_over(home: &Home, place: &Place, runs: u64) {
    let clock = Clock::system();
    let before = place.store(&home.database_url(), &clock).await.check().await.unwrap();
    assert_eq!((&before.strays, &before.missing), (&Vec::new(), &Vec::new()), "{before:?}");
    let later = AtomicU64::new(0);
    for days in [2, 4, 6] {
        let now: Timestamp = clock.now().plus(days * DAY);
        let store = place.store(&home.database_url(), &Clock::fixed(now)).await;
        later.fetch_add(store.sweep(now).await.unwrap().deleted, Ordering::Relaxed);
    }
    let after = place.store(&home.database_url(), &clock).await.check().await.unwrap();
    assert_eq!((&after.strays, &after.missing, after.under_way), (&Vec::new(), &Vec::new(), 0), "{after:?}");
    // Each run has its two files; whatever else was kept was swept.
    assert_eq!((after.objects, after.in_use, after.bytes), (2 * runs, 2 * runs, 2 * runs * LEN as u64), "{after:?}");
    println!("{before:?}, {} swept", later.into_inner());
}

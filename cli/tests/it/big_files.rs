//! A gibibyte through every door, and what that takes of memory and rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, put};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::client::Api;
use crate::file_kills::{bucket, in_bucket};
use crate::home::{Home, On, Server};

const PIECE: usize = 1024 * 1024;
const PIECES: u64 = 1024;
/// How much more memory all processes of ours may have.
const MOST: u64 = 64 * 1024 * 1024;
/// The largest value of a row.
const ROW: i64 = 64 * 1024;

/// A gibibyte, a mebibyte at a time; none is like another.
fn pieces(seed: u8) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    let block: Vec<u8> = (0..PIECE).map(|at| (at.wrapping_mul(31) >> 3) as u8 ^ seed).collect();
    stream::iter(0..PIECES).map(move |number| {
        let mut piece = block.clone();
        piece[..8].copy_from_slice(&number.to_be_bytes());
        Ok(Bytes::from(piece))
    })
}

async fn sum(mut pieces: impl futures::Stream<Item = Result<Bytes, impl std::fmt::Debug>> + Unpin) -> (u64, String) {
    let (mut size, mut hash) = (0, Sha256::new());
    while let Some(piece) = pieces.next().await {
        let piece = piece.unwrap();
        size += piece.len() as u64;
        hash.update(&piece);
    }
    (size, hex::encode(hash.finalize()))
}

/// A service that gives a gibibyte and tells what it was sent.
async fn service() -> String {
    async fn take(body: Body) -> axum::Json<Value> {
        let (size, sha256) = sum(body.into_data_stream()).await;
        axum::Json(json!({ "size": size, "sha256": sha256 }))
    }
    let router = Router::new().route("/take", put(take)).route("/give", get(async || Body::from_stream(pieces(7))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    host
}

/// The memory of a process and its children that nobody else has, in bytes.
fn memory(pid: u32) -> u64 {
    let of = |pid: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    of(&pid.to_string()) + children.split_whitespace().map(of).sum::<u64>()
}

/// The most that a server has had, looked at all the time.
struct Watch {
    most: Arc<AtomicU64>,
    enough: Arc<AtomicBool>,
    looks: std::thread::JoinHandle<()>,
}

impl Watch {
    fn of(server: &Server) -> Self {
        let (most, enough, pid) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)), server.pid());
        let looks = std::thread::spawn({
            let (most, enough) = (Arc::clone(&most), Arc::clone(&enough));
            move || {
                while !enough.load(Ordering::Relaxed) {
                    most.fetch_max(memory(pid), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        Self { most, enough, looks }
    }

    fn most(self) -> u64 {
        self.enough.store(true, Ordering::Relaxed);
        self.looks.join().unwrap();
        self.most.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_goes_through_a_folder_in_little_memory() {
    goes_through(Home::new(On::Sqlite).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_goes_through_a_bucket_in_little_memory() {
    goes_through(in_bucket(Home::new(On::Sqlite).await, &bucket())).await;
}

async fn goes_through(home: Home) {
    let host = service().await;
    let home = home.with("HTTP__ALLOW_HOSTS", &host);
    let server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    let call = |method: &str, path: &str, more: Value| {
        let mut config = json!({ "method": method, "url": format!("http://{host}{path}"), "timeout": "10m" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "type": "http.request@1", "config": config })
    };
    let definition = json!({
        "nodes": {
            "hook": { "type": "trigger.webhook@1", "config": { "body": "file" } },
            "send": call("PUT", "/take", json!({ "body_file": "{{ trigger.body }}" })),
            "fetch": call("GET", "/give", json!({ "response": "file" })),
            "back": call("PUT", "/take", json!({ "body_file": "{{ nodes.fetch.output.body }}" })),
        },
        "edges": [
            { "from": "hook", "to": "send" }, { "from": "send", "to": "fetch" }, { "from": "fetch", "to": "back" },
        ],
        "output": "{{ [nodes.send.output.body, nodes.back.output.body] }}",
    });
    api.publish("pass", &definition).await;
    let found =
        api.ask("{ workflow(name: \"pass\") { triggerBindings { webhook { urls { path } } } } }", json!({})).await;
    let path = found["workflow"]["triggerBindings"][0]["webhook"]["urls"][0]["path"].as_str().unwrap().to_owned();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    // What a first file makes for good is not counted.
    let small = http.post(format!("{}{path}", server.url)).body(vec![1; 3 * PIECE]).send().await.unwrap();
    assert_eq!(small.status(), 202);
    let small: Value = small.json().await.unwrap();
    let until = Duration::from_secs(540);
    api.until(small["runId"].as_str().unwrap(), until, |run| run["status"] == "SUCCEEDED").await;

    let (before, watch) = (memory(server.pid()), Watch::of(&server));
    let (wanted, given) = (sum(pieces(1)).await, sum(pieces(7)).await);
    let body = reqwest::Body::wrap_stream(pieces(1));
    let answer = http.post(format!("{}{path}", server.url)).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let run = answer.json::<Value>().await.unwrap()["runId"].as_str().unwrap().to_owned();
    api.until(&run, until, |run| run["status"] == "SUCCEEDED").await;
    let query = "query($id: ID!) { run(id: $id) { output { json } artifacts { nodes { size sha256 contentPath } } } }";
    let seen = api.ask(query, json!({ "id": run })).await["run"].take();
    let told = |(size, sha256): &(u64, String)| json!({ "size": size, "sha256": sha256 });
    assert_eq!(seen["output"]["json"], json!([told(&wanted), told(&given)]));
    for (file, whole) in seen["artifacts"]["nodes"].as_array().unwrap().iter().zip([&wanted, &given]) {
        assert_eq!((&file["size"], &file["sha256"]), (&json!(whole.0), &json!(whole.1)));
        let url = format!("{}{}", server.url, file["contentPath"].as_str().unwrap());
        let got = http.get(url).bearer_auth(&key).send().await.unwrap();
        assert_eq!(sum(got.bytes_stream()).await, *whole, "a download");
    }
    let most = watch.most();
    println!("before {} KiB, at most {} KiB", before / 1024, most / 1024);
    assert!(most.saturating_sub(before) < MOST, "{} MiB more", most.saturating_sub(before) / PIECE as u64);
    small_rows(&home.database_url()).await;
}

/// No value of any row is larger than a row of ours may be.
async fn small_rows(url: &str) {
    let database = sqlx::SqlitePool::connect(url).await.unwrap();
    let columns = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    let columns = sqlx::query(columns).fetch_all(&database).await.unwrap();
    assert!(columns.len() > 100);
    for column in columns {
        let (table, name): (String, String) = (column.get(0), column.get(1));
        let query = format!("SELECT coalesce(max(length(CAST(\"{name}\" AS BLOB))), 0) FROM \"{table}\"");
        let most: i64 = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(&database).await.unwrap().get(0);
        assert!(most <= ROW, "{table}.{name} has a value of {most} bytes");
    }
}

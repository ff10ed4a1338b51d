//! A gibibyte through every door, and what that takes of memory and rows.

use std::collections::BTreeMap;
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
/// The largest row.
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
    let home = Home::new(On::Postgres).await.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
    goes_through(in_bucket(home, &bucket())).await;
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
    let path = hook_of(&api, "pass").await;
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
    values(&api).await;
    small_rows(&home).await;
}

/// The path of a workflow's only webhook.
async fn hook_of(api: &Api, workflow: &str) -> String {
    let query = "query($n: String!) { workflow(name: $n) { triggerBindings { webhook { urls { path } } } } }";
    let found = api.ask(query, json!({ "n": workflow })).await;
    found["workflow"]["triggerBindings"][0]["webhook"]["urls"][0]["path"].as_str().unwrap().to_owned()
}

/// Values just small enough for rows, and one that is far too large for any, beside the files.
async fn values(api: &Api) {
    let grows = json!({
        "nodes": {
            "start": { "type": "trigger.manual@1" },
            "other": { "type": "data.set@1", "config": { "value": "{{ 'b' + input }}" } },
        },
        "edges": [{ "from": "start", "to": "other" }],
    });
    api.publish("values", &grows).await;
    for len in [24 * 1024 - 3, 3_000_000] {
        let run = api.start("values", &format!("of {len}"), "a".repeat(len).into()).await;
        let query = "query($id: ID!) { run(id: $id) { status } }";
        while api.ask(query, json!({ "id": run })).await["run"]["status"] != "SUCCEEDED" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// No row of any table is larger than a row of ours may be, and none of what was just made is missing from the look.
async fn small_rows(home: &Home) {
    let url = home.database_url();
    let most = if url.starts_with("sqlite") { rows_of_sqlite(&url).await } else { rows_of_postgres(&url).await };
    assert!(most.len() > 30, "{} tables", most.len());
    for (table, bytes) in &most {
        assert!(*bytes <= ROW, "{table} has a row of {bytes} bytes");
    }
    assert!(most["run"] > 48 * 1024, "a run's input and output lie in its row: {most:?}");
    println!("the largest rows: {:?}", most.iter().max_by_key(|(_, bytes)| **bytes));
}

/// The bytes of each table's largest row, as they are before anything is compressed.
async fn rows_of_sqlite(url: &str) -> BTreeMap<String, i64> {
    let database = sqlx::SqlitePool::connect(url).await.unwrap();
    let columns = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
    let columns = sqlx::query(columns).fetch_all(&database).await.unwrap();
    let columns = columns.iter().map(|column| {
        let (table, name): (String, String) = (column.get(0), column.get(1));
        (table, format!("length(CAST(\"{name}\" AS BLOB))"))
    });
    let mut most = BTreeMap::new();
    for (table, query) in largest(columns) {
        let bytes: i64 = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(&database).await.unwrap().get(0);
        most.insert(table, bytes);
    }
    most
}

async fn rows_of_postgres(url: &str) -> BTreeMap<String, i64> {
    let database = sqlx::PgPool::connect(url).await.unwrap();
    let columns = "SELECT c.table_name::text, c.column_name::text, c.data_type::text FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'";
    let columns = sqlx::query(columns).fetch_all(&database).await.unwrap();
    let columns = columns.iter().map(|column| {
        let (table, name, kind): (String, String, String) = (column.get(0), column.get(1), column.get(2));
        let text = if kind == "bytea" { "" } else { "::text" };
        (table, format!("octet_length(\"{name}\"{text})"))
    });
    let mut most = BTreeMap::new();
    for (table, query) in largest(columns) {
        let bytes: i64 = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(&database).await.unwrap().get(0);
        most.insert(table, bytes);
    }
    most
}

/// What asks each table for its largest row, of what tells the length of each of its columns.
fn largest(columns: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut sums: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, length) in columns {
        sums.entry(table).or_default().push(format!("coalesce({length}, 0)"));
    }
    let query = |(table, sum): (String, Vec<String>)| {
        let query = format!("SELECT CAST(coalesce(max({}), 0) AS BIGINT) FROM \"{table}\"", sum.join(" + "));
        (table, query)
    };
    sums.into_iter().map(query).collect()
}

/// A gigabyte of a table, about a mebibyte at a time, with what takes care: quotes, delimiters and line breaks in fields.
fn table() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    let head = stream::once(std::future::ready(Ok(Bytes::from_static(b"id,name,note,amount\n"))));
    head.chain(stream::iter(0..TABLE_PIECES).map(|piece| {
        let rows = (0..ROWS_OF_PIECE).map(|row| {
            let id = piece * ROWS_OF_PIECE + row;
            format!("{id},\"Ann, \"\"the\"\" {id}\",\"line one\nline two of gr\u{f6}\u{df}e {id}\",{id}.25\n")
        });
        Ok(Bytes::from(rows.collect::<String>()))
    }))
}

const ROWS_OF_PIECE: u64 = 13_000;
const TABLE_PIECES: u64 = 1_150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of minutes: run it by name with `--ignored --nocapture`"]
async fn a_gigabyte_of_csv_becomes_json_lines_in_little_memory() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    let definition = json!({
        "nodes": {
            "hook": { "type": "trigger.webhook@1", "config": { "body": "file" } },
            "lines": { "type": "file.convert@1", "config": { "file": "{{ input.body }}", "from": "csv", "to": "jsonl" }, "timeout": "1h" },
        },
        "edges": [{ "from": "hook", "to": "lines" }],
    });
    api.publish("table", &definition).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}{}", server.url, hook_of(&api, "table").await);
    let send = async |body: reqwest::Body| {
        let answer = http.post(&url).header("content-type", "text/csv").body(body).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let run = answer.json::<Value>().await.unwrap()["runId"].as_str().unwrap().to_owned();
        api.until(&run, Duration::from_secs(3_600), |run| run["status"] == "SUCCEEDED").await;
        let query = "query($id: ID!) { run(id: $id) { output { json } } }";
        api.ask(query, json!({ "id": run })).await["run"]["output"]["json"].take()
    };
    send("id,name\n1,a\n".into()).await;
    let (size, _) = sum(Box::pin(table())).await;
    assert!(size > 1_000_000_000, "{size}");
    let (before, watch, began) = (memory(server.pid()), Watch::of(&server), std::time::Instant::now());
    let made = send(reqwest::Body::wrap_stream(table())).await;
    let took = began.elapsed();
    let content = format!("{}/api/v1/artifacts/{}/content", server.url, made["$file"].as_str().unwrap());
    let mut pieces = http.get(content).bearer_auth(&key).send().await.unwrap().bytes_stream();
    let (mut lines, mut line) = (0_u64, Vec::new());
    while let Some(piece) = pieces.next().await {
        for byte in piece.unwrap() {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            if lines.is_multiple_of(100_003) || lines + 1 == ROWS_OF_PIECE * TABLE_PIECES {
                let wanted = json!({ "id": lines.to_string(), "name": format!("Ann, \"the\" {lines}"),
                    "note": format!("line one\nline two of gr\u{f6}\u{df}e {lines}"), "amount": format!("{lines}.25") });
                assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), wanted);
            }
            lines += 1;
            line.clear();
        }
    }
    assert_eq!((lines, line.len()), (ROWS_OF_PIECE * TABLE_PIECES, 0));
    let most = watch.most();
    println!("{size} bytes of CSV, {} of JSON lines, {took:?}", made["size"]);
    println!("before {} KiB, at most {} KiB", before / 1024, most / 1024);
    assert!(most.saturating_sub(before) < MOST, "{} MiB more", most.saturating_sub(before) / PIECE as u64);
}

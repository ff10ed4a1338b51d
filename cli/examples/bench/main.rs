//! Measures a release build of the server beside the machine's floor, in one run: machines differ, ratios less so.
//!
//! `bench <flowforge binary> <postgres url of an empty server>`; `make bench` calls it. Prints Markdown. With `code` as a third
//! argument it measures code alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measuring program: whatever goes wrong ends it, saying where"
)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, Row};

use self::server::{Server, status_mb};

mod code;
mod keys;
mod large;
mod server;

/// Runs of W2, one after the other; the median counts.
const W2_RUNS: usize = 20;
/// Runs of W3, started at once.
const W3_RUNS: usize = 1_000;
const W3_NODES: usize = 5;
const W2_NODES: usize = 40;
/// Runs of W3 that one request starts.
const BULK: usize = 250;
/// Node runs of the run that is read.
const READ_NODES: usize = 50;
/// Times that each answer is asked for, one after the other; the median counts.
const READS: usize = 2_000;
/// A run with its node runs, their attempts and previews of what they gave.
const READ: &str = "query($id: ID!) { run(id: $id) { status input { preview } output { preview }
    nodeRuns(first: 100) { nodes { node status output { preview } attempts { number startedAt finishedAt error { code } } } } } }";
const FLOOR_FOR: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(binary), Some(postgres)) = (arguments.next(), arguments.next()) else {
        panic!("usage: bench <flowforge binary> <postgres url>");
    };
    if arguments.next().as_deref() == Some("code") {
        return code::measure(&binary).await;
    }
    let floor = Floor::measure(&postgres).await;
    println!("| floor of this machine, PostgreSQL | per second |\n|---|---|");
    println!("| single-row commits, one connection | {:.0} |", floor.commits);
    println!("| claim 20, complete 20: jobs, one connection | {:.0} |", floor.one);
    println!("| claim 20, complete 20: jobs, eight connections | {:.0} |\n", floor.eight);
    println!(
        "| | W2s ms a node | W2s flushes a run | W2e ms a node | W2e flushes a run | W3s node runs/s | W3s CPU ms | W3s flushes a node run | W3e node runs/s | W3e CPU ms | peak MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let endpoint = endpoint().await;
    let mut w3s = 0.0;
    let mut reads = Vec::new();
    for database in ["SQLite", "PostgreSQL"] {
        let url = if database == "PostgreSQL" { Some(new_database(&postgres).await) } else { None };
        let server = Server::start(&binary, url.as_deref()).await;
        let w2s = server.w2("w2s", &set_node()).await;
        let w2e = server.w2("w2e", &call_node(&endpoint)).await;
        let s = server.w3("w3s", &set_node()).await;
        let e = server.w3("w3e", &call_node(&endpoint)).await;
        println!(
            "| {database} | {:.2} | {:.1} | {:.2} | {:.1} | {:.0} | {:.3} | {:.4} | {:.0} | {:.3} | {:.0} |",
            w2s.ms_per_node,
            w2s.flushes,
            w2e.ms_per_node,
            w2e.flushes,
            s.per_second,
            s.cpu_ms,
            s.flushes,
            e.per_second,
            e.cpu_ms,
            server.peak_mb()
        );
        if url.is_some() {
            w3s = s.per_second;
        }
        reads.push((database, server.read_health().await, server.read_run().await));
    }
    println!(
        "\n| | `/health` p50 ms | `/health` CPU ms | 50 node runs p50 ms | 50 node runs CPU ms |\n|---|---|---|---|---|"
    );
    for (database, health, run) in reads {
        println!(
            "| {database} | {:.2} | {:.3} | {:.2} | {:.3} |",
            health.p50_ms, health.cpu_ms, run.p50_ms, run.cpu_ms
        );
    }
    println!(
        "\nW3s on PostgreSQL is {:.2} of the batched-claim floor from one connection, {:.2} of that from eight.",
        w3s / floor.one,
        w3s / floor.eight
    );
    keys::head();
    for database in ["SQLite", "PostgreSQL"] {
        let url = if database == "PostgreSQL" { Some(new_database(&postgres).await) } else { None };
        keys::measure(&Server::start(&binary, url.as_deref()).await, database).await;
    }
    code::measure(&binary).await;
    large::measure();
    let (started, idle) = warm_start(&binary).await;
    let size = std::fs::metadata(&binary).unwrap().len() as f64 / 1e6;
    println!(
        "Warm second start on SQLite: first answer after {:.2} s, {idle:.0} MB after 60 s idle. Binary: {size:.0} MB.",
        started.as_secs_f64()
    );
}

fn set_node() -> Value {
    json!({"type": "data.set@1", "config": {"fields": {"n": "{{ input.n }}"}}})
}

fn call_node(endpoint: &str) -> Value {
    json!({"type": "http.request@1", "config": {"url": endpoint}})
}

fn chain(length: usize, node: &Value) -> Value {
    let mut nodes = serde_json::Map::from_iter([("start".to_owned(), json!({"type": "trigger.manual@1"}))]);
    let mut edges = Vec::new();
    let mut before = "start".to_owned();
    for number in 0..length {
        let key = format!("n{number:02}");
        nodes.insert(key.clone(), node.clone());
        edges.push(json!({"from": before, "to": key}));
        before = key;
    }
    json!({"nodes": nodes, "edges": edges})
}

/// What nodes of W2e and W3e call: answers at once. Its CPU is not the server's and is not counted.
async fn endpoint() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback(|| async { axum::Json(json!({"n": 1})) });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

/// What PostgreSQL alone does on this machine, with the same durability.
struct Floor {
    commits: f64,
    one: f64,
    eight: f64,
}

impl Floor {
    async fn measure(postgres: &str) -> Self {
        let url = new_database(postgres).await;
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute("CREATE TABLE one (id bigserial PRIMARY KEY, body text)").await.unwrap();
        let began = Instant::now();
        let mut commits = 0;
        while began.elapsed() < FLOOR_FOR {
            sqlx::query("INSERT INTO one (body) VALUES ('x')").execute(&mut connection).await.unwrap();
            commits += 1;
        }
        let commits = f64::from(commits) / began.elapsed().as_secs_f64();
        Self { commits, one: jobs_per_second(&url, 1).await, eight: jobs_per_second(&url, 8).await }
    }
}

/// Jobs claimed and completed 20 at a time, a commit for each of the two, as a job queue on PostgreSQL does it best.
async fn jobs_per_second(url: &str, connections: usize) -> f64 {
    let mut setup = PgConnection::connect(url).await.unwrap();
    setup.execute("DROP TABLE IF EXISTS job").await.unwrap();
    setup.execute("CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, output text)").await.unwrap();
    setup.execute("CREATE INDEX ON job (id) WHERE state = 'ready'").await.unwrap();
    setup.execute("INSERT INTO job SELECT n, 'ready' FROM generate_series(1, 300000) AS n").await.unwrap();
    setup.execute("ANALYZE job").await.unwrap();
    let began = Instant::now();
    let workers = (0..connections).map(|_| {
        let url = url.to_owned();
        tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut done = 0;
            while began.elapsed() < FLOOR_FOR {
                let claimed = "UPDATE job SET state = 'running' WHERE id IN \
                    (SELECT id FROM job WHERE state = 'ready' ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED) RETURNING id";
                let rows = sqlx::query(claimed).fetch_all(&mut connection).await.unwrap();
                let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
                let completed = "UPDATE job SET state = 'done', output = '{\"n\": 1}' WHERE id = ANY($1)";
                sqlx::query(completed).bind(&ids).execute(&mut connection).await.unwrap();
                done += ids.len();
            }
            done
        })
    });
    let mut done = 0;
    for worker in workers.collect::<Vec<_>>() {
        done += worker.await.unwrap();
    }
    done as f64 / began.elapsed().as_secs_f64()
}

async fn new_database(postgres: &str) -> String {
    let mut connection = PgConnection::connect(postgres).await.unwrap();
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let name = format!("bench_{nanos}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    let (server, _) = postgres.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// Time to the first good answer of a second start, and memory a minute later.
async fn warm_start(binary: &str) -> (Duration, f64) {
    let mut first = Server::start(binary, None).await;
    first.publish("once", &chain(2, &set_node())).await;
    first.begin("once").await;
    let folder = std::mem::replace(&mut first.folder, tempfile::tempdir().unwrap());
    drop(first);
    let second = Server::start_in(binary, None, folder).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    (second.ready_after, status_mb(second.process.id(), "VmRSS:"))
}

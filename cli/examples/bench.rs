//! Measures a release build of the server beside the machine's floor, in one run: machines differ, ratios less so.
//!
//! `bench <flowforge binary> <postgres url of an empty server>`; `make bench` calls it. Prints Markdown.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measuring program: whatever goes wrong ends it, saying where"
)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, Row};

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

/// A server process with a data folder of its own.
struct Server {
    process: Child,
    url: String,
    key: String,
    postgres: bool,
    client: reqwest::Client,
    folder: tempfile::TempDir,
    /// From the start of the process to its first good answer.
    ready_after: Duration,
}

struct Chain {
    ms_per_node: f64,
    flushes: f64,
}

struct Bulk {
    per_second: f64,
    cpu_ms: f64,
    flushes: f64,
}

struct Read {
    p50_ms: f64,
    cpu_ms: f64,
}

impl Server {
    async fn start(binary: &str, database: Option<&str>) -> Self {
        Self::start_in(binary, database, tempfile::tempdir().unwrap()).await
    }

    async fn start_in(binary: &str, database: Option<&str>, folder: tempfile::TempDir) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(binary);
        command
            .env("FLOWFORGE__DATA_DIR", folder.path())
            .env("FLOWFORGE__SERVER__BIND", format!("127.0.0.1:{port}"))
            .env("FLOWFORGE__HTTP__ALLOW_HOSTS", "127.0.0.1")
            .env("FLOWFORGE__LOG__LEVEL", "warn");
        if let Some(database) = database {
            command.env("FLOWFORGE__DATABASE__URL", database);
        }
        let mut key = Command::new(binary);
        key.args(["key", "create", "--workspace", "default", "--role", "admin", "--output", "json"]);
        key.env("FLOWFORGE__DATA_DIR", folder.path());
        if let Some(database) = database {
            key.env("FLOWFORGE__DATABASE__URL", database);
        }
        let began = Instant::now();
        let process = command.arg("serve").stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        let client = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{port}");
        while !client.get(format!("{url}/ready")).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let ready_after = began.elapsed();
        let key: Value = serde_json::from_slice(&key.output().unwrap().stdout).unwrap();
        let key = key["key"].as_str().unwrap().to_owned();
        Self { process, url, key, postgres: database.is_some(), client, folder, ready_after }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let request = self.client.post(format!("{}/graphql", self.url)).bearer_auth(&self.key);
        let answer: Value =
            request.json(&json!({"query": query, "variables": variables})).send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    async fn publish(&self, name: &str, definition: &Value) {
        let query = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) { userErrors { message } problems { message } } }";
        let answer = self.ask(query, json!({"input": {"name": name, "definition": definition}})).await;
        assert_eq!(answer["publishWorkflow"]["userErrors"], json!([]), "{answer}");
    }

    async fn begin(&self, name: &str) -> String {
        let query =
            "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } userErrors { message } } }";
        let answer = self.ask(query, json!({"input": {"workflow": name, "input": {"n": 1}}})).await;
        answer["startRun"]["run"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    async fn begin_many(&self, name: &str) {
        let query = "mutation($input: StartRunsInput!) { startRuns(input: $input) { results { run { id } } userErrors { message } } }";
        let runs = vec![json!({"input": {"n": 1}}); BULK];
        let answer = self.ask(query, json!({"input": {"workflow": name, "runs": runs}})).await;
        let results = answer["startRuns"]["results"].as_array().unwrap();
        assert!(results.len() == BULK && results.iter().all(|result| result["run"]["id"].is_string()), "{answer}");
    }

    /// One counter of `/metrics`, over all its labels; 0 before its first event.
    async fn counter(&self, name: &str) -> f64 {
        let text = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        let series = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{')));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// One run of 40 nodes at a time.
    async fn w2(&self, name: &str, node: &Value) -> Chain {
        self.publish(name, &chain(W2_NODES, node)).await;
        let mut taken = Vec::new();
        let before = self.counter("flowforge_flushes_total").await;
        for _ in 0..W2_RUNS {
            let finished = self.counter("flowforge_runs_finished_total").await;
            let run = self.begin(name).await;
            self.until_finished(finished + 1.0).await;
            let times =
                self.ask("query($id: ID!) { run(id: $id) { status createdAt finishedAt } }", json!({"id": run})).await;
            assert_eq!(times["run"]["status"], "SUCCEEDED", "{times}");
            let at = |name: &str| chrono::DateTime::parse_from_rfc3339(times["run"][name].as_str().unwrap()).unwrap();
            taken.push((at("finishedAt") - at("createdAt")).num_microseconds().unwrap() as f64 / 1_000.0);
        }
        let flushes = (self.counter("flowforge_flushes_total").await - before) / W2_RUNS as f64;
        taken.sort_by(f64::total_cmp);
        Chain { ms_per_node: taken[W2_RUNS / 2] / W2_NODES as f64, flushes }
    }

    /// 1,000 runs of 5 nodes at once.
    async fn w3(&self, name: &str, node: &Value) -> Bulk {
        self.publish(name, &chain(W3_NODES, node)).await;
        let (flushes, finished, cpu) = (
            self.counter("flowforge_flushes_total").await,
            self.counter("flowforge_runs_finished_total").await,
            self.cpu(),
        );
        let began = Instant::now();
        let starts = (0..W3_RUNS / BULK).map(|_| self.begin_many(name));
        futures::future::join_all(starts).await;
        self.until_finished(finished + W3_RUNS as f64).await;
        let took = began.elapsed().as_secs_f64();
        let node_runs = (W3_RUNS * W3_NODES) as f64;
        Bulk {
            per_second: node_runs / took,
            cpu_ms: (self.cpu() - cpu) * 1_000.0 / node_runs,
            flushes: (self.counter("flowforge_flushes_total").await - flushes) / node_runs,
        }
    }

    async fn read_health(&self) -> Read {
        let url = format!("{}/health", self.url);
        self.read(async || assert!(self.client.get(&url).send().await.unwrap().status().is_success())).await
    }

    /// A run with all its node runs, attempts and previews, in one query.
    async fn read_run(&self) -> Read {
        self.publish("read", &chain(READ_NODES - 1, &set_node())).await;
        let finished = self.counter("flowforge_runs_finished_total").await;
        let run = self.begin("read").await;
        self.until_finished(finished + 1.0).await;
        let answer = self.ask(READ, json!({"id": run})).await;
        assert_eq!(answer["run"]["nodeRuns"]["nodes"].as_array().map(Vec::len), Some(READ_NODES), "{answer}");
        self.read(async || drop(self.ask(READ, json!({"id": run})).await)).await
    }

    async fn read(&self, ask: impl AsyncFn()) -> Read {
        let cpu = self.cpu();
        let mut taken = Vec::with_capacity(READS);
        for _ in 0..READS {
            let began = Instant::now();
            ask().await;
            taken.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        taken.sort_by(f64::total_cmp);
        Read { p50_ms: taken[READS / 2], cpu_ms: (self.cpu() - cpu) * 1_000.0 / READS as f64 }
    }

    async fn until_finished(&self, count: f64) {
        while self.counter("flowforge_runs_finished_total").await < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Seconds of CPU so far: the server, and with PostgreSQL all of its processes.
    fn cpu(&self) -> f64 {
        let own = cpu_of(self.process.id());
        if !self.postgres {
            return own;
        }
        let processes =
            std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let postgres = processes.filter(|pid: &u32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
        });
        own + postgres.map(cpu_of).sum::<f64>()
    }

    fn peak_mb(&self) -> f64 {
        status_mb(self.process.id(), "VmHWM:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// User and system time of a process and of its children that have ended, in seconds (`proc(5)`, fields 14 to 17).
fn cpu_of(pid: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn status_mb(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
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

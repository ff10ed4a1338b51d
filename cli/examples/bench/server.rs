//! A server of its own to measure, and what its processes used.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{BULK, READ, READ_NODES, READS, W2_NODES, W2_RUNS, W3_NODES, W3_RUNS, chain, set_node};

/// A server process with a data folder of its own.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) url: String,
    key: String,
    postgres: bool,
    pub(crate) client: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
    /// From the start of the process to its first good answer.
    pub(crate) ready_after: Duration,
}

pub(crate) struct Chain {
    pub(crate) ms_per_node: f64,
    pub(crate) flushes: f64,
}

pub(crate) struct Bulk {
    pub(crate) per_second: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) flushes: f64,
}

pub(crate) struct Read {
    pub(crate) p50_ms: f64,
    pub(crate) cpu_ms: f64,
}

impl Server {
    pub(crate) async fn start(binary: &str, database: Option<&str>) -> Self {
        Self::start_in(binary, database, tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn start_in(binary: &str, database: Option<&str>, folder: tempfile::TempDir) -> Self {
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

    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let request = self.client.post(format!("{}/graphql", self.url)).bearer_auth(&self.key);
        let answer: Value =
            request.json(&json!({"query": query, "variables": variables})).send().await.unwrap().json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    pub(crate) async fn publish(&self, name: &str, definition: &Value) {
        let query = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) { userErrors { message } problems { message } } }";
        let answer = self.ask(query, json!({"input": {"name": name, "definition": definition}})).await;
        assert_eq!(answer["publishWorkflow"]["userErrors"], json!([]), "{answer}");
    }

    pub(crate) async fn begin(&self, name: &str) -> String {
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

    /// Whether a run has ended.
    pub(crate) async fn is_finished(&self, run: &str) -> bool {
        let answer = self.ask("query($id: ID!) { run(id: $id) { finishedAt } }", json!({"id": run})).await;
        answer["run"]["finishedAt"].is_string()
    }

    /// One counter of `/metrics`, over all its labels; 0 before its first event.
    pub(crate) async fn counter(&self, name: &str) -> f64 {
        let text = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
        let series = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ') || rest.starts_with('{')));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// One run of 40 nodes at a time.
    pub(crate) async fn w2(&self, name: &str, node: &Value) -> Chain {
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
    pub(crate) async fn w3(&self, name: &str, node: &Value) -> Bulk {
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

    pub(crate) async fn read_health(&self) -> Read {
        let url = format!("{}/health", self.url);
        self.read(async || assert!(self.client.get(&url).send().await.unwrap().status().is_success())).await
    }

    /// A run with all its node runs, attempts and previews, in one query.
    pub(crate) async fn read_run(&self) -> Read {
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

    pub(crate) async fn until_finished(&self, count: f64) {
        while self.counter("flowforge_runs_finished_total").await < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Seconds of CPU so far: the server with its processes for code, and with PostgreSQL all of its processes.
    pub(crate) fn cpu(&self) -> f64 {
        let children = processes().filter(|pid| parent_of(*pid) == Some(self.process.id()));
        let own = cpu_of(self.process.id()) + children.map(cpu_of).sum::<f64>();
        if !self.postgres {
            return own;
        }
        let postgres = processes().filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
        });
        own + postgres.map(cpu_of).sum::<f64>()
    }

    pub(crate) fn peak_mb(&self) -> f64 {
        status_mb(self.process.id(), "VmHWM:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time of a process and of its children that have ended, in seconds (`proc(5)`, fields 14 to 17).
fn cpu_of(pid: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0.0 };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[11..15].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

pub(crate) fn status_mb(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}

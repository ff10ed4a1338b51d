//! An owner that stands still for longer than its lease, and is woken when others have its runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::json;

use crate::client::Api;
use crate::home::{Home, On, Server};
use crate::ledger::{Ledger, Manners};
use crate::random::Random;
use crate::workload::{request, row, set};

const ROUNDS: u64 = 5;
const RUNS: u64 = 24;
const LEASE: Duration = Duration::from_millis(1_000);
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_woken_writes_nothing_for_runs_that_were_taken_over() {
    let random = Random::printed("a stopped owner");
    let ledger = Ledger::open(Manners { delay: 20..150, refused: 0 }, 7, None).await;
    let home = Home::new(On::Postgres).await.with("RUNTIME__LEASE", "1s").with("HTTP__ALLOW_HOSTS", &ledger.host);
    let key = home.key();
    let owner = serve(&home, "owner");
    let database = Database::connect(home.database_url()).await.unwrap();
    Api::at(&owner.url, &key).publish("work", &work(&ledger.host)).await;
    let mut in_flushes = 0;
    for round in 0..ROUNDS {
        let second = serve(&home, "second");
        let here = Api::at(&owner.url, &key);
        let names: Vec<String> = (0..RUNS).map(|number| format!("work-{round}-{number}")).collect();
        let starts = names.iter().map(|name| here.start("work", name, json!({ "key": name, "n": 1 })));
        let runs = futures::future::join_all(starts).await;
        tokio::time::sleep(random.millis(0..60)).await;
        in_flushes += usize::from(stop_in_a_flush(&database, &owner).await);
        let left = owned(&database, "owner").await;
        assert!(left > 0, "nothing was under way");
        println!("stopped with {left} runs");
        let there = Api::at(&second.url, &key);
        let slowest = Slowest::watch(&there);
        taken_over(&database, "owner").await;
        for run in &runs {
            there.until(run, Duration::from_secs(30), |run| run["status"] == "SUCCEEDED").await;
        }
        let slowest = slowest.end().await;
        assert!(slowest < PATIENCE, "the one that took over was blocked for {slowest:?}");

        let before = everything(&database).await;
        let beat = beat(&database, "owner").await;
        owner.signal("CONT");
        woken(&database, "owner", beat).await;
        let after = everything(&database).await;
        let touched: Vec<&String> = after.symmetric_difference(&before).collect();
        assert!(touched.is_empty(), "the woken one touched {} rows, such as {}", touched.len(), touched[0]);
        // It must be of use again, not only silent.
        let name = format!("again-{round}");
        let run = here.start("work", &name, json!({ "key": name, "n": 1 })).await;
        here.until(&run, Duration::from_secs(30), |run| run["status"] == "SUCCEEDED").await;
    }
    println!("{in_flushes} of {ROUNDS} stops were seen to hit a flush");
}

/// Stops the process at the first moment at which the database works on one of its flushes, within a second.
async fn stop_in_a_flush(database: &DatabaseConnection, owner: &Server) -> bool {
    let began = Instant::now();
    let flushing = "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE '%/* flush */%'";
    let mut hit = false;
    while !hit && began.elapsed() < Duration::from_secs(1) {
        hit = !rows(database, flushing).await.is_empty();
    }
    owner.signal("STOP");
    hit
}

/// Flushes without end, with calls that are in flight when their owner stands still.
fn work(host: &str) -> serde_json::Value {
    let plus = || set("{{ input + 1 }}");
    row(
        &[
            ("a", set("{{ run.input.n }}")),
            ("b", plus()),
            ("put", request(host, "PUT", "put", "-")),
            ("c", set("{{ nodes.b.output }}")),
            ("d", plus()),
            ("nap", json!({ "type": "flow.wait@1", "config": { "for": "10ms" } })),
            ("e", set("{{ nodes.d.output }}")),
            ("del", request(host, "DELETE", "del", "-")),
            ("f", set("{{ nodes.e.output }}")),
        ],
        "{{ nodes.f.output }}",
    )
}

fn serve(home: &Home, name: &str) -> Server {
    let folder = home.folder().join(name);
    home.serve_with(name, &[("DATA_DIR", folder.to_str().unwrap()), ("RUNTIME__WORKER_NAME", name)])
}

/// How long the slowest answer took while it was watched.
struct Slowest {
    over: Arc<AtomicBool>,
    most_ms: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Slowest {
    fn watch(api: &Api) -> Self {
        let (over, most_ms) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let task = tokio::spawn({
            let (api, over, most_ms) = (api.clone(), Arc::clone(&over), Arc::clone(&most_ms));
            async move {
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    // A start is a write: it rides in a flush of the one that is watched.
                    let name = format!("watch-{}", uuid::Uuid::new_v4().simple());
                    api.start("work", &name, json!({ "key": name, "n": 1 })).await;
                    most_ms.fetch_max(u64::try_from(began.elapsed().as_millis()).unwrap(), Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
        Self { over, most_ms, task }
    }

    async fn end(self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        Duration::from_millis(self.most_ms.load(Ordering::Relaxed))
    }
}

async fn rows(database: &DatabaseConnection, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(database.get_database_backend(), sql.to_owned());
    let rows = database.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// How many runs a process owns.
async fn owned(database: &DatabaseConnection, owner: &str) -> usize {
    let sql = format!(
        "SELECT r.id::text FROM run r JOIN worker w ON w.id = r.owner_id WHERE w.name = '{owner}' AND r.claim = 'OWNED'"
    );
    rows(database, &sql).await.len()
}

/// Waits until the stopped process owns nothing, at most its lease and 3 s.
async fn taken_over(database: &DatabaseConnection, owner: &str) {
    let began = Instant::now();
    loop {
        let left = owned(database, owner).await;
        if left == 0 {
            return;
        }
        assert!(began.elapsed() < LEASE + PATIENCE, "{left} runs were not taken over");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every row that a driver writes, with the transaction that wrote it.
async fn everything(database: &DatabaseConnection) -> BTreeSet<String> {
    ended(database).await;
    let mut all = BTreeSet::new();
    for table in ["run", "journal", "node_run"] {
        all.extend(rows(database, &format!("SELECT t.xmin::text || ' ' || t::text FROM {table} t ORDER BY 1")).await);
    }
    all
}

/// Waits until no run is under way.
async fn ended(database: &DatabaseConnection) {
    let began = Instant::now();
    while !rows(database, "SELECT id::text FROM run WHERE status IN ('QUEUED', 'RUNNING', 'WAITING')").await.is_empty()
    {
        assert!(began.elapsed() < Duration::from_secs(30), "runs do not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn beat(database: &DatabaseConnection, worker: &str) -> Vec<String> {
    rows(database, &format!("SELECT id::text || ' ' || beat FROM worker WHERE name = '{worker}' ORDER BY 1")).await
}

/// Waits until the woken process beats again, and then for as long as it could have held something back.
async fn woken(database: &DatabaseConnection, worker: &str, before: Vec<String>) {
    let began = Instant::now();
    while beat(database, worker).await == before {
        assert!(began.elapsed() < Duration::from_secs(10), "the woken process does not beat");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(LEASE).await;
}

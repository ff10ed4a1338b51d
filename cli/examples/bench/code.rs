//! Nodes that run code: hand-over, many at once, beside plain Node.js, and beside bombs.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chain;
use crate::server::Server;

/// Nodes of W2b, in a row.
const HEAVY_NODES: usize = 10;
/// Runs of one node, whose latencies are compared with and without bombs beside them.
const SHORT_RUNS: usize = 300;
/// Times that they are compared, one after the other; the medians count.
const ROUNDS: usize = 3;
/// Runs that each end at their time limit of two seconds, as many at once as scripts may be.
const BOMBS: usize = 14;

fn fib(n: u32) -> Value {
    let code =
        format!("const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));\nreturn {{ n: input.n, fib: fib({n}) }};");
    json!({"type": "code.js@1", "config": {"code": code, "time_limit": "60s"}})
}

/// W2j, W3j, W2b, and the p99 of short runs beside bombs, on SQLite.
pub(crate) async fn measure(binary: &str) {
    let server = Server::start(binary, None).await;
    let handed = server.w2("w2j", &json!({"type": "code.js@1", "config": {"code": "return input"}})).await;
    let small = server.w2("w2j_fib", &fib(10)).await;
    let many = server.w3("w3j", &fib(10)).await;
    let heavy = heavy(&server).await;
    println!("\n| code.js on SQLite | |\n|---|---|");
    println!("| W2j, `return input`: ms a node | {:.2} |", handed.ms_per_node);
    println!("| W2j, fib(10): ms a node | {:.2} |", small.ms_per_node);
    println!("| W3j, fib(10): node runs/s | {:.0} |", many.per_second);
    println!("| W3j, fib(10): CPU ms a node run, processes for code included | {:.3} |", many.cpu_ms);
    println!("| W2b, fib(33): ms a node | {:.0} |", heavy.as_secs_f64() * 1_000.0);
    match plain_node() {
        Some(plain) => {
            println!("| W2b, fib(33) in plain Node.js: ms | {:.0} |", plain.as_secs_f64() * 1_000.0);
            println!("| W2b, factor to plain Node.js | {:.1} |", heavy.as_secs_f64() / plain.as_secs_f64());
        }
        None => println!("| W2b, factor to plain Node.js | no `node` on this machine |"),
    }
    let (mut quiet, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quiet.push(p99(&server, SHORT_RUNS).await);
        beside.push(p99_beside_bombs(&server).await);
    }
    let (quiet, beside) = (median(quiet), median(beside));
    println!("| p99 of a run of one `data.set`, quiet: ms | {quiet:.2} |");
    println!("| the same beside endless loops: ms | {beside:.2} |");
    println!("| factor | {:.2} |", beside / quiet);
}

/// The time that one node of W2b takes.
async fn heavy(server: &Server) -> Duration {
    server.publish("w2b", &chain(HEAVY_NODES, &fib(33))).await;
    let finished = server.counter("flowforge_runs_finished_total").await;
    let began = Instant::now();
    server.begin("w2b").await;
    server.until_finished(finished + 1.0).await;
    began.elapsed() / HEAVY_NODES as u32
}

/// fib(33) in Node.js, without its start: the median of five.
fn plain_node() -> Option<Duration> {
    let script = "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); const taken = [];
        for (let i = 0; i < 5; i++) { const began = performance.now(); fib(33); taken.push(performance.now() - began); }
        console.log(taken.sort((a, b) => a - b)[2]);";
    let output = Command::new("node").args(["-e", script]).output().ok()?;
    let ms: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs_f64(ms / 1_000.0))
}

/// From creation to end, as the run itself says.
async fn p99(server: &Server, runs: usize) -> f64 {
    server.publish("short", &chain(1, &crate::set_node())).await;
    let mut taken = Vec::with_capacity(runs);
    for _ in 0..runs {
        taken.push(one(server).await);
    }
    taken.sort_by(f64::total_cmp);
    taken[runs * 99 / 100]
}

async fn one(server: &Server) -> f64 {
    let run = server.begin("short").await;
    loop {
        let query = "query($id: ID!) { run(id: $id) { createdAt finishedAt } }";
        let times = server.ask(query, json!({"id": run})).await;
        let at = |name: &str| chrono::DateTime::parse_from_rfc3339(times["run"][name].as_str()?).ok();
        if let (Some(created), Some(finished)) = (at("createdAt"), at("finishedAt")) {
            return (finished - created).num_microseconds().unwrap() as f64 / 1_000.0;
        }
    }
}

async fn p99_beside_bombs(server: &Server) -> f64 {
    let bomb = json!({"type": "code.js@1", "config": {"code": "while (true) {}", "time_limit": "2s"}});
    server.publish("bomb", &chain(1, &bomb)).await;
    let mut bombs = Vec::with_capacity(BOMBS);
    for _ in 0..BOMBS {
        bombs.push(server.begin("bomb").await);
    }
    let beside = p99(server, SHORT_RUNS).await;
    let last = bombs.last().unwrap();
    assert!(!server.is_finished(last).await, "the bombs were over before the runs beside them");
    while !server.is_finished(last).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    beside
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

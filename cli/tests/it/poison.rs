//! A run that takes its process down with it, among a hundred that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::client::{Api, Fleet};
use crate::home::{Home, On};
use crate::workload::{Kind, row};

const GOOD: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_aborts_the_process_is_parked_and_a_hundred_others_end_on_sqlite() {
    poison(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_aborts_the_process_is_parked_and_a_hundred_others_end_on_postgresql() {
    poison(On::Postgres).await;
}

async fn poison(on: On) {
    let home = Arc::new(Home::new(on).await.with("TESTING__NODES", "true").with("RUNTIME__LEASE", "300ms"));
    let fleet = Fleet::of(1);
    let api = Api::new(Arc::clone(&fleet), home.key());
    let over = Arc::new(AtomicBool::new(false));
    let supervisor = std::thread::spawn({
        let (home, fleet, over) = (Arc::clone(&home), Arc::clone(&fleet), Arc::clone(&over));
        move || supervise(&home, &fleet, &over)
    });
    api.publish("good", &Kind::Chain.definition("127.0.0.1:1")).await;
    let abort = json!({ "type": "test.abort@1" });
    api.publish("bad", &row(&[("boom", abort)], "{{ nodes.boom.output }}")).await;

    let mut good = Vec::new();
    let mut bad = String::new();
    for number in 0..GOOD {
        if number == GOOD / 2 {
            bad = api.start("bad", "bad", json!({})).await;
        }
        let key = format!("good-{number}");
        good.push((api.start("good", &key, Kind::Chain.input(&key, number)).await, number));
    }
    for (run, number) in &good {
        let run = api.until(run, Duration::from_secs(90), |run| run["status"] == "SUCCEEDED").await;
        assert_eq!(run["output"]["json"], Kind::Chain.output(*number));
    }
    let bad = api.until(&bad, Duration::from_secs(90), |run| run["status"] == "PAUSED").await;
    assert_eq!(bad["error"]["node"], "boom", "{bad}");
    over.store(true, Ordering::Relaxed);
    let deaths = supervisor.join().unwrap();
    assert!((1..=12).contains(&deaths), "the process died {deaths} times");
}

/// What an operator's service manager does: starts the server again whenever it ends. How often it ended by itself.
fn supervise(home: &Home, fleet: &Fleet, over: &AtomicBool) -> usize {
    let mut deaths = 0;
    while !over.load(Ordering::Relaxed) {
        let Some(mut server) = home.try_serve("server", &[]) else {
            deaths += 1;
            continue;
        };
        fleet.set(0, Some(server.url.clone()));
        while !server.has_ended() && !over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if server.has_ended() {
            fleet.set(0, None);
            deaths += 1;
        }
    }
    deaths
}

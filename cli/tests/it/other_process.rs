//! Signals, cancels and timers that meet a run from another process, while its owner flushes or is lost.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On, Server, text};
use crate::random::Random;
use crate::workload::{row, set};

const ROUNDS: u64 = 24;
const LEASE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_another_process_arrive_once_whatever_the_owner_does() {
    let random = Random::printed("messages of another process");
    let home = Home::new(On::Postgres).await.with("RUNTIME__LEASE", "500ms");
    let key = home.key();
    let mut owner = serve(&home, "owner", true);
    let second = serve(&home, "second", true);
    let fleet = Fleet::of(2);
    fleet.set(1, Some(second.url.clone()));
    let there = Api::new(Arc::clone(&fleet), key.clone());
    there.publish("busy", &busy()).await;

    let mut signaled = Vec::new();
    let mut canceled = Vec::new();
    for number in 0..ROUNDS {
        let here = Api::at(&owner.url, &key);
        let run = here.start("busy", &format!("busy-{number}"), json!({ "n": number })).await;
        tokio::time::sleep(random.millis(0..160)).await;
        let dies = number % 3 == 0;
        let before = random.chance(50);
        if dies && before {
            owner.kill();
        }
        if number % 4 == 3 {
            let accepted = cancel(&home, &second, &key, &run);
            canceled.push((run, accepted));
        } else {
            there.signal(&run, "go", json!({ "n": number })).await;
            signaled.push((run, number));
        }
        if dies {
            owner.kill();
            owner = serve(&home, "owner", true);
        }
    }
    for (run, number) in &signaled {
        let found = there.until(run, Duration::from_secs(30), |run| run["status"] == "SUCCEEDED").await;
        assert_eq!(found["output"]["json"], json!(number * 10), "{found}");
        let events = there.events(run).await;
        assert_eq!(count(&events, "SIGNAL_RECEIVED"), 1, "{events:#?}");
        assert_eq!(count(&events, "TIMER_FIRED"), 1, "{events:#?}");
        let late = lateness(&events);
        assert!(late < LEASE + Duration::from_secs(3), "the timer of {run} was {late:?} late");
    }
    for (run, accepted) in &canceled {
        let ended = |run: &Value| matches!(run["status"].as_str(), Some("CANCELED" | "SUCCEEDED"));
        let found = there.until(run, Duration::from_secs(30), ended).await;
        assert_eq!(found["status"] == "CANCELED", *accepted, "{found}");
        let events = there.events(run).await;
        assert_eq!(count(&events, "CANCEL_REQUESTED"), usize::from(*accepted), "{events:#?}");
    }
}

/// A timer, pure nodes that keep flushes coming, and a wait for a signal.
fn busy() -> Value {
    let mut nodes = vec![("nap".to_owned(), json!({ "type": "flow.wait@1", "config": { "for": "80ms" } }))];
    nodes.extend((0..12).map(|number| (format!("s{number}"), set("{{ run.input.n }}"))));
    nodes.push(("go".to_owned(), json!({ "type": "flow.wait@1", "config": { "signal": { "name": "go" } } })));
    nodes.push(("last".to_owned(), set("{{ nodes.go.output.n * 10 }}")));
    let nodes: Vec<(&str, Value)> = nodes.iter().map(|(key, node)| (key.as_str(), node.clone())).collect();
    row(&nodes, "{{ nodes.last.output }}")
}

fn serve(home: &Home, name: &str, drive: bool) -> Server {
    let folder = home.folder().join(name);
    home.serve_with(name, &[("DATA_DIR", folder.to_str().unwrap()), ("RUNTIME__DRIVE", &drive.to_string())])
}

/// Through the command, which is a process of its own. Whether the run could still be canceled.
fn cancel(home: &Home, at: &Server, key: &str, run: &str) -> bool {
    let output = home.run(&["run", "cancel", run, "--reason", "test", "--url", &at.url, "--api-key", key]);
    match output.status.code() {
        Some(0) => true,
        Some(6) => false,
        code => panic!("cancel ended with {code:?}: {}", text(&output.stderr)),
    }
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["payload"]["kind"] == kind).count()
}

/// From when the wait was due to when it ended.
fn lateness(events: &[Value]) -> Duration {
    let find = |kind: &str| events.iter().find(|event| event["payload"]["kind"] == kind).unwrap();
    let time = |value: &Value| value.as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let due = time(&find("ATTEMPT_WAITS")["payload"]["dueAt"]);
    (time(&find("TIMER_FIRED")["at"]) - due).to_std().unwrap_or_default()
}

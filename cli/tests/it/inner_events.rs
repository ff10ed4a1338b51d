//! Workflows that start each other while their server is killed: every event starts one run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On};

/// How many events.
const EVENTS: usize = 120;
/// How often the server is killed meanwhile.
const KILLS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_starts_one_run_on_sqlite_although_the_server_is_killed() {
    every_event_starts_one_run(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_starts_one_run_on_postgresql_although_the_server_is_killed() {
    every_event_starts_one_run(On::Postgres).await;
}

async fn every_event_starts_one_run(on: On) {
    let home = Home::new(on).await;
    let fleet = Fleet::of(1);
    let api = Api::new(std::sync::Arc::clone(&fleet), home.key());
    let mut server = home.serve("events");
    fleet.set(0, Some(server.url.clone()));
    let shop = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "tell": {"type": "event.publish@1", "config": {"subject": "order.paid", "data": "{{ input }}"}},
        },
        "edges": [{"from": "start", "to": "tell"}],
    });
    let ear = json!({"nodes": {"paid": {"type": "trigger.event@1", "config": {"subject": "order.*"}}}});
    let after = json!({"nodes": {"ended": {"type": "trigger.workflow@1", "config": {"workflow": "ear"}}}});
    for (name, definition) in [("shop", &shop), ("ear", &ear), ("after", &after)] {
        api.publish(name, definition).await;
    }
    let starting = async {
        for number in 0..EVENTS {
            api.start("shop", &format!("order-{number}"), json!({"number": number})).await;
        }
    };
    let killing = async {
        for _ in 0..KILLS {
            tokio::time::sleep(Duration::from_millis(900)).await;
            server.kill();
            fleet.set(0, None);
            server = home.serve("events");
            fleet.set(0, Some(server.url.clone()));
        }
    };
    tokio::join!(starting, killing);
    let numbers = runs(&api, "ear", "/input/json/data/number").await;
    assert_eq!(numbers, (0..EVENTS).map(|number| number.to_string()).collect());
    let ended = runs(&api, "after", "/input/json/run/id").await;
    assert_eq!(ended.len(), EVENTS);
}

/// Waits until the workflow has as many runs as there are events and none waits; what stands at a place of their inputs,
/// each once.
async fn runs(api: &Api, workflow: &str, pointer: &str) -> BTreeSet<String> {
    let query = "query($name: String!) { workflow(name: $name) { id } }";
    let id = api.ask(query, json!({"name": workflow})).await["workflow"]["id"].clone();
    let began = Instant::now();
    loop {
        let found = all(api, &id).await;
        if found.len() >= EVENTS {
            let place = |run: &Value| run.pointer(pointer).map(|value| value.to_string().replace('"', ""));
            let distinct: BTreeSet<String> = found.iter().filter_map(place).collect();
            assert_eq!(distinct.len(), found.len(), "{workflow} ran twice for one of them");
            return distinct;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{workflow} has {} runs", found.len());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn all(api: &Api, workflow: &Value) -> Vec<Value> {
    let query = "query($f: RunFilter, $after: String) { runs(filter: $f, first: 100, after: $after) {
        nodes { input { json } } pageInfo { hasNextPage endCursor } } }";
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = api.ask(query, json!({"f": {"workflowId": workflow}, "after": after})).await["runs"].clone();
        found.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return found;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

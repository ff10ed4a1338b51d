//! A schedule of one second while its servers are killed: every tick starts one run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On};

/// How long it fires.
const FOR: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_fires_once_on_sqlite_although_the_server_is_killed_twice() {
    every_second_fires_once(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_fires_once_on_postgresql_although_the_server_is_killed_twice() {
    every_second_fires_once(On::Postgres).await;
}

async fn every_second_fires_once(on: On) {
    let home = Home::new(on).await;
    let fleet = Fleet::of(1);
    let api = Api::new(std::sync::Arc::clone(&fleet), home.key());
    let mut server = home.serve("clock");
    fleet.set(0, Some(server.url.clone()));
    let definition = json!({"nodes": {"clock": {"type": "trigger.schedule@1",
        "config": {"every": "1s", "catch_up": "all"}}}});
    api.publish("secondly", &definition).await;
    let began = Instant::now();
    for kill in 1..=2 {
        tokio::time::sleep((FOR / 3 * kill).saturating_sub(began.elapsed())).await;
        server.kill();
        fleet.set(0, None);
        server = home.serve("clock");
        fleet.set(0, Some(server.url.clone()));
    }
    tokio::time::sleep(FOR.saturating_sub(began.elapsed())).await;
    let undeploy = "mutation($i: UndeployWorkflowInput!) { undeployWorkflow(input: $i) { userErrors { code } } }";
    let workflow = api.ask("{ workflow(name: \"secondly\") { id } }", json!({})).await["workflow"]["id"].clone();
    api.ask(undeploy, json!({"i": {"workflowId": workflow}})).await;

    let query = "query($f: TriggerEventFilter, $after: String) { triggerEvents(filter: $f, first: 100, after: $after) {
        nodes { scheduledAt outcome run { id } } pageInfo { hasNextPage endCursor } } }";
    let mut events: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let filter = json!({"workflowId": workflow, "kind": "SCHEDULE"});
        let page = api.ask(query, json!({"f": filter, "after": after})).await["triggerEvents"].clone();
        events.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert!(events.iter().all(|event| event["outcome"] == "STARTED"), "{events:#?}");
    let second = |event: &Value| {
        chrono::DateTime::parse_from_rfc3339(event["scheduledAt"].as_str().unwrap()).unwrap().timestamp()
    };
    let seconds: BTreeSet<i64> = events.iter().map(second).collect();
    let runs: BTreeSet<&str> = events.iter().map(|event| event["run"]["id"].as_str().unwrap()).collect();
    assert_eq!((seconds.len(), runs.len()), (events.len(), events.len()));
    let (first, last) = (*seconds.first().unwrap(), *seconds.last().unwrap());
    assert_eq!(seconds.len() as i64, last - first + 1, "{seconds:?}");
    assert!(seconds.len() as u64 >= FOR.as_secs() - 2, "{seconds:?}");
}

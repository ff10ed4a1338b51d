//! Schedules of one second while their server is killed: what becomes of every tick, told once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Api, Fleet};
use crate::home::{Home, On};

/// How long they fire.
const FOR: Duration = Duration::from_secs(60);
/// How long nobody watches the clock after a kill.
const AWAY: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_is_decided_once_on_sqlite_although_the_server_is_killed_twice() {
    every_second_is_decided_once(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_second_is_decided_once_on_postgresql_although_the_server_is_killed_twice() {
    every_second_is_decided_once(On::Postgres).await;
}

async fn every_second_is_decided_once(on: On) {
    let home = Home::new(on).await;
    let fleet = Fleet::of(1);
    let api = Api::new(std::sync::Arc::clone(&fleet), home.key());
    let mut server = home.serve("clock");
    fleet.set(0, Some(server.url.clone()));
    for catch_up in ["all", "skip"] {
        let config = json!({"every": "1s", "catch_up": catch_up, "catch_up_most": 1000});
        let definition = json!({"nodes": {"clock": {"type": "trigger.schedule@1", "config": config}}});
        api.publish(&format!("secondly-{catch_up}"), &definition).await;
    }
    let began = Instant::now();
    for kill in 1..=2 {
        tokio::time::sleep((FOR / 3 * kill).saturating_sub(began.elapsed())).await;
        server.kill();
        fleet.set(0, None);
        tokio::time::sleep(AWAY).await;
        server = home.serve("clock");
        fleet.set(0, Some(server.url.clone()));
    }
    tokio::time::sleep(FOR.saturating_sub(began.elapsed())).await;
    let all = undeployed(&api, "secondly-all").await;
    let skip = undeployed(&api, "secondly-skip").await;
    assert!(all.values().all(Option::is_none), "{all:#?}");
    let missed = skip.values().filter(|reason| reason.as_deref() == Some("MISSED")).count();
    let fired = skip.values().filter(|reason| reason.is_none()).count();
    assert_eq!(missed + fired, skip.len(), "{skip:#?}");
    // Of three seconds without a server at most one is still on time when the next one looks.
    assert!(missed >= 2, "{skip:#?}");
    assert!(fired as u64 >= FOR.as_secs() / 2, "{skip:#?}");
}

/// Undeploys a workflow. What became of each second before: none missing, none twice, each with a run of its own or the
/// reason why there is none.
async fn undeployed(api: &Api, name: &str) -> BTreeMap<i64, Option<String>> {
    let query = "query($name: String!) { workflow(name: $name) { id } }";
    let workflow = api.ask(query, json!({"name": name})).await["workflow"]["id"].clone();
    let undeploy = "mutation($i: UndeployWorkflowInput!) { undeployWorkflow(input: $i) { userErrors { code } } }";
    api.ask(undeploy, json!({"i": {"workflowId": workflow}})).await;
    let events = events(api, &workflow).await;
    let mut seconds = BTreeMap::new();
    let mut runs = std::collections::BTreeSet::new();
    for event in &events {
        let at = chrono::DateTime::parse_from_rfc3339(event["scheduledAt"].as_str().unwrap()).unwrap().timestamp();
        let reason = event["reason"].as_str().map(str::to_owned);
        assert_eq!(reason.is_none(), event["run"].is_object(), "{event}");
        if let Some(run) = event["run"]["id"].as_str() {
            assert!(runs.insert(run.to_owned()), "{event}");
        }
        assert_eq!(seconds.insert(at, reason), None, "{event}");
    }
    let (first, last) = (*seconds.keys().next().unwrap(), *seconds.keys().next_back().unwrap());
    assert_eq!(seconds.len() as i64, last - first + 1, "{seconds:?}");
    assert!(seconds.len() as u64 >= FOR.as_secs() - 2, "{seconds:?}");
    seconds
}

async fn events(api: &Api, workflow: &Value) -> Vec<Value> {
    let query = "query($f: TriggerEventFilter, $after: String) { triggerEvents(filter: $f, first: 100, after: $after) {
        nodes { scheduledAt reason run { id } } pageInfo { hasNextPage endCursor } } }";
    let filter = json!({"workflowId": workflow, "kind": "SCHEDULE"});
    let mut events = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = api.ask(query, json!({"f": filter, "after": after})).await["triggerEvents"].clone();
        events.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return events;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

//! What a run costs in commits.

use std::time::{Duration, Instant};

use engine::run::event::Event;
use engine::run::status::RunStatus;
use runtime::testing::TestDatabase;
use sea_orm::{ConnectionTrait, DatabaseBackend, Statement};
use serde_json::{Value, json};

use crate::home::{Home, end, until};

/// Calls of the flush statement on this database, as PostgreSQL counts them.
async fn flushes(home: &Home) -> i64 {
    let db = home.test.database.write();
    let query = "SELECT coalesce(sum(calls), 0)::bigint AS calls FROM pg_stat_statements \
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query LIKE '/* flush */%'";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, query)).await.unwrap().unwrap();
    row.try_get::<i64>("", "calls").unwrap()
}

async fn home() -> Home {
    let home = Home::new(TestDatabase::postgres().await).await;
    home.test.database.write().execute_unprepared("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    home
}

/// 40 nodes in a row: set, if and merge in turn, with `calls` http requests among them.
fn chain(calls: usize, url: &str) -> Value {
    let mut nodes = serde_json::Map::new();
    let mut edges = Vec::new();
    nodes.insert("start".into(), json!({"type": "trigger.manual@1"}));
    let mut before = "start".to_owned();
    for number in 0..40 {
        let key = format!("n{number:02}");
        let (node, leaves) = match number % 3 {
            _ if number % 8 == 4 && number / 8 < calls => {
                (json!({"type": "http.request@1", "config": {"url": url}}), key.clone())
            }
            0 => (json!({"type": "data.set@1", "config": {"fields": {"n": number}, "keep_input": false}}), key.clone()),
            1 => (json!({"type": "flow.if@1", "config": {"condition": true}}), format!("{key}.true")),
            _ => (json!({"type": "flow.merge@1", "config": {"mode": "first"}}), key.clone()),
        };
        nodes.insert(key.clone(), node);
        edges.push(json!({"from": before, "to": key}));
        before = leaves;
    }
    json!({"nodes": nodes, "edges": edges})
}

async fn flushes_of(calls: usize, url: &str) -> i64 {
    let home = home().await;
    let runtime = home.runtime().await;
    let run = home.start(&runtime, &chain(calls, url), json!({})).await;
    let (status, events) = end(&runtime, run).await;
    assert_eq!(status, RunStatus::Succeeded, "{:?}", events.last());
    runtime.stop().await;
    flushes(&home).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_pure_nodes_take_at_most_8_flushes_and_each_call_at_most_2_more() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(|| async { axum::Json(json!({"ok": true})) });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let pure = flushes_of(0, &url).await;
    assert!((1..=8).contains(&pure), "{pure} flushes");
    let mixed = flushes_of(3, &url).await;
    assert!(mixed <= pure.max(8) + 3 * 2, "{mixed} flushes with 3 calls, {pure} without");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_event_is_seen_long_before_a_wait_ends() {
    let home = home().await;
    let runtime = home.runtime().await;
    let document = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "set": {"type": "data.set@1", "config": {"value": 1}},
            "wait": {"type": "flow.wait@1", "config": {"for": "2s"}}
        },
        "edges": [{"from": "start", "to": "set"}, {"from": "set", "to": "wait"}]
    });
    let began = Instant::now();
    let run = home.start(&runtime, &document, json!({})).await;
    let seen = until(&runtime, run, |event| matches!(event, Event::AttemptWaits { .. })).await;
    // The wait itself is 2 s: what was seen before its end cannot have waited for it.
    assert!(began.elapsed() < Duration::from_secs(2), "seen after {:?}", began.elapsed());
    assert!(seen.iter().any(|recorded| matches!(recorded.event, Event::AttemptSucceeded { .. })));
    assert_eq!(end(&runtime, run).await.0, RunStatus::Succeeded);
    runtime.stop().await;
}

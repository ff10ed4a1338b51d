//! Every way in is behind the second wall of PostgreSQL, and named are the places that reach past it.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use runtime::Database;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, waiting};
use crate::layering::{sources, src};
use crate::socket::Follow;
use crate::sse::Events;
use crate::tenancy::other_workspace;

async fn carry_out(database: &Database, sql: &str) {
    database.write().execute_unprepared(sql).await.unwrap();
}

/// Takes a table from requests: without a policy that lets them, they see no row of it, even of their own workspace.
/// The engine goes on seeing all.
async fn take(home: &Home, table: &str) {
    let found =
        format!("SELECT polname::text FROM pg_policy WHERE polrelid = '{table}'::regclass AND polname <> 'engine'");
    let statement = Statement::from_string(DatabaseBackend::Postgres, found);
    for row in home.database.database.read().query_all_raw(statement).await.unwrap() {
        let policy: String = row.try_get_by_index(0).unwrap();
        carry_out(&home.database.database, &format!("DROP POLICY {policy} ON {table}")).await;
    }
}

async fn rest(app: &TestApp, path: &str) -> (u16, String) {
    let answer = app.http.get(app.url(path)).bearer_auth(&app.key).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in_sees_only_what_the_policies_let_it_see() {
    let home = Home::postgres().await;
    let app = TestApp::start(&home).await;
    app.publish("hold", &waiting()).await;
    let run = app.start_run("hold", json!({})).await;
    let project = app.ask("{ project { id } }", json!({})).await["project"]["id"].clone();
    let loaded = "{ runs(first: 1) { nodes { id workflow { name } } } }";
    assert_eq!(app.ask(loaded, json!({})).await["runs"]["nodes"][0]["workflow"]["name"], "hold");
    assert!(rest(&app, "/api/v1/audit").await.1.lines().count() > 1);

    take(&home, "audit").await;
    let (status, lines) = rest(&app, "/api/v1/audit").await;
    assert_eq!((status, lines.contains("\"seq\":1,")), (200, false), "a stream that another task reads: {lines}");

    take(&home, "workflow").await;
    let answer = app.ask_as(&app.key, loaded, json!({})).await;
    assert_eq!(answer["data"]["runs"]["nodes"][0]["workflow"], Value::Null, "a loader's task: {answer:#}");

    take(&home, "run").await;
    let answer = app.ask_as(&app.key, "query($id: ID!) { run(id: $id) { id } }", json!({"id": run})).await;
    assert_eq!(code(&answer), "NOT_FOUND");
    assert_eq!(rest(&app, &format!("/api/v1/runs/{run}")).await.0, 404);
    let mut socket = Follow::run(&run).open(&app, None).await;
    let said = socket.next().await.unwrap();
    assert_eq!(said["payload"][0]["extensions"]["code"], "NOT_FOUND", "over a socket: {said:#}");
    let follow = Follow::run(&run);
    let mut events = Events::open(&app, follow.query, follow.variables, None).await;
    let sent = events.next().await.unwrap();
    assert!(sent.data.contains("NOT_FOUND"), "server-sent events: {}", sent.data);

    take(&home, "project").await;
    let input = json!({"projectId": project, "title": "Other"});
    assert_eq!(app.refused("updateProject", input).await, "NOT_FOUND", "a mutation");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_goes_on_driving_runs_that_requests_do_not_see() {
    let home = Home::postgres().await;
    let app = TestApp::start(&home).await;
    app.publish("double", &doubling()).await;
    for table in ["journal", "node_run"] {
        take(&home, table).await;
    }
    let run = app.start_run("double", json!({"n": 4})).await;
    let query = "query($id: ID!) { run(id: $id) { status output { json } nodeRuns(first: 5) { nodes { id } } } }";
    let shown = loop {
        let shown = app.ask(query, json!({"id": run})).await["run"].clone();
        if shown["status"] != "RUNNING" && shown["status"] != "QUEUED" {
            break shown;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&shown["status"], &shown["output"]["json"]), (&json!("SUCCEEDED"), &json!({"n": 8})));
    assert_eq!(shown["nodeRuns"]["nodes"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_of_two_workspaces_never_mix() {
    let home = Home::postgres().await;
    let app = TestApp::start(&home).await;
    let (_, stranger) = other_workspace(&home).await;
    let query = "{ viewer { workspace { id slug } } project { id environments { id } }
        entries: audit(first: 50) { nodes { id } } }";
    let expected = [app.ask_as(&app.key, query, json!({})).await, app.ask_as(&stranger, query, json!({})).await];
    assert_ne!(expected[0]["data"]["project"]["id"], expected[1]["data"]["project"]["id"]);
    let asked = futures::stream::iter(0..1_000).map(|n| {
        let key = if n % 2 == 0 { &app.key } else { &stranger };
        let app = &app;
        async move {
            loop {
                let answer = app.ask_as(key, query, json!({})).await;
                // A machine that does other things may keep a request waiting for a connection for too long.
                if answer["errors"][0]["extensions"]["code"] != "UNAVAILABLE" {
                    break (n % 2, answer);
                }
            }
        }
    });
    let answers: Vec<_> = asked.buffer_unordered(32).collect().await;
    assert_eq!(answers.len(), 1_000);
    for (whose, answer) in answers {
        assert_eq!(answer["data"], expected[whose]["data"], "{:#}", answer["errors"]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_the_second_wall_works_and_one_whose_role_passes_policies_does_not_start() {
    let home = Home::postgres().await.with("DATABASE__ROW_SECURITY", "false");
    let app = TestApp::start(&home).await;
    take(&home, "project").await;
    assert_ne!(app.ask("{ project { id } }", json!({})).await["project"], Value::Null);
    app.stop().await;
    let home = home.with("DATABASE__ROW_SECURITY", "true");
    carry_out(&home.database.database, "DROP FUNCTION flowforge_viewer_role()").await;
    let refused = TestApp::start_or_refuse(&home.with("DATABASE__MIGRATE", "false")).await.err().unwrap();
    assert!(refused.to_string().contains("flowforge migrate up"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_credential_is_found_out_outside_of_the_wall_and_opens_nothing() {
    let home = Home::postgres().await;
    let app = TestApp::start(&home).await;
    let answer = app.ask_as("ff_live_0000000000000000000000000000000000000", "{ project { id } }", json!({})).await;
    assert_eq!(code(&answer), "UNAUTHENTICATED");
    app.stop().await;
}

/// What reaches past the wall, and starts tasks, which forget for whom they work. Each place has its reason beside it.
#[test]
fn the_places_that_reach_past_the_wall_are_known() {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    let naming = |words: &[&str]| -> BTreeSet<String> {
        let named = files.iter().filter(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            words.iter().any(|word| text.contains(word))
        });
        named.map(|file| file.strip_prefix(src()).unwrap().display().to_string()).collect()
    };
    let holes = [
        "rest/login.rs",
        "rest/process.rs",
        "rest/session.rs",
        "rest/webhook.rs",
        "server.rs",
        "service/caller.rs",
        "service/invitation.rs",
        "service/member.rs",
        "service/user_session.rs",
        "service/workspace.rs",
    ];
    assert_eq!(naming(&["of_system("]), holes.map(str::to_owned).into());
    let spawning = [
        "auth/oidc/discovery.rs",
        "auth/oidc/keys.rs",
        "graphql/loader.rs",
        "graphql/transport/sse.rs",
        "server.rs",
        "service/user_session.rs",
        "telemetry/export.rs",
    ];
    assert_eq!(naming(&["tasks.spawn(", "TaskTracker::new().spawn("]), spawning.map(str::to_owned).into());
}

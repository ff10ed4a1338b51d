//! What the process says of itself.

use api::ServeError;
use api::auth::Role;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling, on_both_databases};

on_both_databases! {
    async fn a_server_is_ready_has_figures_and_keeps_everything_over_a_restart(home: Home) {
        let app = TestApp::start(&home).await;
        assert_eq!(app.get("/health").await.json::<Value>().await.unwrap(), json!({"status": "ok"}));
        let ready = app.get("/ready").await;
        assert_eq!(ready.status(), 200, "{:?}", ready.text().await);
        app.publish("kept", &doubling()).await;
        let run = app.start_run("kept", json!({"n": 3})).await;
        app.finish(&run).await;
        let figures = app.get("/metrics").await;
        assert!(figures.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        let figures = figures.text().await.unwrap();
        for name in [
            "flowforge_http_requests_total",
            "flowforge_http_request_duration_seconds_bucket",
            "flowforge_runs_started_total",
        ] {
            assert!(figures.contains(name), "{name}");
        }
        let key = app.key.clone();
        app.stop().await;

        let app = TestApp::start(&home).await;
        let query = "query($id: ID!) { run(id: $id) { status output { json } workflow { name } } }";
        let answer = app.ask_as(&key, query, json!({"id": run})).await;
        let kept = json!({"status": "SUCCEEDED", "output": {"json": {"n": 6}}, "workflow": {"name": "kept"}});
        assert_eq!(answer["data"]["run"], kept);
        app.stop().await;
    }

    async fn a_key_is_made_while_the_server_runs(home: Home) {
        let app = TestApp::start(&home).await;
        let key = home.key(Role::Viewer).await;
        let answer = app.ask_as(&key, "{ viewer { role } }", json!({})).await;
        assert_eq!(answer["data"]["viewer"]["role"], "VIEWER");
        assert!(api::create_first_key(&home.config(), "again").await.unwrap().is_none());
        let nowhere = api::create_key(&home.config(), "nowhere", Role::Viewer, "x", &[]).await;
        assert!(matches!(nowhere, Err(ServeError::Service(error)) if error.code() == "NOT_FOUND"));
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_carries_the_id_of_its_request() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let own = app.http.get(app.url("/health")).header("x-request-id", "abc-1").send().await.unwrap();
    assert_eq!(own.headers()["x-request-id"], "abc-1");
    let made = app.http.get(app.url("/health")).header("x-request-id", "no good").send().await.unwrap();
    assert_eq!(made.headers()["x-request-id"].len(), 32);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_paths_and_methods_are_problem_json() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    for (answer, status, code) in [
        (app.get("/nothing").await, 404, "NOT_FOUND"),
        (app.get("/api/v1").await, 404, "NOT_FOUND"),
        (app.get("/api/v1/nothing").await, 404, "NOT_FOUND"),
        (app.http.post(app.url("/ready")).send().await.unwrap(), 405, "METHOD_NOT_ALLOWED"),
    ] {
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_has_one_server() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let second = api::serve_until(home.config(), |_| (), std::future::pending()).await;
    assert!(matches!(second, Err(ServeError::Database(_))), "{second:?}");
    app.stop().await;
}

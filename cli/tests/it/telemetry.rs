//! What a server tells about itself: its log lines, its figures, its traces.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::client::Api;
use crate::home::{Home, On, Server};

fn doubling() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "each": {
                "type": "data.set@1",
                "for_each": {"items": "{{ [1, 2, 3] }}"},
                "config": {"value": "{{ item * 2 }}"},
            },
            "stop": {"type": "flow.fail@1", "config": {"message": "no"}},
            "which": {"type": "flow.if@1", "config": {"condition": "{{ input.fails == true }}"}},
        },
        "edges": [{"from": "start", "to": "which"}, {"from": "which.true", "to": "stop"}, {"from": "which.false", "to": "each"}],
    })
}

fn hooked() -> Value {
    json!({
        "nodes": {"hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}}, "keep": {"type": "data.set@1", "config": {"value": 1}}},
        "edges": [{"from": "hook", "to": "keep"}],
    })
}

/// The lines of a server's log, each of which is one object.
fn lines(home: &Home, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(home.log(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

/// The only line that tells of this request, without what differs each time.
fn line_of(lines: &[Value], request: &str) -> BTreeMap<String, Value> {
    let mut found = lines.iter().filter(|line| line["request.id"] == request && line.get("http.status").is_some());
    let (Some(line), None) = (found.next(), found.next()) else { panic!("{request} has not one line: {lines:#?}") };
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0 && line["level"] == "INFO", "{line:#}");
    let mut line: BTreeMap<String, Value> = line.as_object().unwrap().clone().into_iter().collect();
    line.retain(|name, _| name.contains('.') || name == "actor");
    line.remove("request.id");
    line
}

/// The series of an answer of `/metrics`.
async fn figures(server: &Server) -> BTreeMap<String, f64> {
    let text = reqwest::get(format!("{}/metrics", server.url)).await.unwrap().text().await.unwrap();
    let series = text.lines().filter(|line| line.starts_with("flowforge_"));
    series
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// Starts a run and waits for its end.
async fn finished(api: &Api, input: Value) -> Value {
    let run = api.start("counted", &input.to_string(), input).await;
    ended(api, &run).await
}

async fn ended(api: &Api, run: &str) -> Value {
    loop {
        let run =
            api.ask("query($id: ID!) { run(id: $id) { id status mode } }", json!({"id": run})).await["run"].take();
        if matches!(run["status"].as_str(), Some("SUCCEEDED" | "FAILED")) {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn test_run(api: &Api) -> Value {
    let workflow = api.ask("{ workflow(name: \"counted\") { id } }", json!({})).await;
    let query = "mutation($input: TestRunInput!) { testRun(input: $input) { run { id } userErrors { code message } } }";
    let input = json!({"workflowId": workflow["workflow"]["id"], "definition": doubling(), "input": {"fails": false}});
    let run = api.change("testRun", query, input).await["run"]["id"].as_str().unwrap().to_owned();
    ended(api, &run).await
}

async fn every_request_and_every_run_has_one_line_and_is_counted(on: On) {
    let home = Home::new(on).await.with("LOG__FORMAT", "json");
    let mut server = home.serve("server");
    let key = home.key();
    let api = Api::at(&server.url, &key);
    api.publish("counted", &doubling()).await;
    api.publish("hooked", &hooked()).await;
    let runs = [finished(&api, json!({"fails": false})).await, finished(&api, json!({"fails": true})).await];
    assert_eq!((&runs[0]["status"], &runs[1]["status"]), (&json!("SUCCEEDED"), &json!("FAILED")));
    let tried = test_run(&api).await;
    assert_eq!((&tried["status"], &tried["mode"]), (&json!("SUCCEEDED"), &json!("TEST")), "{tried}");

    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", server.url);
    let viewer = api.ask("{ viewer { workspace { id } } }", json!({})).await;
    let workspace = viewer["viewer"]["workspace"]["id"].clone();
    let ask = |request: &'static str, query: &'static str| {
        let asked = http.post(url("/graphql")).header("x-request-id", request).bearer_auth(&key);
        async move { asked.json(&json!({"query": query})).send().await.unwrap() }
    };
    let named = ask("r-named", "query Who { viewer { name } }").await;
    assert_eq!(named.headers()["x-request-id"], "r-named");
    let named: Value = named.json().await.unwrap();
    assert_eq!(named["extensions"], json!({"cost": {"requestedQueryCost": 1, "maximumQueryCost": 1000}}));
    let wrong: Value = ask("r-wrong", "mutation { nothing }").await.json().await.unwrap();
    assert_eq!(wrong["errors"][0]["extensions"]["requestId"], "r-wrong", "{wrong}");
    let hook = http.post(url("/hooks/default/default/hooked/hook?token=geheim")).header("x-request-id", "r-hook");
    assert_eq!(hook.json(&json!({})).send().await.unwrap().status(), 202);
    let lost = http.get(url("/geheim/geheim?geheim=1")).header("x-request-id", "r-lost");
    assert_eq!(lost.send().await.unwrap().status(), 404);
    let stranger = http.get(url("/api/v1/runs/run_1")).header("x-request-id", "r-stranger").bearer_auth("geheim");
    assert_eq!(stranger.send().await.unwrap().status(), 401);
    let query = "subscription Tail($id: ID!) { runEvents(runId: $id) { seq } }";
    let stream = http.post(url("/graphql")).header("x-request-id", "r-stream").bearer_auth(&key);
    let stream = stream.header("accept", "text/event-stream");
    let stream = stream.json(&json!({"query": query, "variables": {"id": runs[0]["id"]}})).send().await.unwrap();
    assert!(stream.text().await.unwrap().ends_with("event: complete\ndata: \n\n"));

    let figures = figures(&server).await;
    let count = |name: &str| figures.get(name).copied().unwrap_or_else(|| panic!("no {name} in {figures:#?}"));
    for (name, wanted) in [
        ("runs_started_total{trigger=\"manual\"}", 2.0),
        ("runs_started_total{trigger=\"webhook\"}", 1.0),
        ("runs_finished_total{status=\"FAILED\"}", 1.0),
        ("runs_finished_total{status=\"CANCELED\"}", 0.0),
        ("node_runs_total{type=\"data.set@1\",status=\"SKIPPED\"}", 1.0),
        ("node_runs_total{type=\"flow.if@1\",status=\"SUCCEEDED\"}", 2.0),
        ("node_runs_total{type=\"flow.fail@1\",status=\"FAILED\"}", 1.0),
        ("node_runs_total{type=\"flow.fail@1\",status=\"SKIPPED\"}", 1.0),
        ("node_run_duration_seconds_count{type=\"flow.if@1\"}", 2.0),
        ("http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}", 1.0),
        ("runs{status=\"PAUSED\"}", 0.0),
        ("runs_adopted_total", 0.0),
        ("event_streams", 0.0),
        ("subscriptions{transport=\"sse\"}", 0.0),
    ] {
        assert_eq!(count(&format!("flowforge_{name}")), wanted, "{name} of {figures:#?}");
    }
    assert!(!figures.keys().any(|name| name.contains("geheim")));

    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(30)).await);
    let lines = lines(&home, "server");
    let fields = |value: Value| value.as_object().unwrap().clone().into_iter().collect::<BTreeMap<_, _>>();
    let actor = line_of(&lines, "r-named")["actor"].clone();
    assert!(actor.as_str().unwrap().starts_with("key_"), "{actor}");
    let graphql = |kind: &str, name: Option<&str>| {
        let mut line = fields(json!({"http.method": "POST", "http.route": "/graphql", "http.status": 200,
            "workspace.id": workspace, "actor": actor, "graphql.type": kind}));
        line.extend(name.map(|name| ("graphql.operation".to_owned(), json!(name))));
        line
    };
    assert_eq!(line_of(&lines, "r-named"), graphql("query", Some("Who")));
    assert_eq!(line_of(&lines, "r-wrong"), graphql("mutation", None));
    assert_eq!(line_of(&lines, "r-stream"), graphql("subscription", Some("Tail")));
    let hook = json!({"http.method": "POST", "http.route": "/hooks/{*address}",
        "http.status": 202, "workspace.id": workspace, "actor": "webhook"});
    assert_eq!(line_of(&lines, "r-hook"), fields(hook));
    let lost = json!({"http.method": "GET", "http.route": "unmatched", "http.status": 404});
    assert_eq!(line_of(&lines, "r-lost"), fields(lost));
    let stranger = json!({"http.method": "GET", "http.route": "/api/v1/runs/{id}", "http.status": 401});
    assert_eq!(line_of(&lines, "r-stranger"), fields(stranger));
    let ends: Vec<&Value> =
        lines.iter().filter(|line| line["request.id"] == "r-stream" && line.get("reason").is_some()).collect();
    assert_eq!(ends.iter().map(|end| &end["reason"]).collect::<Vec<_>>(), ["its operation is complete"]);

    for (run, mode, node_runs) in [(&runs[0], "LIVE", 4), (&runs[1], "LIVE", 2), (&tried, "TEST", 4)] {
        let mut found = lines.iter().filter(|line| line["run.id"] == run["id"] && line.get("run.status").is_some());
        let (Some(line), None) = (found.next(), found.next()) else { panic!("{run} has not one line") };
        assert_eq!((&line["run.status"], &line["run.mode"]), (&run["status"], &json!(mode)), "{line:#}");
        assert_eq!((&line["run.node_runs"], &line["run.attempts"]), (&json!(node_runs), &json!(node_runs)), "{line:#}");
        assert!(line["workflow.id"].as_str().unwrap().starts_with("wf_") && line["workspace.id"] == workspace);
        assert!(line["duration_ms"].as_f64().unwrap() >= 0.0);
    }
    let text = std::fs::read_to_string(home.log("server")).unwrap();
    assert!(!text.contains("geheim"), "a path, a token or a parameter stands in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_every_request_and_every_run_has_one_line_and_is_counted() {
    every_request_and_every_run_has_one_line_and_is_counted(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_every_request_and_every_run_has_one_line_and_is_counted() {
    every_request_and_every_run_has_one_line_and_is_counted(On::Postgres).await;
}

async fn files_that_come_and_go_are_counted(on: On) {
    let home = Home::new(on).await.with("ARTIFACT__MAX_FILE", "1");
    let home = home.with("SECRETS__MASTER_KEY", &runtime::secret::new_key().unwrap());
    let server = home.serve("server");
    let (key, http) = (home.key(), reqwest::Client::new());
    let api = Api::at(&server.url, &key);
    let upload = async |size: Value| {
        let query = "mutation($input: CreateArtifactUploadInput!) { createArtifactUpload(input: $input) {
            upload { url token } userErrors { message } } }";
        api.change("createArtifactUpload", query, json!({"name": "a", "size": size})).await["upload"].take()
    };
    let put = |upload: &Value, body: reqwest::Body| {
        http.put(format!("{}{}", server.url, upload["url"].as_str().unwrap())).body(body).send()
    };
    let whole = upload(json!(300_000)).await;
    assert_eq!(put(&whole, vec![7; 300_000].into()).await.unwrap().status(), 201);
    let complete = "mutation($input: CompleteArtifactUploadInput!) { completeArtifactUpload(input: $input) {
        artifact { contentPath } userErrors { message } } }";
    let file = api.change("completeArtifactUpload", complete, json!({"token": whole["token"]})).await;
    assert_eq!(put(&upload(json!(10)).await, "012345678".into()).await.unwrap().status(), 400);
    assert_eq!(put(&upload(Value::Null).await, vec![7; 1024 * 1024 + 1].into()).await.unwrap().status(), 413);
    // Somebody who goes away in the middle.
    let path = upload(Value::Null).await["url"].take();
    let host = server.url.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!("PUT {} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000\r\n\r\n", path.as_str().unwrap());
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&[7; 500]).await.unwrap();
    drop(socket);
    let content = format!("{}{}", server.url, file["artifact"]["contentPath"].as_str().unwrap());
    for range in ["bytes=0-", "bytes=10-19"] {
        let got = http.get(&content).bearer_auth(&key).header("range", range).send().await.unwrap();
        assert_eq!(got.status(), 206);
        got.bytes().await.unwrap();
    }
    // A large value lies in the store, too.
    let definition = json!({"nodes": {"start": {"type": "trigger.manual@1"}}, "edges": [], "output": "{{ 1 }}"});
    api.publish("counted", &definition).await;
    let value = json!({"text": "x".repeat(50_000)});
    let run = api.start("counted", "large", value.clone()).await;
    assert_eq!(ended(&api, &run).await["status"], "SUCCEEDED");

    // The server hears of whoever goes away in its own time.
    while figures(&server).await["flowforge_artifacts_received_total{result=\"broke_off\"}"] < 2.0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let figures = figures(&server).await;
    for (name, wanted) in [
        ("artifacts_received_total{result=\"kept\"}", 1.0),
        ("artifacts_received_total{result=\"broke_off\"}", 2.0),
        ("artifacts_received_total{result=\"too_large\"}", 1.0),
        ("artifacts_received_total{result=\"failed\"}", 0.0),
        ("artifact_read_bytes_total", 300_010.0),
        ("artifact_store_swept_total", 0.0),
        ("artifacts", 1.0),
        ("artifact_store_bytes", 300_000.0 + value.to_string().len() as f64),
    ] {
        assert_eq!(figures.get(&format!("flowforge_{name}")), Some(&wanted), "{name} of {figures:#?}");
    }
    let came = figures["flowforge_artifact_received_bytes_total"];
    assert!((300_009.0..=300_009.0 + 1_048_577.0 + 1_000.0).contains(&came), "{came}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_files_that_come_and_go_are_counted() {
    files_that_come_and_go_are_counted(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_files_that_come_and_go_are_counted() {
    files_that_come_and_go_are_counted(On::Postgres).await;
}

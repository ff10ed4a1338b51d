//! Run data whole: small values that lie in rows, large ones that lie in the artifact store, and what is hidden of them.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling, on_both_databases, waiting};
use crate::files::{in_a_bucket, sum};
use crate::socket::Socket;
use crate::tenancy::other_workspace;

const WHOLE: &str = "query($id: ID!) { run(id: $id) {
    input { byteSize sha256 download } output { byteSize sha256 download }
    nodeRuns(first: 100) { nodes { id node status output { byteSize sha256 download } } } } }";

async fn get(app: &TestApp, key: &str, path: &Value) -> Response {
    app.http.get(app.url(path.as_str().unwrap())).bearer_auth(key).send().await.unwrap()
}

/// A refusal's status, word and reason.
async fn refusal(answer: Response) -> (StatusCode, String, String) {
    let (status, body): (_, Value) = (answer.status(), answer.json().await.unwrap());
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (status, text("code"), text("detail"))
}

/// Gives on what it gets, and item by item.
fn echo() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "keep": {"type": "data.set@1", "config": {"value": "{{ trigger }}"}},
            "each": {"type": "data.set@1", "config": {"value": "{{ item }}"}, "for_each": {"items": "{{ [1, 'two'] }}"}},
        },
        "edges": [{"from": "start", "to": "keep"}, {"from": "keep", "to": "each"}],
        "output": "{{ nodes.keep.output }}",
    })
}

/// Numbers that a double cannot hold, texts of any letters, names out of order; `len` is about how many bytes.
fn data(len: usize) -> Value {
    let rows: Vec<Value> = (0..len / 60)
        .map(|n| json!({"z": 9_007_199_254_740_993_u64, "a": format!("gr\u{f6}\u{df}e {n:08}"), "n": n}))
        .collect();
    json!({"rows": rows, "half": 0.5})
}

async fn come_whole(home: Home) {
    let app = TestApp::start(&home).await;
    app.publish("echo", &echo()).await;
    // In a row, in the store as one piece, and as several.
    for len in [10, 40_000, 3_000_000] {
        let input = data(len);
        let written = serde_json::to_string(&input).unwrap();
        let id = app.start_run("echo", input).await;
        let ended = Socket::follow_to_end(&app, &id, None).await;
        assert!(!ended.is_empty());
        let run = app.ask(WHOLE, json!({"id": id})).await["run"].clone();
        let nodes = run["nodeRuns"]["nodes"].as_array().unwrap();
        let of = |node: &str| &nodes.iter().find(|one| one["node"] == node).unwrap()["output"];
        let keep = nodes.iter().find(|one| one["node"] == "keep").unwrap()["id"].as_str().unwrap();
        for (value, path, name) in [
            (&run["input"], format!("/api/v1/runs/{id}/input"), format!("{id}.input.json")),
            (&run["output"], format!("/api/v1/runs/{id}/output"), format!("{id}.output.json")),
            (of("keep"), format!("/api/v1/node-runs/{keep}/output"), format!("{keep}.output.json")),
        ] {
            assert_eq!((&value["download"], &value["byteSize"]), (&json!(path), &json!(written.len())));
            let answer = get(&app, &app.key, &value["download"]).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("content-disposition"), format!("attachment; filename*=UTF-8''{name}"));
            assert_eq!(
                (header("content-type"), header("content-length")),
                ("application/json".to_owned(), written.len().to_string())
            );
            assert_eq!(header("etag"), format!("\"{}\"", value["sha256"].as_str().unwrap()));
            assert_eq!(
                (header("x-content-type-options"), header("cache-control")),
                ("nosniff".to_owned(), "private, no-store".to_owned())
            );
            assert!(header("content-security-policy").contains("sandbox"));
            let got = answer.text().await.unwrap();
            assert!(got == written, "{path}: {:.200}", got);
        }
        let items: Vec<&Value> = nodes.iter().filter(|one| one["node"] == "each").collect();
        assert_eq!(items.len(), 3, "{items:#?}");
        let mut got = Vec::new();
        for item in items {
            got.push(get(&app, &app.key, &item["output"]["download"]).await.text().await.unwrap());
        }
        got.sort();
        assert_eq!(got, ["\"two\"", "1", "[1,\"two\"]"]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_any_size_come_whole_from_a_bucket() {
    come_whole(in_a_bucket(Home::sqlite().await)).await;
}

on_both_databases! {
    async fn values_of_any_size_come_whole(home: Home) {
        come_whole(home).await;
    }

    async fn what_is_hidden_is_hidden_in_the_whole_too(home: Home) {
        let app = TestApp::start(&home).await;
        let mut definition = echo();
        definition["input_schema"] = json!({"type": "object", "properties": {"card": {"type": "string", "x-sensitive": true}}});
        app.publish("pay", &definition).await;
        for len in [10, 40_000] {
            let mut input = data(len);
            input["card"] = json!("4111-2222-3333");
            let id = app.start_run("pay", input.clone()).await;
            Socket::follow_to_end(&app, &id, None).await;
            let run = app.ask(WHOLE, json!({"id": id})).await["run"].clone();
            input["card"] = json!("[redacted]");
            let seen = serde_json::to_string(&input).unwrap();
            let outputs = run["nodeRuns"]["nodes"].as_array().unwrap().iter();
            let outputs = outputs.filter(|one| one["node"] != "each").map(|one| &one["output"]);
            let values: Vec<&Value> = [&run["input"], &run["output"]].into_iter().chain(outputs).collect();
            assert_eq!(values.len(), 4);
            for value in values {
                let answer = get(&app, &app.key, &value["download"]).await;
                let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
                assert_eq!(header("etag"), format!("\"{}\"", sum(seen.as_bytes())), "of what is seen");
                assert_eq!(header("content-length"), seen.len().to_string());
                assert!(answer.text().await.unwrap() == seen, "{value}");
            }
        }
        app.stop().await;
    }

    async fn what_is_not_there_is_told_apart_from_what_nobody_may_know_of(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({"n": 1})).await;
        let hold = format!("nrun_{}.hold", id.trim_start_matches("run_"));
        let node = "query($id: ID!) { node(id: $id) { ... on NodeRun { status output { download } } } }";
        while app.ask_as(&app.key, node, json!({"id": hold})).await["data"]["node"]["status"] != "WAITING" {
            tokio::task::yield_now().await;
        }
        let output = json!(format!("/api/v1/runs/{id}/output"));
        let node_output = json!(format!("/api/v1/node-runs/{hold}/output"));
        for (path, who) in [(&output, &id), (&node_output, &hold)] {
            let (status, code, detail) = refusal(get(&app, &app.key, path).await).await;
            assert_eq!((status, code.as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
            assert_eq!(detail, format!("{who} has no output: it is WAITING"));
        }
        let (_, stranger) = other_workspace(&home).await;
        let input = json!(format!("/api/v1/runs/{id}/input"));
        assert_eq!(get(&app, &app.key, &input).await.text().await.unwrap(), "{\"n\":1}");
        for (path, what) in [(&input, "run"), (&output, "run"), (&node_output, "node run")] {
            let (status, _, detail) = refusal(get(&app, &stranger, path).await).await;
            assert_eq!((status, detail), (StatusCode::NOT_FOUND, format!("there is no {what} of that id or name")));
            let nobody = app.get(path.as_str().unwrap()).await;
            assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED, "{path}");
        }
        for wrong in ["/api/v1/runs/run_1/input", "/api/v1/runs/../x/output", "/api/v1/node-runs/nrun_0.a/output"] {
            assert_eq!(get(&app, &app.key, &json!(wrong)).await.status(), StatusCode::NOT_FOUND, "{wrong}");
        }
        app.stop().await;
    }

    async fn what_came_and_started_no_run_is_not_downloaded(home: Home) {
        let app = TestApp::start(&home).await;
        let mut definition = doubling();
        definition["input_schema"] = json!({"type": "object", "required": ["n"]});
        app.publish("strict", &definition).await;
        let refused = app.try_start(json!({"workflow": "strict", "input": {"m": 1}})).await;
        assert_eq!(refused["run"], Value::Null, "{refused:#}");
        let events = "{ triggerEvents { nodes { payload { kind download } } } }";
        let event = app.ask(events, json!({})).await["triggerEvents"]["nodes"][0].clone();
        assert_eq!((&event["payload"]["kind"], &event["payload"]["download"]), (&json!("OBJECT"), &Value::Null), "{event:#}");
        app.stop().await;
    }
}

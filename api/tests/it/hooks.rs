//! Requests from outside that start runs.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling, on_both_databases};

/// A webhook and a `data.set` of what came.
fn plain() -> Value {
    json!({
        "nodes": {
            "hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}},
            "keep": {"type": "data.set@1", "config": {"value": "{{ input }}"}},
        },
        "edges": [{"from": "hook", "to": "keep"}],
    })
}

/// A webhook that is answered by the run.
fn answering() -> Value {
    json!({
        "nodes": {
            "hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}},
            "sum": {"type": "data.set@1", "config": {"value": "{{ input.body.a + input.body.b }}"}},
            "answer": {
                "type": "http.respond@1",
                "config": {"status": 201, "headers": {"X-Sum": "{{ input }}"}, "body": {"sum": "{{ input }}"}},
            },
        },
        "edges": [{"from": "hook", "to": "sum"}, {"from": "sum", "to": "answer"}],
    })
}

/// A webhook whose run fails before it could answer.
fn failing() -> Value {
    json!({
        "nodes": {
            "hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}},
            "stop": {"type": "flow.fail@1", "config": {"message": "no"}},
            "later": {"type": "flow.wait@1", "config": {"for": "1h"}},
            "answer": {"type": "http.respond@1"},
        },
        "edges": [{"from": "hook", "to": "stop"}, {"from": "hook", "to": "later"}, {"from": "later", "to": "answer"}],
    })
}

on_both_databases! {
    async fn a_request_is_answered_202_once_its_run_is_committed(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("inbox", &plain()).await;
        let url = app.url("/hooks/default/default/inbox/hook?a=1&b=x%20y");
        let answer = app
            .http
            .post(url)
            .json(&json!({"n": 5}))
            .header("authorization", "Bearer their-own-secret")
            .header("cookie", "session=secret")
            .header("X-Topic", "orders")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        let run = body["runId"].as_str().unwrap();
        assert_eq!(location, format!("/api/v1/runs/{run}"));
        let seen = app.http.get(app.url(&location)).bearer_auth(&app.key).send().await.unwrap();
        assert_eq!(seen.status(), 200);
        assert_eq!(seen.json::<Value>().await.unwrap()["trigger"], "hook");

        let output = app.finish(run).await["output"]["json"].clone();
        assert_eq!(output["method"], "POST");
        assert_eq!(output["path"], "/hooks/default/default/inbox/hook");
        assert_eq!(output["query"], json!({"a": "1", "b": "x y"}));
        assert_eq!(output["body"], json!({"n": 5}));
        assert_eq!(output["headers"]["x-topic"], "orders");
        assert_eq!(output["headers"].get("authorization"), None);
        assert_eq!(output["headers"].get("cookie"), None);
        app.stop().await;
    }

    async fn a_delivery_that_comes_twice_is_one_run(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("inbox", &plain()).await;
        let deliver = async |trace: &str, body: Value| {
            let request = app.http.put(app.url("/hooks/default/default/inbox/hook")).header("idempotency-key", "d-1");
            request.header("traceparent", trace).json(&body).send().await.unwrap()
        };
        let first = deliver("a", json!(1)).await;
        let again = deliver("b", json!(1)).await;
        assert_eq!((first.status().as_u16(), again.status().as_u16()), (202, 202));
        assert_eq!(first.headers()["idempotent-replayed"], "false");
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        let (first, again): (Value, Value) = (first.json().await.unwrap(), again.json().await.unwrap());
        assert_eq!(first["runId"], again["runId"]);
        let same = deliver("a", json!(1)).await;
        assert_eq!(same.json::<Value>().await.unwrap()["runId"], first["runId"]);
        let other = deliver("a", json!(2)).await;
        assert_eq!(other.status(), 422);
        assert_eq!(other.json::<Value>().await.unwrap()["code"], "IDEMPOTENCY_MISMATCH");
        app.stop().await;
    }

    async fn a_run_with_http_respond_answers_the_request(home: Home) {
        let app = TestApp::start(&home).await;
        assert_eq!(app.publish("sum", &answering()).await["problems"], json!([]));
        for n in 0..3 {
            let request = app.http.post(app.url("/hooks/default/default/sum/hook")).json(&json!({"a": n, "b": 2}));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 201);
            assert_eq!(answer.headers()["x-sum"], (n + 2).to_string().as_str());
            assert!(answer.headers()["x-flowforge-run-id"].to_str().unwrap().starts_with("run_"));
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.headers()["idempotent-replayed"], "false");
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"sum": n + 2}));
        }
        for replayed in ["false", "true"] {
            let request = app.http.post(app.url("/hooks/default/default/sum/hook")).header("idempotency-key", "once");
            let answer = request.json(&json!({"a": 5, "b": 2})).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["idempotent-replayed"]), (201, &replayed.parse().unwrap()));
            assert_eq!(answer.json::<Value>().await.unwrap(), json!({"sum": 7}));
        }
        app.stop().await;
    }

    async fn a_run_that_fails_instead_of_answering_is_a_500_that_names_it(home: Home) {
        let app = TestApp::start(&home).await;
        assert_eq!(app.publish("fails", &failing()).await["problems"], json!([]));
        let answer = app.http.post(app.url("/hooks/default/default/fails/hook")).json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 500);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], "RUN_FAILED");
        assert_eq!(app.finish(body["runId"].as_str().unwrap()).await["status"], "FAILED");
        app.stop().await;
    }

    async fn what_is_no_hook_is_404_as_problem_json(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("inbox", &plain()).await;
        app.publish("manual", &doubling()).await;
        for path in [
            "/hooks/default/default/inbox/nothing",
            "/hooks/default/default/inbox/keep",
            "/hooks/default/default/manual/start",
            "/hooks/default/default/none/hook",
            "/hooks/default/none/inbox/hook",
            "/hooks/none/default/inbox/hook",
            "/hooks/default/default/inbox",
            "/hooks",
        ] {
            let answer = app.http.post(app.url(path)).json(&json!({})).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            assert_eq!(answer.json::<Value>().await.unwrap()["code"], "NOT_FOUND");
        }
        app.stop().await;
    }

    async fn any_method_is_taken_and_a_body_of_more_than_16_mib_is_not(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("inbox", &plain()).await;
        let url = app.url("/hooks/default/default/inbox/hook");
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            let answer = app.http.request(method.clone(), &url).send().await.unwrap();
            assert_eq!(answer.status(), 202, "{method}");
        }
        let large = app.http.post(&url).header("content-type", "text/plain").body("x".repeat(17 * 1024 * 1024));
        let answer = large.send().await.unwrap();
        assert_eq!(answer.status(), 413);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], "PAYLOAD_TOO_LARGE");
        let large = app.http.post(&url).header("content-type", "text/plain").body("x".repeat(2 * 1024 * 1024));
        assert_eq!(large.send().await.unwrap().status(), 202);
        let broken = app.http.post(&url).header("content-type", "application/json").body("{");
        assert_eq!(broken.send().await.unwrap().status(), 400);
        app.stop().await;
    }
}

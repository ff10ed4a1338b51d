//! Starting, reading, and what people say to a run.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};
use crate::socket::{Socket, type_of};

/// Follows a run until it waits for its signal.
async fn until_it_waits(app: &TestApp, run: &str) -> Socket {
    let mut socket = Socket::run_events(app, run, None).await;
    loop {
        let envelope = socket.envelope().await.unwrap().unwrap();
        if envelope["payload"]["kind"] == "ATTEMPT_WAITS" {
            return socket;
        }
    }
}

async fn to_the_end(socket: &mut Socket) {
    while socket.envelope().await.unwrap().is_some() {}
}

on_both_databases! {
    async fn the_idempotency_key_may_come_in_a_header(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let start = async |query: &str, key: &str| -> Value {
            let request = app.post(&app.key, &json!({"query": query})).header("idempotency-key", key);
            request.send().await.unwrap().json::<Value>().await.unwrap()["data"].clone()
        };
        let one = "mutation { startRun(input: {workflow: \"double\", input: {n: 1}}) { run { id } replayed userErrors { code } } }";
        let first = start(one, "a").await;
        assert_eq!((&first["startRun"]["replayed"], &first["startRun"]["userErrors"]), (&json!(false), &json!([])));
        let again = start(one, "a").await;
        assert_eq!(again["startRun"]["run"], first["startRun"]["run"]);
        assert_eq!(again["startRun"]["replayed"], true);
        assert_ne!(start(one, "b").await["startRun"]["run"], first["startRun"]["run"]);
        let other = start(&one.replace("n: 1", "n: 2"), "a").await;
        assert_eq!(other["startRun"]["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
        let own = start(&one.replace("input: {n: 1}", "input: {n: 1}, idempotencyKey: \"own\""), "a").await;
        assert_eq!(own["startRun"]["replayed"], false);
        let both = "mutation { x: startRun(input: {workflow: \"double\", input: {n: 1}}) { run { id } }
            y: startRun(input: {workflow: \"double\", input: {n: 1}}) { run { id } } }";
        let two = start(both, "c").await;
        assert_ne!(two["x"], two["y"]);
        assert_eq!(start(both, "c").await, two);
        app.stop().await;
    }

    async fn a_run_is_started_and_its_values_are_read(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let id = app.start_run("double", json!({"n": 21})).await;
        let run = app.finish(&id).await;
        assert_eq!(run["status"], "SUCCEEDED");
        assert_eq!(run["output"]["json"], json!({"n": 42}));
        let nodes = run["nodeRuns"]["nodes"].as_array().unwrap();
        let double = nodes.iter().find(|node| node["node"] == "double").unwrap();
        assert_eq!(double["status"], "SUCCEEDED");
        assert_eq!(double["effect"], "PURE");
        assert_eq!(double["type"], "data.set@1");
        assert_eq!(double["output"], json!({"json": {"n": 42}, "kind": "OBJECT"}));

        let query = "query($id: ID!) { run(id: $id) { status mode environment trigger createdBy startedAt finishedAt
            workflow { name } version { number }
            input { kind byteSize sha256 preview(maxBytes: 4) truncated(maxBytes: 4) json } } }";
        let run = app.ask(query, json!({"id": id})).await["run"].clone();
        assert_eq!(run["mode"], "LIVE");
        assert_eq!(run["workflow"]["name"], "double");
        assert_eq!(run["version"]["number"], 1);
        assert_eq!(run["trigger"], "start");
        assert_eq!(run["input"]["json"], json!({"n": 21}));
        assert_eq!((&run["input"]["byteSize"], &run["input"]["preview"]), (&json!(8), &json!("{\"n\"")));
        assert_eq!(run["input"]["truncated"], true);
        assert_eq!(run["input"]["sha256"].as_str().unwrap().len(), 64);

        let node_run = double["id"].clone();
        let query = "query($id: ID!) { node(id: $id) { id ... on NodeRun { node run { id } } } }";
        let node = app.ask(query, json!({"id": node_run})).await;
        assert_eq!(node["node"], json!({"id": node_run, "node": "double", "run": {"id": id}}));
        app.stop().await;
    }

    async fn a_value_over_64_kib_is_previewed_but_not_answered_as_json(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("echo", &json!({"nodes": {"start": {"type": "trigger.manual@1"}}, "edges": []})).await;
        let id = app.start_run("echo", json!({"text": "x".repeat(100_000)})).await;
        app.finish_quietly(&id).await;
        let query = "query($id: ID!) { run(id: $id) { input { byteSize preview(maxBytes: 12) json } } }";
        let answer = app.ask_as(&app.key, query, json!({"id": id})).await;
        assert_eq!(code(&answer), "VALUE_TOO_LARGE");
        let input = &answer["data"]["run"]["input"];
        assert_eq!((&input["json"], &input["preview"]), (&json!(null), &json!("{\"text\":\"xxx")));
        app.stop().await;
    }

    async fn the_same_idempotency_key_is_the_same_run_and_another_input_is_refused(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let start = |n: i32| json!({"workflow": "double", "input": {"n": n}, "idempotencyKey": "order-1"});
        let first = app.try_start(start(1)).await;
        let again = app.try_start(start(1)).await;
        assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(first["run"]["id"], again["run"]["id"]);
        let other = app.try_start(start(2)).await;
        assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
        assert_eq!(other["run"], json!(null));
        app.stop().await;
    }

    async fn many_runs_start_in_one_request_and_one_that_cannot_stops_no_other(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let query = "mutation($input: StartRunsInput!) { startRuns(input: $input) {
            results { run { id input { json } } replayed userErrors { code field } } userErrors { code field } } }";
        let start = async |runs: Value| {
            let input = json!({"workflow": "double", "runs": runs});
            app.ask(query, json!({"input": input})).await["startRuns"].clone()
        };
        let one = |n: i32, key: &str| json!({"input": {"n": n}, "idempotencyKey": key});
        let too_long = "x".repeat(256);
        let answer = start(json!([one(0, "a"), one(1, "b"), one(2, "a"), one(0, "a"), one(3, &too_long)])).await;
        assert_eq!(answer["userErrors"], json!([]));
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results[1]["run"]["input"]["json"], json!({"n": 1}));
        let errors: Vec<&Value> = results.iter().map(|result| &result["userErrors"]).collect();
        let mismatch = json!([{"code": "IDEMPOTENCY_MISMATCH", "field": ["input", "runs", "2", "idempotencyKey"]}]);
        let invalid = json!([{"code": "BAD_USER_INPUT", "field": ["input", "runs", "4", "idempotencyKey"]}]);
        assert_eq!(errors, [&json!([]), &json!([]), &mismatch, &json!([]), &invalid]);
        assert_eq!((&results[0]["run"]["id"], &results[3]["replayed"]), (&results[3]["run"]["id"], &json!(true)));

        let hundred: Vec<Value> = (0..250).map(|n| one(n, &format!("many-{n}"))).collect();
        let (first, again) = (start(json!(hundred)).await, start(json!(hundred)).await);
        for (n, (one, same)) in first["results"].as_array().unwrap().iter().zip(again["results"].as_array().unwrap()).enumerate() {
            assert_eq!((&one["run"], one["replayed"].as_bool(), same["replayed"].as_bool()), (&same["run"], Some(false), Some(true)));
            assert_eq!(one["run"]["input"]["json"]["n"], json!(n));
        }
        let too_many: Vec<Value> = (0..251).map(|n| json!({"input": n})).collect();
        let refused = start(json!(too_many)).await;
        assert_eq!(refused, json!({"results": [], "userErrors": [{"code": "BAD_USER_INPUT", "field": ["input", "runs"]}]}));
        app.stop().await;
    }

    async fn runs_are_found_by_status_workflow_key_and_label(home: Home) {
        let app = TestApp::start(&home).await;
        let workflow = app.publish("double", &doubling()).await["workflow"]["id"].clone();
        app.publish("hold", &waiting()).await;
        for n in 0..3 {
            let labels = json!({"shop": if n == 1 { "b'\"1" } else { "a" }});
            let start = json!({"workflow": "double", "input": {"n": n}, "key": format!("k{n}"), "labels": labels});
            let id = app.try_start(start).await["run"]["id"].as_str().unwrap().to_owned();
            app.finish_quietly(&id).await;
        }
        let held = app.start_run("hold", json!({})).await;
        until_it_waits(&app, &held).await;
        let query = "query($filter: RunFilter) { runs(filter: $filter, first: 10) { nodes { key } } }";
        let keys = async |filter: Value| -> Vec<Value> {
            let data = app.ask(query, json!({"filter": filter})).await;
            data["runs"]["nodes"].as_array().unwrap().iter().map(|run| run["key"].clone()).collect()
        };
        assert_eq!(keys(json!({})).await, [json!(null), json!("k2"), json!("k1"), json!("k0")]);
        assert_eq!(keys(json!({"status": ["SUCCEEDED"]})).await.len(), 3);
        assert_eq!(keys(json!({"status": ["FAILED", "CANCELED"]})).await, Vec::<Value>::new());
        assert_eq!(keys(json!({"workflowId": workflow})).await.len(), 3);
        assert_eq!(keys(json!({"key": "k1"})).await, [json!("k1")]);
        assert_eq!(keys(json!({"label": {"name": "shop", "value": "b'\"1"}})).await, [json!("k1")]);
        assert_eq!(keys(json!({"label": {"name": "shop", "value": "a"}, "key": "k0"})).await, [json!("k0")]);

        let page = app.ask("{ runs(first: 3) { nodes { key } pageInfo { hasNextPage endCursor } } }", json!({})).await;
        assert_eq!(page["runs"]["pageInfo"]["hasNextPage"], true);
        let after = page["runs"]["pageInfo"]["endCursor"].clone();
        let query = "query($after: String) { runs(first: 3, after: $after) { nodes { key } } }";
        let rest = app.ask(query, json!({"after": after})).await;
        assert_eq!(rest["runs"]["nodes"], json!([{"key": "k0"}]));
        app.stop().await;
    }

    async fn a_waiting_run_goes_on_with_its_signal(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({})).await;
        let mut socket = until_it_waits(&app, &id).await;
        let query = "query($id: ID!) { run(id: $id) { nodeRuns(status: [WAITING]) {
            nodes { node waitingFor { signal key until } } } } }";
        let held = app.ask(query, json!({"id": id})).await["run"]["nodeRuns"]["nodes"][0].clone();
        assert_eq!((&held["node"], &held["waitingFor"]["signal"]), (&json!("hold"), &json!("go")));
        assert!(held["waitingFor"]["until"].is_string());

        let signal = "mutation($input: SignalRunInput!) { signalRun(input: $input) {
            run { id } userErrors { code } } }";
        let input = json!({"runId": id, "name": "go", "payload": {"by": "test"}});
        let payload = app.ask(signal, json!({"input": input})).await["signalRun"].clone();
        assert_eq!(payload, json!({"run": {"id": id}, "userErrors": []}));
        to_the_end(&mut socket).await;
        let run = app.finish(&id).await;
        assert_eq!((&run["status"], &run["output"]["json"]), (&json!("SUCCEEDED"), &json!({"got": {"by": "test"}})));

        let late = app.ask(signal, json!({"input": input})).await["signalRun"].clone();
        assert_eq!(late["userErrors"][0]["code"], "CONFLICT");
        app.stop().await;
    }

    async fn a_disabled_node_hands_its_input_on_by_its_first_output(home: Home) {
        let app = TestApp::start(&home).await;
        let disabled = |r#type: &str, config: Value| json!({"type": r#type, "config": config, "disabled": true});
        app.publish("left-out", &json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "asks": disabled("http.request@1", json!({"url": "{{ nodes.gone.output }}"})),
                "chooses": disabled("flow.if@1", json!({"condition": "{{ false }}"})),
                "fails": disabled("flow.fail@1", json!({"code": "NO", "message": "no"})),
                "stays": {"type": "data.set@1", "config": {"value": "{{ input.n + 1 }}"}},
                "never": {"type": "data.set@1", "config": {"value": 1}}
            },
            "edges": [
                {"from": "start", "to": "asks"}, {"from": "asks", "to": "chooses"},
                {"from": "chooses.true", "to": "stays"}, {"from": "chooses.false", "to": "never"},
                {"from": "stays", "to": "fails"}
            ],
            "output": {"asks": "{{ nodes.asks.output }}", "stays": "{{ nodes.stays.output }}", "never": "{{ nodes.never.output }}"}
        })).await;
        let run = app.start_run("left-out", json!({"n": 41})).await;
        let run = app.finish(&run).await;
        assert_eq!(run["output"]["json"], json!({"asks": {"n": 41}, "stays": 42, "never": null}), "{run:#}");
        app.stop().await;
    }

    async fn a_signal_with_an_idempotency_key_is_sent_once_also_when_it_has_ended_the_run(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({})).await;
        let mut socket = until_it_waits(&app, &id).await;
        let input = json!({"runId": id, "name": "go", "payload": {"n": 1}, "idempotencyKey": "from the shop, 1"});
        // Two who do not know of each other.
        let (one, other) = tokio::join!(
            app.changed("signalRun", input.clone(), "run { id }"),
            app.changed("signalRun", input.clone(), "run { id }"),
        );
        assert_eq!((&one["run"]["id"], &other["run"]["id"]), (&json!(id), &json!(id)));
        let mut received = 0;
        while let Some(envelope) = socket.envelope().await.unwrap() {
            received += usize::from(envelope["payload"]["kind"] == "SIGNAL_RECEIVED");
        }
        assert_eq!(received, 1);
        assert_eq!(app.finish(&id).await["status"], "SUCCEEDED");
        let again = app.changed("signalRun", input.clone(), "run { id status }").await;
        assert_eq!(again["run"], json!({"id": id, "status": "SUCCEEDED"}));

        let mut another = input;
        another["payload"] = json!({"n": 2});
        let refused = app.change("signalRun", another, "").await["userErrors"][0].clone();
        assert_eq!(refused["code"], "IDEMPOTENCY_MISMATCH");
        assert_eq!(refused["field"], json!(["input", "idempotencyKey"]));
        app.stop().await;
    }

    async fn a_canceled_run_ends_and_canceling_it_again_is_no_error(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let id = app.start_run("hold", json!({})).await;
        let mut socket = until_it_waits(&app, &id).await;
        let cancel = "mutation($input: CancelRunInput!) { cancelRun(input: $input) {
            run { status } userErrors { code } } }";
        let input = json!({"input": {"runId": id, "reason": "not needed"}});
        assert_eq!(app.ask(cancel, input.clone()).await["cancelRun"]["userErrors"], json!([]));
        to_the_end(&mut socket).await;
        assert_eq!(app.finish(&id).await["status"], "CANCELED");
        let again = app.ask(cancel, input).await["cancelRun"].clone();
        assert_eq!(again, json!({"run": {"status": "CANCELED"}, "userErrors": []}));
        app.stop().await;
    }

    async fn what_cannot_be_started_says_why(home: Home) {
        let app = TestApp::start(&home).await;
        let mut strict = doubling();
        strict["input_schema"] = json!({"type": "object", "required": ["n"]});
        app.publish("strict", &strict).await;
        let version = app.publish("strict", &strict).await["version"]["id"].clone();
        let refused = async |input: Value| -> (Value, Value) {
            let error = app.try_start(input).await["userErrors"][0].clone();
            (error["code"].clone(), error["field"].clone())
        };
        let bad = |field: &str| (json!("BAD_USER_INPUT"), json!(["input", field]));
        assert_eq!(refused(json!({"workflow": "strict", "input": {}})).await, bad("input"));
        let no_trigger = json!({"workflow": "strict", "trigger": "double", "input": {"n": 1}});
        assert_eq!(refused(no_trigger).await, bad("trigger"));
        assert_eq!(refused(json!({"workflow": "strict", "versionId": version})).await, bad("workflow"));
        assert_eq!(refused(json!({})).await, bad("workflow"));
        assert_eq!(refused(json!({"workflow": "strict", "idempotencyKey": ""})).await, bad("idempotencyKey"));
        assert_eq!(refused(json!({"workflow": "strict", "key": "a\u{0}b"})).await, bad("key"));
        assert_eq!(refused(json!({"workflow": "strict", "labels": {"": "x"}})).await, bad("labels"));
        assert_eq!(refused(json!({"workflow": "none"})).await.0, "NOT_FOUND");
        let started = app.try_start(json!({"versionId": version, "trigger": "start", "input": {"n": 1}})).await;
        assert_eq!(started["userErrors"], json!([]));
        app.stop().await;
    }

    async fn a_for_each_shows_its_items_page_by_page(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "each": {
                    "type": "data.set@1",
                    "for_each": {"items": "{{ input.list }}", "concurrency": 5},
                    "config": {"value": "{{ item + 1 }}"},
                },
            },
            "edges": [{"from": "start", "to": "each"}],
        });
        assert_eq!(app.publish("each", &definition).await["problems"], json!([]));
        let list: Vec<i32> = (0..30).collect();
        let id = app.start_run("each", json!({"list": list})).await;
        let run = app.finish(&id).await;
        assert_eq!(run["output"]["json"], json!((1..=30).collect::<Vec<i32>>()), "{run:#}");
        let query = "query($id: ID!, $after: String) { run(id: $id) { nodeRuns(first: 7, after: $after) {
            nodes { id node scope items itemsSettled } pageInfo { hasNextPage endCursor } } } }";
        let (mut seen, mut after) = (Vec::new(), json!(null));
        loop {
            let page = app.ask(query, json!({"id": id, "after": after})).await["run"]["nodeRuns"].clone();
            seen.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
            let is_whole = |node: &&Value| node["node"] == "each" && node["scope"] == "";
            for whole in page["nodes"].as_array().unwrap().iter().filter(is_whole) {
                assert_eq!((&whole["items"], &whole["itemsSettled"]), (&json!(30), &json!(30)));
            }
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((count, seen.len()), (32, 32), "the trigger, the whole and 30 items, each once");
        app.stop().await;
    }
}

impl TestApp {
    /// Follows a run to its end without looking at it.
    async fn finish_quietly(&self, run: &str) {
        let envelopes = Socket::follow_to_end(self, run, None).await;
        assert!(envelopes.iter().any(|envelope| type_of(envelope) == "CaughtUp"));
    }
}

//! Runs that take over what earlier ones gave: tried again, or tests of a part.

use engine::time::Timestamp;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases, waiting};
use crate::socket::{Socket, type_of};

/// `start -> a -> b -> c -> d`, five nodes of which the third fails.
fn five() -> Value {
    let set = |value: &str| json!({"type": "data.set@1", "config": {"value": value}});
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "a": set("{{ input.n + 1 }}"),
            "b": set("{{ int(input + 'x') }}"),
            "c": set("{{ nodes.a.output * 100 }}"),
            "d": set("{{ input + run.input.n }}"),
        },
        "edges": [
            {"from": "start", "to": "a"}, {"from": "a", "to": "b"}, {"from": "b", "to": "c"}, {"from": "c", "to": "d"}
        ],
    })
}

/// The same with a third node that works.
fn mended() -> Value {
    let mut mended = five();
    mended["nodes"]["b"] = json!({"type": "data.set@1", "config": {"value": "{{ input }}"}});
    mended
}

const RETRY: &str = "mutation($input: RetryRunInput!) { retryRun(input: $input) { replayed
    run { id retriedFrom retryOf { id } version { number } key labels }
    userErrors { code field message details } } }";

async fn retry(app: &TestApp, input: Value) -> Value {
    app.ask(RETRY, json!({"input": input})).await["retryRun"].clone()
}

async fn started(app: &TestApp, payload: &Value) -> Value {
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    app.finish(payload["run"]["id"].as_str().unwrap()).await
}

/// Where each node run of a run came from, by node.
async fn origins(app: &TestApp, run: &Value) -> Vec<(String, Option<String>, bool, usize)> {
    let query =
        "query($id: ID!) { run(id: $id) { nodeRuns { nodes { node reusedFrom pinned attempts { number } } } } }";
    let data = app.ask(query, json!({"id": run})).await;
    let nodes = data["run"]["nodeRuns"]["nodes"].as_array().unwrap().clone();
    let origin = |node: &Value| {
        let from = node["reusedFrom"].as_str().map(str::to_owned);
        let attempts = node["attempts"].as_array().unwrap().len();
        (node["node"].as_str().unwrap().to_owned(), from, node["pinned"] == true, attempts)
    };
    nodes.iter().map(origin).collect()
}

const TEST: &str = "mutation($input: TestRunInput!) { testRun(input: $input) { replayed
    run { id mode version { number } } problems { code node } userErrors { code field message details } } }";

async fn try_test(app: &TestApp, input: Value) -> Value {
    app.ask(TEST, json!({"input": input})).await["testRun"].clone()
}

async fn plan(app: &TestApp, input: Value) -> Value {
    let query = "query($input: TestRunInput!) { testPlan(input: $input) { nodes { node fate effect } effectful
        earlierRunId problems { code } userErrors { code field message } } }";
    app.ask(query, json!({"input": input})).await["testPlan"].clone()
}

fn fates(plan: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    plan["nodes"].as_array().unwrap().iter().map(|node| (text(&node["node"]), text(&node["fate"]))).collect()
}

fn expected(fates: &[(&str, &str)]) -> Vec<(String, String)> {
    fates.iter().map(|(node, fate)| ((*node).to_owned(), (*fate).to_owned())).collect()
}

on_both_databases! {
    async fn a_run_is_tried_again_from_its_third_node_on_a_mended_version(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("chain", &five()).await;
        let start = json!({"workflow": "chain", "input": {"n": 1}, "key": "order-1", "labels": {"shop": "a"}});
        let failed = app.try_start(start).await["run"]["id"].clone();
        let before = app.finish(failed.as_str().unwrap()).await;
        assert_eq!(before["error"]["node"], "b");
        let version = app.publish("chain", &mended()).await["version"]["id"].clone();

        let input = json!({"runId": failed, "fromNode": "b", "versionId": version, "idempotencyKey": "again-1"});
        let payload = retry(&app, input.clone()).await;
        let run = &payload["run"];
        assert_eq!((&run["retryOf"]["id"], &run["retriedFrom"]), (&failed, &json!("b")));
        assert_eq!((&run["version"]["number"], &run["key"]), (&json!(2), &json!("order-1")));
        assert_eq!(run["labels"], json!({"shop": "a"}));
        let after = started(&app, &payload).await;
        assert_eq!((&after["status"], &after["output"]["json"]), (&json!("SUCCEEDED"), &json!(201)), "{after:#}");
        let from = failed.as_str().map(str::to_owned);
        let own = |node: &str| (node.to_owned(), None, false, 1);
        let over = |node: &str| (node.to_owned(), from.clone(), false, 0);
        assert_eq!(origins(&app, &run["id"]).await, [over("a"), own("b"), own("c"), own("d"), over("start")]);

        let again = retry(&app, input).await;
        assert_eq!((&again["replayed"], &again["run"]["id"]), (&json!(true), &run["id"]));
        let other = json!({"runId": failed, "fromNode": "a", "versionId": version, "idempotencyKey": "again-1"});
        assert_eq!(retry(&app, other).await["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");

        let events = Socket::follow_to_end(&app, run["id"].as_str().unwrap(), None).await;
        let kinds: Vec<&Value> =
            events.iter().filter(|event| type_of(event) == "RunEvent").map(|event| &event["payload"]["kind"]).collect();
        assert_eq!(kinds[..4], ["RUN_CREATED", "REUSED", "REUSED", "RUN_STARTED"]);
        app.stop().await;
    }

    async fn a_changed_or_failed_node_before_the_first_one_is_named(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("chain", &five()).await;
        let failed = app.start_run("chain", json!({"n": 1})).await;
        app.finish(&failed).await;
        let mut changed = mended();
        changed["nodes"]["a"]["config"]["value"] = json!("{{ input.n + 2 }}");
        let version = app.publish("chain", &changed).await["version"]["id"].clone();
        let refused = retry(&app, json!({"runId": failed, "fromNode": "b", "versionId": version})).await;
        let error = &refused["userErrors"][0];
        assert_eq!((&refused["run"], &error["code"]), (&json!(null), &json!("NOT_REUSABLE")));
        assert_eq!(error["details"], json!({"changed": ["a"], "unfinished": []}));
        assert_eq!(error["message"], "the run cannot begin at `b`: `a` changed since; begin at `a` or before it");

        let refused = retry(&app, json!({"runId": failed, "fromNode": "d"})).await;
        assert_eq!(refused["userErrors"][0]["details"], json!({"changed": [], "unfinished": ["b"]}));
        let refused = retry(&app, json!({"runId": failed, "fromNode": "nowhere"})).await;
        assert_eq!(refused["userErrors"][0]["code"], "BAD_USER_INPUT");
        let version = app.publish("other", &mended()).await["version"]["id"].clone();
        let refused = retry(&app, json!({"runId": failed, "versionId": version})).await;
        assert_eq!(refused["userErrors"][0]["field"], json!(["input", "versionId"]));

        let restarted = retry(&app, json!({"runId": failed, "input": {"n": 5}})).await;
        assert_eq!(started(&app, &restarted).await["status"], "FAILED");
        let given = retry(&app, json!({"runId": failed, "fromNode": "c", "input": 7})).await;
        assert_eq!(given["userErrors"][0]["code"], "NOT_REUSABLE", "an input for `c` does not make `b` succeed");
        app.publish("hold", &waiting()).await;
        let held = app.start_run("hold", json!({})).await;
        assert_eq!(retry(&app, json!({"runId": held})).await["userErrors"][0]["code"], "CONFLICT");
        let viewer = home.key(api::auth::Role::Viewer).await;
        let denied = app.ask_as(&viewer, RETRY, json!({"input": {"runId": failed}})).await;
        assert_eq!(code(&denied), "FORBIDDEN");
        app.stop().await;
    }

    async fn an_edited_input_is_what_the_node_gets_however_large(home: Home) {
        let app = TestApp::start(&home).await;
        let mut chain = mended();
        chain["nodes"]["b"]["config"]["value"] = json!("{{ [input] }}");
        chain["nodes"]["c"]["config"]["value"] = json!("{{ size(input) }}");
        chain["nodes"]["d"]["config"]["value"] = json!("{{ input }}");
        app.publish("chain", &chain).await;
        let run = app.start_run("chain", json!({"n": 1})).await;
        Socket::follow_to_end(&app, &run, None).await;
        for large in [10, 100_000] {
            let payload = retry(&app, json!({"runId": run, "fromNode": "c", "input": "x".repeat(large)})).await;
            assert_eq!(started(&app, &payload).await["output"]["json"], json!(large));
        }
        app.stop().await;
    }

    async fn a_test_runs_up_to_a_node_or_one_alone_on_pins_and_earlier_results(home: Home) {
        let app = TestApp::start(&home).await;
        let workflow = app.publish("chain", &five()).await["workflow"]["id"].clone();
        let asked = |more: Value| {
            let mut input = json!({"workflowId": workflow, "definition": mended()});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let up_to = asked(json!({"toNode": "b", "input": {"n": 1}}));
        let planned = plan(&app, up_to.clone()).await;
        let runs = [("a", "RUNS"), ("b", "RUNS"), ("c", "LEFT_OUT"), ("d", "LEFT_OUT"), ("start", "RUNS")];
        assert_eq!(fates(&planned), expected(&runs));
        let payload = try_test(&app, up_to).await;
        assert_eq!((&payload["run"]["mode"], &payload["run"]["version"]), (&json!("TEST"), &json!(null)));
        let run = started(&app, &payload).await;
        assert_eq!((&run["status"], &run["output"]["json"]), (&json!("SUCCEEDED"), &json!(2)));
        let first = payload["run"]["id"].clone();

        let further = asked(json!({"toNode": "c"}));
        let planned = plan(&app, further.clone()).await;
        let reused = [("a", "REUSED"), ("b", "REUSED"), ("c", "RUNS"), ("d", "LEFT_OUT"), ("start", "REUSED")];
        assert_eq!((fates(&planned), &planned["earlierRunId"]), (expected(&reused), &first));
        let payload = try_test(&app, further).await;
        assert_eq!(started(&app, &payload).await["output"]["json"], json!(200));

        let pinned = asked(json!({"onlyNode": "d", "pins": [{"node": "c", "output": 5}], "input": {"n": 3}}));
        let payload = try_test(&app, pinned).await;
        assert_eq!(started(&app, &payload).await["output"]["json"], json!(8));
        let found = origins(&app, &payload["run"]["id"]).await;
        let ran: Vec<&str> = found.iter().filter(|node| node.3 > 0).map(|node| node.0.as_str()).collect();
        assert_eq!(ran, ["d"]);
        assert!(found.contains(&("c".to_owned(), None, true, 0)), "{found:?}");

        let alone = asked(json!({"onlyNode": "d", "nodeInput": 10, "input": {"n": 1}}));
        let payload = try_test(&app, alone).await;
        assert_eq!(started(&app, &payload).await["output"]["json"], json!(11));
        let missing = try_test(&app, asked(json!({"onlyNode": "d", "reuse": false}))).await;
        assert_eq!(missing["userErrors"][0]["code"], "NOT_REUSABLE");
        let both = try_test(&app, asked(json!({"onlyNode": "d", "toNode": "c"}))).await;
        assert_eq!(both["userErrors"][0]["field"], json!(["input", "onlyNode"]));
        let again = retry(&app, json!({"runId": first})).await;
        assert_eq!(again["userErrors"][0]["code"], "CONFLICT");
        app.stop().await;
    }

    async fn the_saved_draft_is_tried_at_the_revision_that_its_author_sees(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("chain", &mended()).await;
        let workflow = published["workflow"]["id"].clone();
        let draft = app.ask("{ workflow(name: \"chain\") { draft { revision } } }", json!({})).await;
        let revision = draft["workflow"]["draft"]["revision"].as_i64().unwrap();
        let wish = |revision: i64| json!({"workflowId": workflow, "expectedRevision": revision, "input": {"n": 1}});
        let payload = try_test(&app, wish(revision)).await;
        assert_eq!(started(&app, &payload).await["status"], "SUCCEEDED");
        assert_eq!(payload["run"]["mode"], "TEST");
        let stale = try_test(&app, wish(revision + 1)).await;
        assert_eq!((&stale["run"], &stale["userErrors"][0]["code"]), (&Value::Null, &json!("REVISION_CONFLICT")));
        app.stop().await;
    }

    async fn a_plan_names_what_acts_outside_and_a_broken_definition_says_why(home: Home) {
        let app = TestApp::start(&home).await;
        let workflow = app.publish("chain", &five()).await["workflow"]["id"].clone();
        let definition = json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "post": {"type": "http.request@1", "config": {"method": "POST", "url": "https://example.com"}},
                "get": {"type": "http.request@1", "config": {"method": "GET", "url": "https://example.com"}},
            },
            "edges": [{"from": "start", "to": "post"}, {"from": "post", "to": "get"}],
        });
        let input = json!({"workflowId": workflow, "definition": definition});
        assert_eq!(plan(&app, input.clone()).await["effectful"], json!(["post"]));
        let mut pinned = input.clone();
        pinned["pins"] = json!([{"node": "post", "output": {"status": 200}}]);
        assert_eq!(plan(&app, pinned).await["effectful"], json!([]));
        let mut broken = input;
        broken["definition"]["nodes"]["get"]["type"] = json!("no.such@1");
        let refused = try_test(&app, broken.clone()).await;
        assert_eq!((&refused["run"], &refused["userErrors"][0]["code"]), (&json!(null), &json!("DEFINITION_INVALID")));
        assert_eq!(refused["problems"][0]["node"], "get");
        assert_eq!(plan(&app, broken.clone()).await["userErrors"][0]["code"], "DEFINITION_INVALID");
        let operator = home.key(api::auth::Role::Operator).await;
        let denied = app.ask_as(&operator, TEST, json!({"input": broken})).await;
        assert_eq!(code(&denied), "FORBIDDEN", "who may not change workflows may not run what was never published");
        app.stop().await;
    }

    async fn test_runs_go_after_seven_days_with_all_they_had(home: Home) {
        let app = TestApp::start(&home).await;
        let workflow = app.publish("chain", &mended()).await["workflow"]["id"].clone();
        let live = app.start_run("chain", json!({"n": 1})).await;
        app.finish(&live).await;
        let large = json!({"n": 1, "text": "x".repeat(100_000)});
        let payload = try_test(&app, json!({"workflowId": workflow, "definition": mended(), "input": large})).await;
        Socket::follow_to_end(&app, payload["run"]["id"].as_str().unwrap(), None).await;
        app.stop().await;
        let database = &home.database.database;
        let now = runtime::clock::Clock::system().now();
        let later = |days: i64| Timestamp(now.0 + days * 86_400_000_000);
        assert_eq!(runtime::store::test_run::forget(database, later(6)).await.unwrap(), 0);
        assert_eq!(runtime::store::test_run::forget(database, later(8)).await.unwrap(), 1);
        let count = async |table: &str| -> i64 {
            let sql = format!("SELECT CAST(count(*) AS BIGINT) FROM {table}");
            let db = database.read();
            let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
            db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
        };
        assert_eq!((count("run").await, count("node_run").await, count("blob_ref").await), (1, 5, 0));
        assert_eq!(count("trigger_event").await, 1);
        assert!(count("journal").await > 0);
    }
}

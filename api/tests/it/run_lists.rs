//! Lists of runs, the parts of large values, attempts, and dead letters.

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, doubling, on_both_databases, waiting};
use crate::socket::Socket;

async fn until_it_waits(app: &TestApp, run: &str) {
    let mut socket = Socket::run_events(app, run, None).await;
    while socket.envelope().await.unwrap().unwrap()["payload"]["kind"] != "ATTEMPT_WAITS" {}
}

/// Puts a run aside as a process does that cannot drive it.
async fn park(home: &Home, run: &str) {
    let id = run.strip_prefix("run_").unwrap();
    let set = "UPDATE run SET claim = 'PARKED', status = 'PAUSED', owner_id = NULL, wake_at = NULL, adoptions = 7";
    let database = home.database.database.write();
    let sql = match database.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("{set} WHERE lower(hex(id)) = '{id}'"),
        _ => format!("{set} WHERE id = '{id}'"),
    };
    assert_eq!(database.execute_unprepared(&sql).await.unwrap().rows_affected(), 1);
}

const PAGE: &str = "query($order: RunOrder, $first: Int, $after: String, $last: Int, $before: String) {
    runs(filter: {key: \"k\"}, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
        nodes { input { json } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

fn numbers(page: &Value) -> Vec<i64> {
    page["runs"]["nodes"].as_array().unwrap().iter().map(|run| run["input"]["json"]["n"].as_i64().unwrap()).collect()
}

on_both_databases! {
    async fn runs_are_paged_from_either_end_while_others_start(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let start = async |n: i64| {
            app.try_start(json!({"workflow": "double", "input": {"n": n}, "key": "k"})).await;
        };
        for n in 0..9 {
            start(n).await;
        }
        for (order, seen) in [("NEWEST_FIRST", (0..9).rev().collect::<Vec<_>>()), ("OLDEST_FIRST", (0..9).collect())] {
            let (mut found, mut after) = (Vec::new(), json!(null));
            loop {
                let page = app.ask(PAGE, json!({"order": order, "first": 4, "after": after})).await;
                found.extend(numbers(&page));
                if page["runs"]["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["runs"]["pageInfo"]["endCursor"].clone();
                start(100).await;
            }
            found.retain(|n| *n < 100);
            assert_eq!(found, seen, "{order}: none twice, none left out");
        }
        let filter = json!({"order": "OLDEST_FIRST", "first": 9});
        let all = app.ask(PAGE, filter).await;
        let before = all["runs"]["pageInfo"]["endCursor"].clone();
        let page = app.ask(PAGE, json!({"order": "OLDEST_FIRST", "last": 3, "before": before})).await;
        assert_eq!(numbers(&page), [5, 6, 7], "the last three before the ninth, in the order of the list");
        let info = &page["runs"]["pageInfo"];
        assert_eq!((&info["hasPreviousPage"], &info["hasNextPage"]), (&json!(true), &json!(true)));
        let both = app.ask_as(&app.key, PAGE, json!({"first": 1, "last": 1})).await;
        assert_eq!(code(&both), "BAD_USER_INPUT");
        app.stop().await;
    }

    async fn runs_are_filtered_by_all_that_is_said(home: Home) {
        let app = TestApp::start(&home).await;
        let workflow = app.publish("double", &doubling()).await["workflow"]["id"].clone();
        let hook = json!({"nodes": {"hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}}}, "edges": []});
        app.publish("hook", &hook).await;
        app.http.post(app.url("/hooks/default/default/hook/hook")).json(&json!({})).send().await.unwrap();
        let labels = json!({"a": "1", "b": "2"});
        let start = json!({"workflow": "double", "input": {"n": 1}, "labels": labels});
        let run = app.try_start(start).await["run"]["id"].clone();
        app.finish(run.as_str().unwrap()).await;
        let test = "mutation($input: TestRunInput!) { testRun(input: $input) { run { id } } }";
        app.ask(test, json!({"input": {"workflowId": workflow, "definition": doubling(), "input": {"n": 1}}})).await;
        let query = "query($id: ID!) { run(id: $id) { createdAt createdBy } }";
        let shown = app.ask(query, json!({"id": run})).await["run"].clone();
        let count = async |filter: Value| -> usize {
            let query = "query($filter: RunFilter) { runs(filter: $filter) { nodes { id } } }";
            app.ask(query, json!({"filter": filter})).await["runs"]["nodes"].as_array().unwrap().len()
        };
        assert_eq!(count(json!({})).await, 3);
        assert_eq!(count(json!({"mode": "TEST"})).await, 1);
        assert_eq!(count(json!({"mode": "LIVE"})).await, 2);
        assert_eq!(count(json!({"triggerKind": ["WEBHOOK"]})).await, 1);
        assert_eq!(count(json!({"triggerKind": ["MANUAL"], "mode": "LIVE"})).await, 1);
        assert_eq!(count(json!({"labels": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]})).await, 1);
        assert_eq!(count(json!({"labels": [{"name": "a", "value": "1"}, {"name": "b", "value": "3"}]})).await, 0);
        assert_eq!(count(json!({"createdBy": shown["createdBy"], "mode": "LIVE"})).await, 1);
        assert_eq!(count(json!({"createdBy": "webhook"})).await, 1);
        assert_eq!(count(json!({"environment": "default"})).await, 3);
        assert_eq!(count(json!({"environment": "staging"})).await, 0);
        assert_eq!(count(json!({"createdSince": shown["createdAt"]})).await, 2, "it and the test run after it");
        assert_eq!(count(json!({"createdUntil": shown["createdAt"]})).await, 1);
        app.stop().await;
    }

    async fn large_values_are_read_part_by_part(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("echo", &json!({"nodes": {"start": {"type": "trigger.manual@1"}}, "edges": []})).await;
        let list: Vec<Value> = (0..150).map(|n| json!({"n": n, "text": "x".repeat(1_000)})).collect();
        let id = app.start_run("echo", json!({"orders": list, "shop": "a"})).await;
        let query = "query($id: ID!, $path: String!, $after: String) { run(id: $id) { input {
            page(path: $path, first: 100, after: $after) { kind total hasNextPage
            parts { name kind byteSize preview(maxBytes: 8) cursor } } } } }";
        let page = async |path: &str, after: Value| {
            let data = app.ask(query, json!({"id": id, "path": path, "after": after})).await;
            data["run"]["input"]["page"].clone()
        };
        let first = page("/orders", json!(null)).await;
        assert_eq!((&first["kind"], &first["total"], &first["hasNextPage"]), (&json!("LIST"), &json!(150), &json!(true)));
        assert_eq!(first["parts"][7]["preview"], "{\"n\":7,\"");
        assert!(first["parts"][7]["byteSize"].as_u64().unwrap() > 1_000);
        let rest = page("/orders", first["parts"][99]["cursor"].clone()).await;
        let names: Vec<&str> = rest["parts"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
        assert_eq!((names.len(), names[0], names[49]), (50, "100", "149"));
        let whole = page("", json!(null)).await;
        assert_eq!((&whole["parts"][1]["name"], &whole["parts"][1]["preview"]), (&json!("shop"), &json!("\"a\"")));
        let wrong = app.ask_as(&app.key, query, json!({"id": id, "path": "/none"})).await;
        assert_eq!(code(&wrong), "BAD_USER_INPUT");
        app.stop().await;
    }

    async fn the_attempts_of_a_node_tell_what_went_wrong_each_time(home: Home) {
        let app = TestApp::start(&home).await;
        let retry = json!({"attempts": 2, "initial": "10ms"});
        let call = json!({"type": "http.request@1", "config": {"method": "GET", "url": "http://127.0.0.1:9/"}, "retry": retry});
        let definition = json!({
            "nodes": {"start": {"type": "trigger.manual@1"}, "get": call, "end": {"type": "data.set@1", "config": {"value": 1}}},
            "edges": [{"from": "start", "to": "get"}, {"from": "get.error", "to": "end"}],
        });
        assert_eq!(app.publish("call", &definition).await["problems"], json!([]));
        let id = app.start_run("call", json!({})).await;
        app.finish(&id).await;
        let query = "query($id: ID!) { run(id: $id) { nodeRuns { nodes { node attempt attempts {
            number startedAt finishedAt error { code kind } } } } } }";
        let nodes = app.ask(query, json!({"id": id})).await["run"]["nodeRuns"]["nodes"].clone();
        let get = nodes.as_array().unwrap().iter().find(|node| node["node"] == "get").unwrap();
        let attempts = get["attempts"].as_array().unwrap();
        assert_eq!(json!(attempts.len()), get["attempt"], "{get:#}");
        assert!(attempts.iter().zip(1..).all(|(attempt, n)| attempt["number"] == n && attempt["error"]["code"].is_string()));
        assert!(attempts.iter().all(|attempt| attempt["finishedAt"].as_str() >= attempt["startedAt"].as_str()));
        app.stop().await;
    }

    async fn a_dead_letter_goes_on_or_is_canceled(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("hold", &waiting()).await;
        let (first, second) = (app.start_run("hold", json!({})).await, app.start_run("hold", json!({})).await);
        until_it_waits(&app, &first).await;
        until_it_waits(&app, &second).await;
        let resume = "mutation($id: ID!) { resumeRun(input: {runId: $id}) { run { id } userErrors { code } } }";
        let refused = app.ask(resume, json!({"id": first})).await["resumeRun"].clone();
        assert_eq!(refused["userErrors"][0]["code"], "CONFLICT", "it is no dead letter");
        park(&home, &first).await;
        park(&home, &second).await;
        let resumed = app.ask(resume, json!({"id": first})).await["resumeRun"].clone();
        assert_eq!(resumed, json!({"run": {"id": first}, "userErrors": []}));
        let signal = "mutation($id: ID!) { signalRun(input: {runId: $id, name: \"go\"}) { userErrors { code } } }";
        app.ask(signal, json!({"id": first})).await;
        assert_eq!(app.finish(&first).await["status"], "SUCCEEDED");

        let cancel = "mutation($id: ID!) { cancelRun(input: {runId: $id}) { userErrors { code } } }";
        assert_eq!(app.ask(cancel, json!({"id": second})).await["cancelRun"]["userErrors"], json!([]));
        assert_eq!(app.finish(&second).await["status"], "CANCELED");
        let viewer = home.key(api::auth::Role::Viewer).await;
        assert_eq!(code(&app.ask_as(&viewer, resume, json!({"id": second})).await), "FORBIDDEN");
        app.stop().await;
    }

    async fn a_definition_gives_its_runs_a_key_and_labels(home: Home) {
        let app = TestApp::start(&home).await;
        let mut keyed = doubling();
        keyed["settings"] = json!({"key": "order-{{ input.n }}", "labels": {"shop": "{{ input.shop }}", "kind": "order"}});
        let published = app.publish("keyed", &keyed).await;
        assert_eq!(published["userErrors"], json!([]), "{published:#}");
        let start = async |input: Value, more: Value| {
            let mut asked = json!({"workflow": "keyed", "input": input});
            asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            app.change("startRun", asked, "run { id key labels }").await
        };
        let given = start(json!({"n": 1, "shop": "a"}), json!({})).await["run"].clone();
        assert_eq!((&given["key"], &given["labels"]), (&json!("order-1"), &json!({"shop": "a", "kind": "order"})));
        let own = json!({"key": "mine", "labels": {"kind": "test", "by": "me"}});
        let other = start(json!({"n": 2}), own).await["run"].clone();
        assert_eq!((&other["key"], &other["labels"]), (&json!("mine"), &json!({"kind": "test", "by": "me"})));
        let query = "{ runs(filter: {key: \"order-1\", labels: [{name: \"shop\", value: \"a\"}]}) { totalCount nodes { id } } }";
        let found = app.ask(query, json!({})).await["runs"].clone();
        assert_eq!(found, json!({"totalCount": 1, "nodes": [{"id": given["id"]}]}));
        keyed["settings"]["labels"]["n"] = json!("{{ int(input.shop) }}");
        app.publish("keyed", &keyed).await;
        let refused = start(json!({"n": 3, "shop": "a"}), json!({})).await;
        let message = refused["userErrors"][0]["message"].as_str().unwrap();
        assert!(refused["run"].is_null() && message.contains("/labels/n"), "{refused}");
    }
}

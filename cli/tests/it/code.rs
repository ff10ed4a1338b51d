//! Nodes that run code, through the API of a real server whose children they run in.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Api;
use crate::home::{Home, On, Server};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_runs_between_other_nodes_on_sqlite() {
    code_runs_between_other_nodes(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_runs_between_other_nodes_on_postgresql() {
    code_runs_between_other_nodes(On::Postgres).await;
}

fn chain(config: Value) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "code": {"type": "code.js@1", "config": config},
            "after": {"type": "data.set@1", "config": {"value": "{{ input }}"}},
        },
        "edges": [{"from": "start", "to": "code"}, {"from": "code", "to": "after"}],
    })
}

async fn started(home: &Home) -> (Server, Api) {
    let key = home.key();
    let server = home.serve("code");
    let api = Api::at(&server.url, &key);
    (server, api)
}

/// Publishes code between two other nodes, runs it, and gives the run's end.
async fn ran(api: &Api, name: &str, config: Value, input: Value) -> Value {
    api.publish(name, &chain(config)).await;
    let run = api.start(name, name, input).await;
    api.until(&run, PATIENCE, |run| matches!(run["status"].as_str(), Some("SUCCEEDED" | "FAILED"))).await
}

async fn code_runs_between_other_nodes(on: On) {
    let home = Home::new(on).await;
    let (_server, api) = started(&home).await;

    let total = "const total = input.lines.reduce((sum, line) => sum + line.price * line.quantity, 0);\nconsole.log('{{ no.expression }}', total);\nreturn { total, id: input.id };";
    let order = json!({"id": 7, "lines": [{"price": 2.5, "quantity": 2}, {"price": 1, "quantity": 3}]});
    let run = ran(&api, "total", json!({"code": total}), order.clone()).await;
    assert_eq!(run["output"]["json"], json!({"total": 8, "id": 7}), "{run}");

    let kept =
        json!({"code": "console.warn('a', 1); return input", "input": "{{ input.id + 1 }}", "keep_console": true});
    let run = ran(&api, "kept", kept, order.clone()).await;
    let console = json!([{"level": "warn", "message": "a 1"}]);
    let expected = json!({"result": 8, "console": console, "console_dropped": 0});
    assert_eq!(run["output"]["json"], expected, "{run}");

    let thrown = json!({"code": "const order = input;\nif (order.id) throw Object.assign(new Error('seen'), { code: 'ORDER_SEEN' });"});
    let run = ran(&api, "thrown", thrown, order.clone()).await;
    assert_eq!(run["error"]["code"], "ORDER_SEEN", "{run}");
    assert!(run["error"]["message"].as_str().unwrap().starts_with("seen, at line 2, column "), "{run}");

    // F1, F2: bombs end their node, and the server goes on.
    for (name, source, code) in [
        ("loop", "while (true) {}", "CODE_TIME_LIMIT"),
        ("memory", "const all = []; for (;;) all.push(new Array(1000).fill({}));", "CODE_MEMORY_LIMIT"),
        ("forever", "await new Promise(() => {})", "CODE_NEVER_ENDS"),
        ("large", "return 'x'.repeat(17 * 1024 * 1024)", "CODE_OUTPUT_TOO_LARGE"),
    ] {
        let run = ran(&api, name, json!({"code": source, "time_limit": "2s", "memory_limit": 128}), json!({})).await;
        assert_eq!(run["error"]["code"], code, "{run}");
    }
    let run = ran(&api, "again", json!({"code": "return 1 + 1"}), json!({})).await;
    assert_eq!(run["output"]["json"], json!(2));

    the_ceiling_of_a_workspace_holds(&api).await;
    what_cannot_be_read_is_not_published(&api).await;
}

async fn the_ceiling_of_a_workspace_holds(api: &Api) {
    let set = "mutation($input: SetQuotaInput!) { setQuota(input: $input) {
        quota { codeTimeMs codeMemoryBytes } userErrors { code field } } }";
    let quota = json!({"codeTimeMs": 300, "codeMemoryBytes": 8 * 1024 * 1024});
    assert_eq!(api.change("setQuota", set, quota.clone()).await["quota"], quota);
    let run = ran(api, "ceiling", json!({"code": "for (;;);"}), json!({})).await;
    assert_eq!(run["error"]["code"], "CODE_TIME_LIMIT");
    assert!(run["error"]["message"].as_str().unwrap().contains("300ms"), "{run}");
    let run = ran(api, "over", json!({"code": "return 1", "time_limit": "1s"}), json!({})).await;
    assert_eq!(run["error"]["code"], "CONFIG_INVALID", "{run}");
    for (field, value) in [("codeTimeMs", 9), ("codeMemoryBytes", 1_000)] {
        let refused = api.ask(set, json!({"input": {field: value}})).await;
        assert_eq!(refused["setQuota"]["userErrors"][0]["code"], "BAD_USER_INPUT", "{refused}");
    }
    api.change("setQuota", set, json!({})).await;
}

async fn what_cannot_be_read_is_not_published(api: &Api) {
    let publish = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
        version { id } problems { code path message } userErrors { code } } }";
    let broken = json!({"name": "broken", "definition": chain(json!({"code": "return 1;\nconst a = ;"}))});
    let refused = api.ask(publish, json!({"input": broken})).await["publishWorkflow"].clone();
    assert_eq!(refused["version"], Value::Null);
    let problem = &refused["problems"][0];
    assert_eq!((&problem["code"], &problem["path"]), (&json!("CONFIG_INVALID"), &json!("/nodes/code/config/code")));
    assert!(problem["message"].as_str().unwrap().contains("line 2, column 11"), "{refused}");
}

/// `node`'s attempts of a run, with what they wrote.
async fn attempts(api: &Api, run: &Value, node: &str) -> Vec<Value> {
    let query = "query($id: ID!) { node(id: $id) { ... on Run { nodeRuns(first: 20) { nodes {
        node attempts { number error { code } log { dropped lines { level message } } } } } } } }";
    let answer = api.ask(query, json!({"id": run["id"]})).await;
    let all = answer["node"]["nodeRuns"]["nodes"].as_array().unwrap();
    let found = all.iter().find(|one| one["node"] == node).unwrap();
    found["attempts"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_code_writes_stays_with_its_attempt_on_sqlite() {
    what_code_writes_stays_with_its_attempt(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_code_writes_stays_with_its_attempt_on_postgresql() {
    what_code_writes_stays_with_its_attempt(On::Postgres).await;
}

async fn what_code_writes_stays_with_its_attempt(on: On) {
    let home = Home::new(on).await;
    let (_server, api) = started(&home).await;
    let line = |level: &str, message: &str| json!({"level": level, "message": message});

    let source =
        "console.log('order', input.id); console.warn({ a: [1] }); console.error('e'); console.debug('d'); return 1";
    let run = ran(&api, "told", json!({"code": source}), json!({"id": 7})).await;
    let lines = [line("INFO", "order 7"), line("WARN", "{\"a\":[1]}"), line("ERROR", "e"), line("DEBUG", "d")];
    let told = json!([{"number": 1, "error": null, "log": {"dropped": 0, "lines": lines}}]);
    assert_eq!(json!(attempts(&api, &run, "code").await), told);
    let silent = ran(&api, "silent", json!({"code": "return 1"}), json!({})).await;
    assert_eq!(attempts(&api, &silent, "code").await[0]["log"], Value::Null);

    // Whatever ends the code, what it wrote before is there.
    for (name, end, code) in [
        ("thrown", "throw new Error('no');", "CODE_THREW"),
        ("stopped", "for (;;);", "CODE_TIME_LIMIT"),
        ("full", "const all = []; for (;;) all.push(new Array(1000).fill({}));", "CODE_MEMORY_LIMIT"),
    ] {
        let config = json!({"code": format!("console.log('so far'); {end}"), "time_limit": "1s", "memory_limit": 64});
        let run = ran(&api, name, config, json!({})).await;
        let attempt = &attempts(&api, &run, "code").await[0];
        assert_eq!(attempt["error"]["code"], code, "{attempt}");
        assert_eq!(attempt["log"]["lines"], json!([line("INFO", "so far")]), "{name}: {attempt}");
    }

    // F1: a flood of lines is bounded, and told to be.
    let run = ran(
        &api,
        "flood",
        json!({"code": "for (let n = 0; n < 1000000; n += 1) console.log('line', n); return 1"}),
        json!({}),
    )
    .await;
    let log = attempts(&api, &run, "code").await[0]["log"].clone();
    let kept = log["lines"].as_array().unwrap().len();
    assert!((500..=1_000).contains(&kept), "{kept}");
    assert_eq!(kept as u64 + log["dropped"].as_u64().unwrap(), 1_000_000);
    assert_eq!(log["lines"][499]["message"], "line 499");

    the_log_hides_what_the_run_hides(&api).await;
}

async fn the_log_hides_what_the_run_hides(api: &Api) {
    let mut definition =
        chain(json!({"code": "console.log('card', input.card, 'of', input.name); throw new Error(input.card)"}));
    definition["input_schema"] = json!({
        "type": "object",
        "properties": {"card": {"type": "string", "x-sensitive": true}, "name": {"type": "string"}},
    });
    api.publish("hidden", &definition).await;
    let run = api.start("hidden", "hidden", json!({"card": "4111-1111-1111-1111", "name": "Ada"})).await;
    let run = api.until(&run, PATIENCE, |run| run["status"] == "FAILED").await;
    let attempt = attempts(api, &run, "code").await.remove(0);
    assert_eq!(attempt["log"]["lines"][0]["message"], "card [redacted] of Ada", "{attempt}");
    assert!(!attempt.to_string().contains("4111"), "{attempt}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_item_has_randomness_of_its_own_and_the_clock_of_its_run() {
    let home = Home::new(On::Sqlite).await;
    let (_server, api) = started(&home).await;
    let drawn = "return [Date.now(), Math.random(), crypto.randomUUID(), new Date().toISOString()]";
    let definition = json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "first": {"type": "code.js@1", "config": {"code": drawn}},
            "each": {"type": "code.js@1", "for_each": {"items": "{{ [1, 2, 3] }}"}, "config": {"code": drawn}},
        },
        "edges": [{"from": "start", "to": "first"}, {"from": "first", "to": "each"}],
    });
    api.publish("drawn", &definition).await;
    let run = api.start("drawn", "one", json!({})).await;
    let run = api.until(&run, PATIENCE, |run| run["status"] == "SUCCEEDED").await;
    let items = run["output"]["json"].as_array().unwrap().clone();
    let ids: std::collections::BTreeSet<String> = items.iter().map(|item| item[2].to_string()).collect();
    assert_eq!(ids.len(), 3, "each item has randomness of its own: {run}");
    let created = api.ask("query($id: ID!) { run(id: $id) { createdAt } }", json!({"id": run["id"]})).await;
    let day = created["run"]["createdAt"].as_str().unwrap()[..10].to_owned();
    assert!(items[0][3].as_str().unwrap().starts_with(&day), "{items:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_runs_finish_while_bombs_run() {
    let home = Home::new(On::Sqlite).await;
    let (_server, api) = started(&home).await;
    api.publish("bomb", &chain(json!({"code": "while (true) {}", "time_limit": "1s"}))).await;
    let plain = json!({
        "nodes": {"start": {"type": "trigger.manual@1"}, "set": {"type": "data.set@1", "config": {"value": 1}}},
        "edges": [{"from": "start", "to": "set"}],
    });
    api.publish("plain", &plain).await;
    let mut bombs = Vec::new();
    for n in 0..6 {
        bombs.push(api.start("bomb", &format!("bomb-{n}"), json!({})).await);
    }
    let began = Instant::now();
    for n in 0..20 {
        let run = api.start("plain", &format!("plain-{n}"), json!({})).await;
        api.until(&run, Duration::from_secs(10), |run| run["status"] == "SUCCEEDED").await;
    }
    println!("20 runs beside six bombs took {:?}", began.elapsed());
    for bomb in bombs {
        let run = api.until(&bomb, PATIENCE, |run| run["status"] == "FAILED").await;
        assert_eq!(run["error"]["code"], "CODE_TIME_LIMIT");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_runs_no_code_says_so_and_publishes_none() {
    let home = Home::new(On::Sqlite).await.with("SANDBOX__ENABLED", "false");
    let (_server, api) = started(&home).await;
    let types = api.ask("{ nodeTypes { type unavailable configSchema } }", json!({})).await["nodeTypes"].clone();
    let js = types.as_array().unwrap().iter().find(|one| one["type"] == "code.js@1").unwrap().clone();
    assert!(js["unavailable"].as_str().unwrap().contains("sandbox.enabled"), "{js}");
    let code = &js["configSchema"]["properties"]["code"];
    assert!(code["x-types"].as_str().unwrap().contains("declare const input"), "{code}");
    let publish = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
        version { id } problems { path message } userErrors { code } } }";
    let input = json!({"name": "code", "definition": chain(json!({"code": "return 1"}))});
    let refused = api.ask(publish, json!({"input": input})).await["publishWorkflow"].clone();
    assert_eq!(refused["problems"][0]["path"], "/nodes/code/config/code", "{refused}");
}

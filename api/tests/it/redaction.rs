//! What a schema marks as sensitive is shown nowhere.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};
use crate::socket::Socket;

const CARD: &str = "4111-2222-3333";

/// `start -> copy -> count -> fail`: the card goes into a text, a number into a sum, and both into an error.
fn payment() -> Value {
    json!({
        "input_schema": {"type": "object", "properties": {
            "card": {"type": "string", "x-sensitive": true},
            "who": {"type": "object", "properties": {"age": {"type": "integer", "x-sensitive": true}, "name": {"type": "string"}}}
        }},
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "copy": {"type": "data.set@1", "config": {"value": {
                "line": "{{ 'card ' + input.card }}", "name": "{{ input.who.name }}", "{card}": 1
            }}},
            "fail": {"type": "flow.fail@1", "config": {"message": "{{ 'no money on ' + run.input.card }}"}},
        },
        "edges": [{"from": "start", "to": "copy"}, {"from": "copy", "to": "fail"}],
    })
}

const ALL: &str = "query($id: ID!) { run(id: $id) { error { message }
    input { json redacted byteSize preview(maxBytes: 1000) truncated page(path: \"/who\", first: 5) { parts { name preview } } }
    nodeRuns(first: 5) { nodes { id node error { message } attempts { error { message } }
        output { json redacted preview page(first: 5) { parts { name preview } } } } } } }";

on_both_databases! {
    async fn what_a_schema_marks_as_sensitive_is_shown_nowhere(home: Home) {
        let app = TestApp::start(&home).await;
        let published = app.publish("pay", &payment()).await;
        assert_eq!(published["userErrors"], json!([]), "{published:#}");
        let input = json!({"card": CARD, "who": {"name": "Ann", "age": 7}});
        let id = app.try_start(json!({"workflow": "pay", "input": input})).await["run"]["id"].clone();
        app.finish(id.as_str().unwrap()).await;

        let run = app.ask(ALL, json!({"id": id})).await["run"].clone();
        assert!(!run.to_string().contains(CARD), "{run:#}");
        assert_eq!(run["input"]["json"], json!({"card": "[redacted]", "who": {"name": "Ann", "age": "[redacted]"}}));
        assert_eq!((&run["input"]["redacted"], &run["input"]["truncated"]), (&json!(true), &json!(false)));
        let parts = json!([{"name": "age", "preview": "\"[redacted]\""}, {"name": "name", "preview": "\"Ann\""}]);
        assert_eq!(run["input"]["page"]["parts"], parts);
        assert_eq!(run["error"]["message"], "no money on [redacted]");
        let nodes = &run["nodeRuns"]["nodes"];
        assert_eq!(nodes[0]["output"]["json"], json!({"line": "card [redacted]", "name": "Ann", "{card}": 1}));
        assert_eq!((&nodes[0]["node"], &nodes[0]["output"]["redacted"]), (&json!("copy"), &json!(true)));
        assert_eq!(nodes[1]["attempts"][0]["error"]["message"], "no money on [redacted]");
        assert_eq!(nodes[2]["output"]["json"], run["input"]["json"], "a trigger gives on what the run was given");

        let alone = "query($id: ID!) { node(id: $id) { ... on NodeRun { error { message } output { preview } } } }";
        for node in nodes.as_array().unwrap() {
            let seen = app.ask(alone, json!({"id": node["id"]})).await;
            assert!(seen["node"].is_object() && !seen.to_string().contains(CARD), "{seen}");
        }

        let envelopes = Socket::follow_to_end(&app, id.as_str().unwrap(), None).await;
        let told: Vec<String> = envelopes.iter().map(Value::to_string).collect();
        assert!(told.iter().any(|line| line.contains("no money on [redacted]")), "{told:#?}");
        assert!(!told.iter().any(|line| line.contains(CARD)), "{told:#?}");

        let edited = json!({"runId": id, "input": run["input"]["json"]});
        let refused = app.change("retryRun", edited, "run { id }").await;
        assert_eq!((&refused["userErrors"][0]["field"], &refused["run"]), (&json!(["input", "input"]), &Value::Null), "{refused}");
    }

    async fn a_workflow_without_marks_hides_nothing(home: Home) {
        let app = TestApp::start(&home).await;
        let mut open = payment();
        open["input_schema"] = json!({"type": "object"});
        app.publish("pay", &open).await;
        let input = json!({"card": CARD, "who": {"name": "Ann", "age": 7}});
        let id = app.try_start(json!({"workflow": "pay", "input": input})).await["run"]["id"].clone();
        app.finish(id.as_str().unwrap()).await;
        let run = app.ask(ALL, json!({"id": id})).await["run"].clone();
        assert_eq!((&run["input"]["json"], &run["input"]["redacted"]), (&input, &json!(false)));
        assert_eq!(run["error"]["message"], format!("no money on {CARD}"));
    }
}

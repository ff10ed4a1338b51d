//! Variables, and what runs see of them.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, code, on_both_databases};
use crate::socket::Socket;

async fn change(app: &TestApp, mutation: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{
            variable {{ id name environment value }} userErrors {{ code field }} }} }}"
    );
    app.ask(&query, json!({"input": input})).await[mutation].clone()
}

/// Reads `vars` before and after it waits.
fn reading() -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "before": {"type": "data.set@1", "config": {"value": "{{ vars.region }}"}},
            "hold": {"type": "flow.wait@1", "config": {"signal": {"name": "go", "timeout": "1h"}}},
            "after": {"type": "data.set@1", "config": {"value": "{{ nodes.before.output + vars.region + vars.zone.name }}"}},
        },
        "edges": [
            {"from": "start", "to": "before"}, {"from": "before", "to": "hold"}, {"from": "hold", "to": "after"}
        ],
    })
}

on_both_databases! {
    async fn a_variable_that_an_environment_lacks_is_pointed_out_where_it_is_read(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "say": {"type": "data.set@1", "config": {"value": "{{ vars.greeting + vars.region }}"}},
            },
            "edges": [{"from": "start", "to": "say"}],
        });
        change(&app, "createVariable", json!({"name": "region", "value": "eu"})).await;
        let lacks = json!([{"code": "MEMBER_UNDECLARED", "severity": "WARNING", "node": "say"}]);
        let validate = "query($d: JSON!, $p: String) { validateDefinition(definition: $d, project: $p) {
            code severity node } }";
        let anywhere = app.ask(validate, json!({"d": definition})).await;
        assert_eq!(anywhere["validateDefinition"], json!([]), "without a place, names pass");
        let here = app.ask(validate, json!({"d": definition, "p": "default"})).await;
        assert_eq!(here["validateDefinition"], lacks);
        let check = "query($input: CheckExpressionInput!) { checkExpression(input: $input) {
            problems { code } completions { label } } }";
        let question = json!({"definition": definition, "node": "say", "path": "/config/value", "project": "default",
            "expression": "vars.re", "cursor": 7});
        let asked = app.ask(check, json!({"input": question})).await["checkExpression"].clone();
        assert_eq!(asked["problems"], json!([{"code": "MEMBER_UNDECLARED"}]));
        assert_eq!(asked["completions"], json!([{"label": "region"}]));

        let input = json!({"name": "greet", "definition": definition});
        let published = app.change("publishWorkflow", input, "version { id } problems { code severity node }").await;
        assert_eq!((&published["problems"], published["version"].is_null()), (&lacks, false), "it may come until then");
        let draft = app.ask("{ workflow(name: \"greet\") { draft { problems { code severity node } } } }", json!({})).await;
        assert_eq!(draft["workflow"]["draft"]["problems"], lacks);

        change(&app, "createVariable", json!({"name": "greeting", "value": "Hello "})).await;
        let here = app.ask(validate, json!({"d": definition, "p": "default"})).await;
        assert_eq!(here["validateDefinition"], json!([]));
        app.stop().await;
    }

    async fn variables_are_made_changed_listed_and_deleted(home: Home) {
        let app = TestApp::start(&home).await;
        let made = change(&app, "createVariable", json!({"name": "region", "value": {"name": "eu"}})).await;
        assert_eq!(made["userErrors"], json!([]));
        let id = made["variable"]["id"].clone();
        assert!(id.as_str().unwrap().starts_with("var_"));
        let taken = change(&app, "createVariable", json!({"name": "region", "value": 1})).await;
        assert_eq!(taken["userErrors"][0]["code"], "CONFLICT");
        let elsewhere = json!({"name": "region", "environment": "staging", "value": 1});
        assert_eq!(change(&app, "createVariable", elsewhere).await["userErrors"], json!([]));
        for (wrong, field) in [
            (json!({"name": "Region", "value": 1}), "name"),
            (json!({"name": "in", "value": 1}), "name"),
            (json!({"name": "big", "value": "x".repeat(24 * 1024)}), "value"),
        ] {
            assert_eq!(change(&app, "createVariable", wrong).await["userErrors"][0]["field"], json!(["input", field]));
        }
        for name in ["a", "b", "z"] {
            change(&app, "createVariable", json!({"name": name, "value": name})).await;
        }
        let changed = change(&app, "updateVariable", json!({"id": id, "value": [1]})).await;
        assert_eq!(changed["variable"]["value"], json!([1]));
        let query = "query($after: String) { variables(first: 3, after: $after) {
            nodes { name value } pageInfo { hasNextPage endCursor } } }";
        let page = app.ask(query, json!({})).await["variables"].clone();
        assert_eq!(page["nodes"][2], json!({"name": "region", "value": [1]}));
        let rest = app.ask(query, json!({"after": page["pageInfo"]["endCursor"]})).await;
        assert_eq!(rest["variables"]["nodes"], json!([{"name": "z", "value": "z"}]));
        let node = app.ask("query($id: ID!) { node(id: $id) { ... on Variable { name } } }", json!({"id": id})).await;
        assert_eq!(node["node"]["name"], "region");
        assert_eq!(change(&app, "deleteVariable", json!({"id": id})).await["userErrors"], json!([]));
        let gone = change(&app, "deleteVariable", json!({"id": id})).await;
        assert_eq!(gone["userErrors"][0]["code"], "NOT_FOUND");
        let audit = "{ audit(first: 50) { nodes { action entityId } } }";
        let rows = app.ask(audit, json!({})).await["audit"]["nodes"].clone();
        let of: Vec<&Value> =
            rows.as_array().unwrap().iter().filter(|row| row["entityId"] == id).map(|row| &row["action"]).collect();
        assert_eq!(of, ["variable.deleted", "variable.updated", "variable.created"]);
        let operator = home.key(api::auth::Role::Operator).await;
        let query = "mutation { createVariable(input: {name: \"x\", value: 1}) { userErrors { code } } }";
        assert_eq!(code(&app.ask_as(&operator, query, json!({})).await), "FORBIDDEN");
        app.stop().await;
    }

    async fn a_run_keeps_the_variables_that_it_started_with(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("reading", &reading()).await;
        let made = change(&app, "createVariable", json!({"name": "region", "value": "eu"})).await;
        let zone = json!({"name": "zone", "value": {"name": "1", "more": "x".repeat(23_000)}});
        change(&app, "createVariable", zone).await;
        // Over 24 KiB in all, so that they are a blob.
        change(&app, "createVariable", json!({"name": "large", "value": "x".repeat(20_000)})).await;
        let run = app.start_run("reading", json!({})).await;
        let mut socket = Socket::run_events(&app, &run, None).await;
        while socket.envelope().await.unwrap().unwrap()["payload"]["kind"] != "ATTEMPT_WAITS" {}
        change(&app, "updateVariable", json!({"id": made["variable"]["id"], "value": "us"})).await;
        let second = app.start_run("reading", json!({})).await;
        // Another process goes on from what the database says.
        app.stop().await;
        let app = TestApp::start(&home).await;
        let signal = "mutation($id: ID!) { signalRun(input: {runId: $id, name: \"go\"}) { userErrors { code } } }";
        for (run, expected) in [(run, "eueu1"), (second, "usus1")] {
            app.ask(signal, json!({"id": run})).await;
            assert_eq!(app.finish(&run).await["output"]["json"], json!(expected));
        }
        app.stop().await;
    }
}

//! Expressions while they are being written, and the catalog in two languages.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};

const CHECK: &str = "query($input: CheckExpressionInput!) { checkExpression(input: $input) {
    type typeText value failure problems { code severity line column hint } completions { kind label }
} }";

fn definition() -> Value {
    json!({
        "input_schema": {
            "type": "object", "required": ["price"], "additionalProperties": false,
            "properties": {"price": {"type": "number"}, "name": {"type": "string"}}
        },
        "nodes": {"start": {"type": "trigger.manual@1"}, "set": {"type": "data.set@1", "config": {"value": "{{ 1 + }}"}}},
        "edges": [{"from": "start", "to": "set"}],
    })
}

on_both_databases! {
    async fn an_expression_is_checked_evaluated_and_completed_in_a_broken_definition(home: Home) {
        let app = TestApp::start(&home).await;
        let ask = async |expression: &str, node: &str, cursor: Option<u32>| {
            let input = json!({
                "definition": definition(), "node": node, "path": "/config/value", "expression": expression,
                "samples": {"input": {"price": 2}}, "cursor": cursor,
            });
            app.ask(CHECK, json!({"input": input})).await["checkExpression"].clone()
        };
        let good = ask("input.price * 3", "set", None).await;
        assert_eq!((&good["typeText"], &good["value"], &good["problems"]), (&json!("number"), &json!(6), &json!([])));
        let wrong = ask("1 +\n input.prize", "set", None).await;
        assert_eq!(wrong["problems"][0]["code"], "MEMBER_UNKNOWN");
        assert_eq!((&wrong["problems"][0]["line"], &wrong["problems"][0]["column"]), (&json!(2), &json!(7)));
        assert_eq!(wrong["problems"][0]["hint"], "is it `price`?");
        assert!(wrong["failure"].is_string() && wrong["value"].is_null(), "{wrong}");
        let begun = ask("input.", "set", Some(6)).await;
        let members: Vec<&str> = begun["completions"].as_array().unwrap().iter()
            .filter(|found| found["kind"] == "MEMBER").map(|found| found["label"].as_str().unwrap()).collect();
        assert_eq!(members, ["name", "price"]);
        let endless = ask("range(100000).map(x, range(100000))", "set", None).await;
        assert!(endless["failure"].as_str().unwrap().contains("too"), "{endless}");
        app.stop().await;
    }

    async fn node_types_speak_the_language_that_is_asked_for(home: Home) {
        let app = TestApp::start(&home).await;
        let query = "query($locale: String!) { nodeTypes(locale: $locale) { type title language digest configSchema } }";
        let german = app.ask(query, json!({"locale": "de-AT"})).await["nodeTypes"].clone();
        let english = app.ask(query, json!({"locale": "fr"})).await["nodeTypes"].clone();
        let of = |types: &Value, name: &str| -> Value {
            types.as_array().unwrap().iter().find(|found| found["type"] == name).unwrap().clone()
        };
        let (de, en) = (of(&german, "data.filter@1"), of(&english, "data.filter@1"));
        assert_eq!((&de["title"], &de["language"]), (&json!("Filtern"), &json!("de")));
        assert_eq!((&en["title"], &en["language"]), (&json!("Filter"), &json!("en")));
        assert_eq!(de["digest"], en["digest"]);
        assert_eq!(de["configSchema"]["properties"]["condition"]["title"], "Bedingung");
        app.stop().await;
    }
}

//! Publishing, deploying, listing.

use futures::future::join_all;
use serde_json::json;

use crate::app::{Home, TestApp, doubling, on_both_databases, waiting};

on_both_databases! {
    async fn a_definition_that_is_the_latest_version_is_not_published_again(home: Home) {
        let app = TestApp::start(&home).await;
        let first = app.publish("orders", &doubling()).await;
        assert_eq!((&first["created"], &first["version"]["number"]), (&json!(true), &json!(1)));
        let again = app.publish("orders", &doubling()).await;
        assert_eq!((&again["created"], &again["version"]), (&json!(false), &first["version"]));
        let other = app.publish("orders", &waiting()).await;
        assert_eq!((&other["created"], &other["version"]["number"]), (&json!(true), &json!(2)));
        // A definition that was there before, but is not the latest, is a new version of the same content.
        let back = app.publish("orders", &doubling()).await;
        assert_eq!((&back["created"], &back["version"]["number"]), (&json!(true), &json!(3)));
        assert_eq!(back["version"]["hash"], first["version"]["hash"]);
        app.stop().await;
    }

    async fn every_problem_of_a_definition_is_told_and_nothing_is_saved(home: Home) {
        let app = TestApp::start(&home).await;
        let broken = json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "lost": {"type": "no.such@1"},
                "set": {"type": "data.set@1", "config": {"fields": {"a": "{{ 1 + }}"}}},
            },
            "edges": [{"from": "start", "to": "set"}, {"from": "start", "to": "nowhere"}],
        });
        let payload = app.publish("broken", &broken).await;
        let mut codes: Vec<&str> =
            payload["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in ["EDGE_DANGLING", "EXPRESSION_INVALID", "NODE_TYPE_UNKNOWN"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
        assert_eq!(payload["userErrors"][0]["code"], "DEFINITION_INVALID");
        assert_eq!(payload["version"], json!(null));
        assert_eq!(app.ask("{ workflows { nodes { name } } }", json!({})).await["workflows"]["nodes"], json!([]));
        app.stop().await;
    }

    async fn publishers_at_the_same_time_get_numbers_without_a_gap(home: Home) {
        let app = TestApp::start(&home).await;
        let definitions: Vec<_> = (0..8)
            .map(|n| {
                let mut definition = doubling();
                definition["nodes"]["double"]["config"]["fields"]["who"] = json!(n);
                definition
            })
            .collect();
        let payloads = join_all(definitions.iter().map(|definition| app.publish("race", definition))).await;
        let mut numbers: Vec<i64> =
            payloads.iter().map(|payload| payload["version"]["number"].as_i64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
        app.stop().await;
    }

    async fn an_environment_runs_what_was_deployed_to_it(home: Home) {
        let app = TestApp::start(&home).await;
        let first = app.publish("orders", &doubling()).await;
        app.publish("orders", &waiting()).await;
        let nowhere = json!({"input": {"versionId": first["version"]["id"], "environment": "staging"}});
        let deploy = "mutation($input: DeployVersionInput!) { deployVersion(input: $input) {
            deployment { environment version { number } } userErrors { code } } }";
        let payload = app.ask(deploy, nowhere.clone()).await["deployVersion"].clone();
        assert_eq!(payload["userErrors"], json!([{"code": "NOT_FOUND"}]));
        app.environment("staging").await;
        let payload = app.ask(deploy, nowhere).await["deployVersion"].clone();
        assert_eq!(payload["deployment"], json!({"environment": "staging", "version": {"number": 1}}));

        let query = "{ workflow(name: \"orders\") { project { slug } title latestVersion { number createdBy }
            deployments { environment version { number definition } }
            triggers { node type path } versions(first: 1) { nodes { number } pageInfo { hasNextPage endCursor } } } }";
        let workflow = app.ask(query, json!({})).await["workflow"].clone();
        assert_eq!(workflow["latestVersion"]["number"], 2);
        assert!(workflow["latestVersion"]["createdBy"].as_str().unwrap().starts_with("key_"));
        assert_eq!(workflow["deployments"][0]["environment"], "default");
        assert_eq!(workflow["deployments"][0]["version"]["number"], 2);
        assert_eq!(workflow["deployments"][1]["version"]["definition"], doubling());
        assert_eq!(workflow["triggers"], json!([{"node": "start", "type": "trigger.manual@1", "path": null}]));
        assert_eq!(workflow["versions"]["nodes"], json!([{"number": 2}]));
        let after = workflow["versions"]["pageInfo"]["endCursor"].clone();
        let query = "query($after: String) { workflow(name: \"orders\") { versions(first: 5, after: $after) {
            nodes { number } pageInfo { hasNextPage hasPreviousPage } } } }";
        let versions = app.ask(query, json!({"after": after})).await["workflow"]["versions"].clone();
        assert_eq!(versions["nodes"], json!([{"number": 1}]));
        assert_eq!(versions["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true}));

        let run = app.try_start(json!({"workflow": "orders", "environment": "staging", "input": {"n": 4}})).await;
        let run = app.finish(run["run"]["id"].as_str().unwrap()).await;
        assert_eq!(run["output"]["json"], json!({"n": 8}));
        let nowhere = app.try_start(json!({"workflow": "orders", "environment": "nowhere"})).await;
        assert_eq!(nowhere["userErrors"][0]["code"], "NOT_FOUND");
        app.stop().await;
    }

    async fn workflows_are_listed_by_name_page_by_page(home: Home) {
        let app = TestApp::start(&home).await;
        for name in ["delta", "alpha", "charlie", "bravo", "echo"] {
            app.publish(name, &doubling()).await;
        }
        let query = "query($after: String) { workflows(first: 2, after: $after) {
            nodes { name latestVersion { number } deployments { version { number } } }
            pageInfo { hasNextPage endCursor } } }";
        let (mut names, mut after) = (Vec::new(), json!(null));
        loop {
            let page = app.ask(query, json!({"after": after})).await["workflows"].clone();
            let nodes = page["nodes"].as_array().unwrap();
            names.extend(nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(names, ["alpha", "bravo", "charlie", "delta", "echo"]);
        app.stop().await;
    }
    async fn a_version_keeps_what_the_results_of_its_nodes_depend_on(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("orders", &doubling()).await;
        let mut changed = doubling();
        changed["nodes"]["double"]["config"]["fields"]["n"] = json!("{{ input.n * 3 }}");
        app.publish("orders", &changed).await;
        let query = "{ workflow(name: \"orders\") { versions(first: 2) {
            nodes { nodes { key type typeDigest hash } } } } }";
        let versions = app.ask(query, json!({})).await["workflow"]["versions"]["nodes"].clone();
        let (newer, older) = (&versions[0]["nodes"], &versions[1]["nodes"]);
        assert_eq!((&newer[0]["key"], &newer[1]["key"]), (&json!("double"), &json!("start")));
        assert_eq!(newer[0]["type"], "data.set@1");
        assert_eq!(newer[0]["typeDigest"].as_str().unwrap().len(), 64);
        assert_ne!(newer[0]["hash"], older[0]["hash"], "the node was changed");
        assert_eq!(newer[1], older[1], "the trigger was not");
        app.stop().await;
    }
}

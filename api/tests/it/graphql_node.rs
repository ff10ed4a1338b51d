//! `http.graphql` against a real GraphQL server: another FlowForge.

use serde_json::{Value, json};

use crate::app::{Home, TestApp, doubling};

/// Asks for the runs of a workflow, with the credential of a connection.
fn asking(url: &str, first: u32) -> Value {
    let query = "query Runs($first: Int!) { runs(first: $first) { nodes { id status } } }";
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "ask": {"type": "http.graphql@1", "connection": "other",
                "config": {"url": url, "query": query, "variables": {"first": first}}},
        },
        "edges": [{"from": "start", "to": "ask"}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_asks_a_real_graphql_server_and_is_told_what_was_wrong() {
    let (other_home, home) = (Home::sqlite().await, Home::sqlite().await);
    let other = TestApp::start(&other_home).await;
    other.publish("double", &doubling()).await;
    let there = other.start_run("double", json!({"n": 2})).await;
    other.finish(&there).await;

    let home = home.with("HTTP__ALLOW_HOSTS", &other.address.to_string());
    let app = TestApp::start(&home).await;
    let connect = async |token: &str| {
        let found =
            app.ask("{ connections { nodes { id } } }", json!({})).await["connections"]["nodes"][0]["id"].clone();
        let secrets = json!({"token": token});
        match found {
            Value::Null => {
                app.changed("createConnection", json!({"name": "other", "type": "http.bearer", "secrets": secrets}), "")
                    .await
            }
            id => app.changed("updateConnection", json!({"id": id, "secrets": secrets}), "").await,
        };
    };
    let ask = async |first: u32| {
        let published = app.publish("asks", &asking(&other.url("/graphql"), first)).await;
        assert_eq!(published["problems"], json!([]), "{published:#}");
        let run = app.start_run("asks", json!(null)).await;
        app.finish(&run).await
    };
    connect(&other.key).await;
    let seen = ask(5).await;
    assert_eq!(
        seen["output"]["json"]["data"]["runs"]["nodes"],
        json!([{"id": there, "status": "SUCCEEDED"}]),
        "{seen:#}"
    );
    let refused = ask(1_000).await;
    assert_eq!(
        (&refused["status"], &refused["error"]["code"]),
        (&json!("FAILED"), &json!("GRAPHQL_ERRORS")),
        "{refused:#}"
    );
    connect("ff_default_nobody").await;
    let stranger = ask(5).await;
    assert_eq!(
        (&stranger["status"], &stranger["error"]["code"]),
        (&json!("FAILED"), &json!("HTTP_STATUS")),
        "{stranger:#}"
    );
    assert!(stranger["error"]["message"].as_str().unwrap().contains("401"), "{stranger:#}");
    app.stop().await;
    other.stop().await;
}

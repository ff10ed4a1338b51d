use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use engine::error::ErrorKind;

use super::*;
use crate::testing::{attempt, execute, outgoing, serve};

const QUERY: &str = "query Order($id: ID!) { order(id: $id) { total } }";
const MUTATION: &str = "mutation Pay { pay }";

/// A server that answers with this status and body, and tells what it got under `extensions`.
async fn server(status: u16, body: Value) -> String {
    let answer = |State((status, mut body)): State<(u16, Value)>, headers: HeaderMap, sent: axum::Json<Value>| async move {
        if let Some(body) = body.as_object_mut() {
            let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
            body.insert("extensions".to_owned(), json!({"sent": sent.0, "key": key}));
        }
        (StatusCode::from_u16(status).unwrap(), axum::Json(body))
    };
    let address = serve(Router::new().route("/graphql", post(answer)).with_state((status, body))).await;
    format!("http://{address}/graphql")
}

async fn ask(config: Value) -> Result<(String, Value), ErrorInfo> {
    match execute(&Graphql, outgoing(&["127.0.0.1"]), &attempt(config, json!({}))).await? {
        NodeOutcome::Done { port, output } => Ok((port.into_owned(), output)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_operation_is_sent_with_its_variables_and_gives_its_data() {
    let url = server(200, json!({"data": {"order": {"total": 3}}})).await;
    let config = json!({"url": url, "query": QUERY, "variables": {"id": 7}, "operation_name": "Order"});
    let (port, output) = ask(config).await.unwrap();
    assert_eq!((port.as_str(), &output["data"]), ("out", &json!({"order": {"total": 3}})));
    assert_eq!(output["errors"], json!([]));
    let sent = &output["extensions"]["sent"];
    assert_eq!(*sent, json!({"query": QUERY, "variables": {"id": 7}, "operationName": "Order"}));
    assert_eq!(output["extensions"]["key"], json!(null), "a query needs no key");
    let (_, output) = ask(json!({"url": url, "query": MUTATION})).await.unwrap();
    assert_eq!(output["extensions"]["key"], json!("key-of-the-node-run"));
}

#[tokio::test]
async fn errors_fail_the_node_or_leave_with_the_data_as_the_author_says() {
    let body = json!({"data": {"a": 1, "b": null}, "errors": [{"message": "no b"}, {"message": "nor\nc"}]});
    let url = server(200, body).await;
    let error = ask(json!({"url": url, "query": QUERY})).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("GRAPHQL_ERRORS", ErrorKind::Permanent));
    assert_eq!(error.message, "the server answered with errors: no b; nor c");
    for (errors, port) in [("partial", "partial"), ("allow", "out")] {
        let (left_by, output) = ask(json!({"url": url, "query": QUERY, "errors": errors})).await.unwrap();
        assert_eq!((left_by.as_str(), &output["data"]), (port, &json!({"a": 1, "b": null})));
        assert_eq!(output["errors"][0]["message"], json!("no b"));
    }
}

#[tokio::test]
async fn a_request_that_was_not_executed_fails_whatever_is_allowed() {
    for (status, body, code) in [
        (400, json!({"errors": [{"message": "syntax"}]}), "GRAPHQL_ERRORS"),
        (200, json!({"errors": [{"message": "syntax"}]}), "GRAPHQL_ERRORS"),
        (200, json!({"rows": []}), "GRAPHQL_ANSWER_INVALID"),
        (200, json!([]), "GRAPHQL_ANSWER_INVALID"),
        (400, json!({"error": "no"}), "HTTP_STATUS"),
        (401, json!({"errors": []}), "HTTP_STATUS"),
        (503, json!({"errors": []}), "HTTP_STATUS"),
    ] {
        let url = server(status, body.clone()).await;
        let error = ask(json!({"url": url, "query": QUERY, "errors": "allow"})).await.unwrap_err();
        assert_eq!(error.code, code, "{status} {body}");
        assert_eq!(error.kind == ErrorKind::Transient, status == 503, "{status} {body}");
    }
}

#[tokio::test]
async fn a_private_address_is_denied_and_a_dead_server_may_be_tried_again() {
    let config = json!({"url": "http://127.0.0.1:9/graphql", "query": QUERY});
    let denied = execute(&Graphql, outgoing(&[]), &attempt(config.clone(), json!({}))).await.unwrap_err();
    assert_eq!((denied.code.as_str(), denied.kind), ("HTTP_HOST_DENIED", ErrorKind::Permanent));
    let dead = ask(config).await.unwrap_err();
    assert_eq!((dead.code.as_str(), dead.kind), ("HTTP_CONNECT", ErrorKind::Transient));
}

#[tokio::test]
async fn a_slow_server_and_a_huge_answer_say_what_they_are() {
    let silent = serve(Router::new().fallback(std::future::pending::<StatusCode>)).await;
    let config = json!({"url": format!("http://{silent}/graphql"), "query": QUERY, "timeout": "50ms"});
    assert_eq!(ask(config).await.unwrap_err().code, "HTTP_TIMEOUT");
    let url = server(200, json!({"data": {"a": "x".repeat(16 << 20)}})).await;
    let error = ask(json!({"url": url, "query": QUERY})).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.kind), ("HTTP_BODY_TOO_LARGE", ErrorKind::Permanent));
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_it_is_sent() {
    for config in [
        json!({"query": QUERY}),
        json!({"url": "/graphql", "query": QUERY}),
        json!({"url": "http://127.0.0.1:9/"}),
        json!({"url": "http://127.0.0.1:9/", "query": "subscription { a }"}),
        json!({"url": "http://127.0.0.1:9/", "query": "no document"}),
        json!({"url": "http://127.0.0.1:9/", "query": QUERY, "variables": [1]}),
        json!({"url": "http://127.0.0.1:9/", "query": QUERY, "errors": "hide"}),
    ] {
        assert_eq!(ask(config.clone()).await.unwrap_err().code, "CONFIG_INVALID", "{config}");
    }
}

#[test]
fn only_documents_without_mutations_may_be_repeated() {
    use EffectClass::{Effectful, Idempotent};
    for (config, effect) in [
        (json!({"query": QUERY}), Idempotent),
        (json!({"query": MUTATION}), Effectful),
        (json!({"query": format!("{QUERY} {MUTATION}"), "operation_name": "Order"}), Effectful),
        (json!({"query": MUTATION, "idempotency_header": "X-Key"}), Idempotent),
        (json!({"query": ""}), Effectful),
        (json!({}), Effectful),
    ] {
        assert_eq!(Graphql.effect(&config), effect, "{config}");
    }
}

//! Close codes and messages of `graphql-transport-ws`.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::app::{Home, TestApp, code, waiting};
use crate::socket::Socket;

const EVENTS: &str = "subscription($run: ID!) { runEvents(runId: $run) { seq } }";

/// Sends messages to a fresh socket and says how it was closed.
async fn closed_after(app: &TestApp, messages: &[Message]) -> u16 {
    let mut socket = Socket::open(app, &[]).await.unwrap();
    for message in messages {
        socket.raw(message.clone()).await;
    }
    loop {
        if let Err(code) = socket.next().await {
            return code;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_breaks_the_protocol_is_told_how() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let init = Message::text(
        json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {}", app.key)}}).to_string(),
    );
    let text = |text: &str| Message::text(text.to_owned());
    let subscribe = text(r#"{"type":"subscribe","id":"1","payload":{"query":"{ viewer { name } }"}}"#);
    for (messages, wanted) in [
        (vec![text("junk")], 4400),
        (vec![text("{}")], 4400),
        (vec![text(r#"{"type":"start"}"#)], 4400),
        (vec![Message::binary(vec![1, 2, 3])], 4400),
        (vec![init.clone(), text(r#"{"type":"subscribe","id":"1","payload":{}}"#)], 4400),
        (vec![init.clone(), text(r#"{"type":"subscribe","id":"","payload":{"query":"{ viewer { name } }"}}"#)], 4400),
        (vec![subscribe], 4401),
        (vec![text(r#"{"type":"connection_init"}"#)], 4403),
        (vec![text(r#"{"type":"connection_init","payload":{"authorization":"Bearer ff_default_x"}}"#)], 4403),
        (vec![text(r#"{"type":"connection_init","payload":{"authorization":"ff_default_x"}}"#)], 4403),
        (vec![init.clone(), init.clone()], 4429),
        (vec![text(&format!("\"{}\"", "x".repeat(1_100_000)))], 1009),
    ] {
        assert_eq!(closed_after(&app, &messages).await, wanted, "{messages:.80?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_has_three_seconds_to_say_who_it_is() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let began = Instant::now();
    assert_eq!(closed_after(&app, &[]).await, 4408);
    assert!(began.elapsed() >= Duration::from_millis(2_900), "{:?}", began.elapsed());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_subprotocol_is_not_spoken() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let mut request = format!("ws://{}/graphql", app.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-ws".parse().unwrap());
    // The client library refuses an answer without its subprotocol; a client without one is told by close code.
    assert!(tokio_tungstenite::connect_async(request).await.is_err());
    let request = format!("ws://{}/graphql", app.address).into_client_request().unwrap();
    let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(Socket::from(socket).next().await, Err(4406));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_share_a_socket_and_their_ids_are_theirs() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    app.publish("hold", &waiting()).await;
    let run = app.start_run("hold", json!({})).await;
    let mut socket = Socket::ready(&app).await;
    socket.send(&json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(socket.next().await, Ok(json!({"type": "pong", "payload": {"a": 1}})));

    socket.subscribe("a", EVENTS, json!({"run": run})).await;
    assert_eq!(socket.next().await.unwrap()["id"], "a");
    socket.subscribe("bad", "{ nothing }", json!({})).await;
    let refused = until(&mut socket, "bad").await;
    assert_eq!(refused["type"], "error", "a document that does not fit is one error, not next and complete");
    assert_eq!(code(&json!({"errors": refused["payload"]})), "GRAPHQL_VALIDATION_FAILED");
    socket.subscribe("deep", &format!("{}{}", "{ a ".repeat(20), "}".repeat(20)), json!({})).await;
    let refused = until(&mut socket, "deep").await;
    assert_eq!(code(&json!({"errors": refused["payload"]})), "DEPTH_LIMIT_EXCEEDED");

    // An id is free again once its operation is complete.
    socket.send(&json!({"type": "complete", "id": "a"})).await;
    socket.subscribe("a", "{ viewer { name } }", json!({})).await;
    let answer = loop {
        let message = socket.next().await.unwrap();
        if message["id"] == "a" && message["payload"]["data"].get("viewer").is_some() {
            break message;
        }
    };
    assert_eq!(answer["type"], "next");
    assert_eq!(socket.next().await, Ok(json!({"type": "complete", "id": "a"})));

    socket.subscribe("b", EVENTS, json!({"run": run})).await;
    assert_eq!(socket.next().await.unwrap()["id"], "b");
    socket.subscribe("b", EVENTS, json!({"run": run})).await;
    let closed = loop {
        if let Err(code) = socket.next().await {
            break code;
        }
    };
    assert_eq!(closed, 4409);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_carries_a_hundred_operations() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    app.publish("hold", &waiting()).await;
    let run = app.start_run("hold", json!({})).await;
    let mut socket = Socket::ready(&app).await;
    for n in 0..100 {
        socket.subscribe(&n.to_string(), EVENTS, json!({"run": run})).await;
    }
    socket.subscribe("one more", EVENTS, json!({"run": run})).await;
    let refused = until(&mut socket, "one more").await;
    assert_eq!(code(&json!({"errors": refused["payload"]})), "RATE_LIMITED");
    app.stop().await;
}

/// The next message of an operation; those of others are passed over.
async fn until(socket: &mut Socket, id: &str) -> serde_json::Value {
    loop {
        let message = socket.next().await.unwrap();
        if message["id"] == id {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_is_answered() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let mut socket = Socket::ready(&app).await;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "done".into() };
    socket.raw(Message::Close(Some(frame))).await;
    assert_eq!(socket.next().await, Err(1000));
    app.stop().await;
}

//! Rights that end: whatever is open under them ends with them, in every process.

use std::time::{Duration, Instant};

use api::create_login_link;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use serde_json::json;

use crate::app::{Home, TestApp};
use crate::socket::{Follow, Socket};

/// A session of a browser, as a cookie.
async fn session(home: &Home, app: &TestApp) -> String {
    let token = create_login_link(&home.config(), "default").await.unwrap();
    let answer = app.http.post(app.url("/session")).json(&json!({"token": token})).send().await.unwrap();
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split_once(';').unwrap().0.to_owned()
}

/// Follows the workspace by a socket and by a stream at one server, signs out at another, and sees both end.
async fn signing_out_ends_what_is_open(home: &Home, here: &TestApp, there: &TestApp) {
    let cookie = session(home, here).await;
    let own = here.url("");
    let mut socket = Socket::open(here, &[("cookie", &cookie), ("origin", &own)]).await.unwrap();
    socket.send(&json!({"type": "connection_init"})).await;
    assert_eq!(socket.next().await, Ok(json!({"type": "connection_ack"})));
    let follow = Follow::workspace(json!({}));
    socket.subscribe("1", follow.query, follow.variables.clone()).await;
    assert_eq!(socket.next().await.unwrap()["type"], "next");
    let body = json!({"query": follow.query, "variables": follow.variables});
    let stream = here.http.post(here.url("/graphql")).header(COOKIE, &cookie).header(ORIGIN, &own).json(&body);
    let mut stream = stream.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    // Another session at the same place, which goes on.
    let mut other = Follow::workspace(json!({})).open(here, None).await;
    assert_eq!(other.next().await.unwrap()["type"], "next");

    let began = Instant::now();
    let out = there.http.delete(there.url("/session")).header(COOKIE, &cookie).header(ORIGIN, there.url(""));
    assert_eq!(out.send().await.unwrap().status(), 204);
    assert_eq!(socket.next().await, Err(4403));
    while stream.chunk().await.unwrap().is_some() {}
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    here.publish("still-told", &crate::app::doubling()).await;
    assert_eq!(other.next().await.unwrap()["type"], "next");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_sockets_and_streams_on_sqlite() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    signing_out_ends_what_is_open(&home, &app, &app).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_at_one_process_ends_sockets_and_streams_of_another() {
    let home = Home::postgres().await;
    let (here, there) = (TestApp::start(&home).await, TestApp::start(&home).await);
    signing_out_ends_what_is_open(&home, &here, &there).await;
    here.stop().await;
    there.stop().await;
}

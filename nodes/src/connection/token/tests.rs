use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::{any, post};
use engine::error::ErrorKind;
use serde_json::json;

use super::*;
use crate::NodeOutcome;
use crate::connection::connection_type;
use crate::http::request::Request;
use crate::testing::{attempt, execute_with, outgoing, serve};

/// Gives out tokens by number, and takes those from `least` on.
#[derive(Default)]
struct Giver {
    given: AtomicUsize,
    asked: AtomicUsize,
    least: AtomicUsize,
}

/// A service with its token URL; `life` is what it says of its tokens.
async fn service(giver: Arc<Giver>, life: Value) -> String {
    let token = move |State(giver): State<Arc<Giver>>, headers: HeaderMap, body: String| async move {
        // `ada:s3cret+%26=` as RFC 6749 has it, in base64.
        let basic = headers.get(AUTHORIZATION).is_some_and(|value| value == "Basic YWRhOnMzY3JldCslMjYlM0Q=");
        let in_body = body.ends_with("&client_id=ada&client_secret=s3cret+%26%3D");
        if !body.starts_with("grant_type=client_credentials") || !(basic || in_body) {
            let answer = json!({"error": "invalid_client", "error_description": format!("got {body}")});
            return (StatusCode::UNAUTHORIZED, axum::Json(answer)).into_response();
        }
        let number = giver.given.fetch_add(1, Ordering::SeqCst) + 1;
        let answer = json!({"access_token": format!("token-{number}"), "token_type": "bearer", "expires_in": life});
        axum::Json(answer).into_response()
    };
    let resource = async |State(giver): State<Arc<Giver>>, headers: HeaderMap| {
        giver.asked.fetch_add(1, Ordering::SeqCst);
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let number: usize = sent.strip_prefix("Bearer token-").and_then(|number| number.parse().ok()).unwrap_or(0);
        let taken = number > 0 && number >= giver.least.load(Ordering::SeqCst);
        (if taken { StatusCode::OK } else { StatusCode::UNAUTHORIZED }, axum::Json(json!(sent)))
    };
    let router = Router::new().route("/token", post(token)).route("/resource", any(resource)).with_state(giver);
    format!("http://{}", serve(router).await)
}

fn connection(base: &str, changes: Value, secret: &str) -> Connection {
    let kind = connection_type("oauth2").unwrap();
    let mut plain = json!({"token_url": format!("{base}/token"), "client_id": "ada"});
    for (name, value) in changes.as_object().unwrap() {
        plain[name] = value.clone();
    }
    let plain = kind.plain_fields(plain.as_object().unwrap().clone()).unwrap();
    Connection::new(
        "api",
        kind,
        plain,
        BTreeMap::from([("client_secret".to_owned(), SecretText::new(secret.to_owned()))]),
    )
}

async fn call(outgoing: &Outgoing, connection: Connection, base: &str) -> Result<Value, ErrorInfo> {
    let config = json!({"url": format!("{base}/resource"), "method": "POST", "body": 1});
    match execute_with(&Request, outgoing.clone(), connection, &attempt(config, json!({}))).await? {
        NodeOutcome::Done { output, .. } => Ok(output["body"].clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_for_many_callers_and_kept() {
    let giver = Arc::<Giver>::default();
    let base = service(Arc::clone(&giver), json!(3600)).await;
    let out = outgoing(&["127.0.0.1"]);
    let calls = (0..20).map(|_| call(&out, connection(&base, json!({}), "s3cret &="), &base));
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer.unwrap(), json!("Bearer token-1"));
    }
    assert_eq!(call(&out, connection(&base, json!({}), "s3cret &="), &base).await.unwrap(), json!("Bearer token-1"));
    let in_body = connection(&base, json!({"client_auth": "body"}), "s3cret &=");
    assert_eq!(call(&out, in_body, &base).await.unwrap(), json!("Bearer token-2"), "another way has another token");
    assert_eq!(giver.given.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_fetched_anew_once_by_one_caller() {
    let giver = Arc::<Giver>::default();
    let base = service(Arc::clone(&giver), json!(null)).await;
    let out = outgoing(&["127.0.0.1"]);
    let again = || call(&out, connection(&base, json!({}), "s3cret &="), &base);
    assert_eq!(again().await.unwrap(), json!("Bearer token-1"));
    giver.least.store(2, Ordering::SeqCst);
    for answer in futures::future::join_all((0..10).map(|_| again())).await {
        assert_eq!(answer.unwrap(), json!("Bearer token-2"));
    }
    assert_eq!(giver.given.load(Ordering::SeqCst), 2);
    giver.least.store(100, Ordering::SeqCst);
    giver.asked.store(0, Ordering::SeqCst);
    assert_eq!(again().await.unwrap_err().code, "HTTP_STATUS");
    assert_eq!(giver.asked.load(Ordering::SeqCst), 2, "a fresh token that is refused is no reason to go on");
}

#[tokio::test]
async fn a_token_that_runs_out_is_not_used() {
    let giver = Arc::<Giver>::default();
    let base = service(Arc::clone(&giver), json!("5")).await;
    let out = outgoing(&["127.0.0.1"]);
    for number in 1..=2 {
        let answer = call(&out, connection(&base, json!({}), "s3cret &="), &base).await.unwrap();
        assert_eq!(answer, json!(format!("Bearer token-{number}")));
    }
}

#[tokio::test]
async fn what_goes_wrong_says_so_without_the_secret() {
    let base = service(Arc::default(), json!(60)).await;
    let out = outgoing(&["127.0.0.1"]);
    let refused = call(&out, connection(&base, json!({"client_auth": "body"}), "hush-hush"), &base).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.kind), ("OAUTH2_REFUSED", ErrorKind::Permanent));
    assert!(refused.message.ends_with("401 Unauthorized: invalid_client"), "{refused}");
    let dead = connection("http://127.0.0.1:9", json!({}), "hush-hush");
    assert_eq!(call(&out, dead, &base).await.unwrap_err().kind, ErrorKind::Transient);
    let denied = call(&outgoing(&[]), connection(&base, json!({}), "hush-hush"), &base).await.unwrap_err();
    assert_eq!(denied.code, "HTTP_HOST_DENIED");
    let elsewhere = connection(&base, json!({"hosts": ["api.example.com"]}), "s3cret &=");
    assert_eq!(call(&out, elsewhere, &base).await.unwrap_err().code, "CONNECTION_HOST_DENIED");
}

#[tokio::test]
async fn tokens_are_among_what_must_not_be_written_down_and_a_test_fetches_one() {
    let base = service(Arc::default(), json!(60)).await;
    let open = connection(&base, json!({}), "s3cret &=");
    assert_eq!(open.test(&outgoing(&["127.0.0.1"])).await.unwrap(), "a token was given out");
    let learned = open.learned();
    assert_eq!(learned.iter().map(SecretText::expose).collect::<Vec<_>>(), ["token-1"]);
}

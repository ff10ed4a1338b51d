//! Other people's libraries of Standard Webhooks: what they sign is taken, and what we sign is taken by them.

use std::process::Stdio;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::app::{Home, TestApp, doubling};
use crate::notifications::{Arrived, Receiver, create as created, is_signed_by};
use crate::webhooks::{SECRET, deployed, now, path, problem};

/// The folder that scripts/install-libraries filled.
const FOLDER: &str = "FLOWFORGE_TEST_LIBRARIES";

/// What a library's script says about this.
async fn script(language: &str, what: &str, given: &Value) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test has no settings")]
    let folder = std::env::var(FOLDER).unwrap_or_else(|_| panic!("{FOLDER} names no folder; run `make test`"));
    let (program, file) = match language {
        "python" => (format!("{folder}/python/bin/python"), "webhooks.py"),
        _ => ("node".to_owned(), "webhooks.mjs"),
    };
    let mut child = Command::new(program)
        .args([&format!("{folder}/{file}"), what])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{language} {what}");
    String::from_utf8(output.stdout).unwrap()
}

/// The signature that a library makes.
async fn signed(language: &str, id: &str, at: i64, body: &str) -> String {
    match language {
        "rust" => Webhook::new(SECRET).unwrap().sign(id, at, body.as_bytes()).unwrap(),
        _ => script(language, "sign", &json!({"secret": SECRET, "id": id, "seconds": at, "body": body})).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node.js, Python and the libraries; scripts/test installs them and runs this"]
async fn deliveries_that_three_libraries_sign_are_taken_once_and_not_when_a_byte_is_changed() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let url = path(&deployed(&app, "signed", json!({"verify": "standard"}), Some("sender")).await, 0);
    for language in ["rust", "node", "python"] {
        let (id, at, body) = (format!("msg_{language}"), now(), format!("{{\"from\":\"{language}\",\"ä\":1}}"));
        let signature = signed(language, &id, at, &body).await;
        let send = async |body: String| {
            let request = app.http.post(app.url(&url)).header("webhook-id", &id).header("webhook-timestamp", at);
            let request = request.header("webhook-signature", &signature).header("content-type", "application/json");
            problem(request.body(body).send().await.unwrap()).await
        };
        assert_eq!(send(body.replace("1}", "2}")).await.1["reason"], "SIGNATURE_WRONG", "{language}");
        assert_eq!(send(body.clone()).await.0, 202, "{language}");
        assert_eq!(send(body).await.1["reason"], "REPLAYED", "{language}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node.js, Python and the libraries; scripts/test installs them and runs this"]
async fn what_is_sent_is_accepted_by_three_libraries_and_not_with_a_changed_byte_or_another_secret() {
    let receiver = Receiver::answering(204).await;
    let home = Home::sqlite().await.with("HTTP__ALLOW_HOSTS", &receiver.host);
    let app = TestApp::start(&home).await;
    app.publish("double", &doubling()).await;
    let input = json!({"name": "ends", "events": ["run.succeeded"], "url": receiver.url()});
    let secret = created(&app, input).await["secret"].as_str().unwrap().to_owned();
    let callback = json!({"url": receiver.url(), "secret": SECRET});
    let start = json!({"workflow": "double", "input": {"n": 1}, "key": "häß\u{fffd}lich", "callback": callback});
    app.changed("startRun", start, "run { id }").await;
    let arrived = receiver.wait(2).await;
    let of = |secret: &str| arrived.iter().find(|one| is_signed_by(secret, one)).unwrap().clone();
    for (secret, other) in [(secret.as_str(), SECRET), (SECRET, secret.as_str())] {
        let Arrived { headers, body } = of(secret);
        for language in ["rust", "node", "python"] {
            let says = async |secret: &str, body: &str| verified(language, secret, &json!(headers), body).await;
            assert_eq!(says(secret, &body).await, "ok", "{language}");
            assert_eq!(says(secret, &body.replace("SUCCEEDED", "SUCCEEDEd")).await, "refused", "{language}");
            assert_eq!(says(other, &body).await, "refused", "{language}");
        }
    }
    app.stop().await;
}

/// What a library says of a delivery.
async fn verified(language: &str, secret: &str, headers: &Value, body: &str) -> String {
    if language != "rust" {
        return script(language, "verify", &json!({"secret": secret, "headers": headers, "body": body})).await;
    }
    let named = |(name, value): (&String, &Value)| {
        (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value.as_str().unwrap()).unwrap())
    };
    let headers: HeaderMap = headers.as_object().unwrap().iter().map(named).collect();
    let verified = Webhook::new(secret).unwrap().verify(body.as_bytes(), &headers);
    if verified.is_ok() { "ok".to_owned() } else { "refused".to_owned() }
}

//! Other people's libraries of Standard Webhooks: what they sign is taken, and what we sign is taken by them.

use std::process::Stdio;

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::app::{Home, TestApp};
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

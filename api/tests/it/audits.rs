//! The 61 audits of `graphql-http`, and the clients `graphql-sse` and `graphql-ws`, against a real server. They need Node.js: `make test` sees to it and runs them.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::app::{Home, TestApp};

/// The folder that scripts/install-audits filled.
const FOLDER: &str = "FLOWFORGE_TEST_AUDITS";
/// Audits that do not pass: id, outcome and why that is so, by tabs. Empty lines and those from `#` on count nothing.
const KNOWN: &str = include_str!("../audits/known.tsv");

/// Runs a script against a server; what it printed.
async fn node(app: &TestApp, script: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a test has no settings")]
    let folder = std::env::var(FOLDER).unwrap_or_else(|_| panic!("{FOLDER} names no folder; run `make test`"));
    let script = Command::new("node")
        .arg(format!("{folder}/{script}"))
        .arg(app.url("/graphql"))
        .env("FLOWFORGE_API_KEY", &app.key)
        .stderr(Stdio::inherit())
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), script).await.unwrap().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node.js and graphql-http; scripts/test installs them and runs this"]
async fn every_audit_of_graphql_over_http_passes_or_is_known() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let text = node(&app, "audits.mjs").await;
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 61, "{text}");
    let failed: BTreeMap<&str, &str> =
        lines.iter().filter(|line| line[0] != "ok").map(|line| (line[1], line[0])).collect();
    let known = KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let known: BTreeMap<&str, &str> = known
        .map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [id, outcome, why] if why.len() > 20 => (id, outcome),
            _ => panic!("an audit that does not pass is listed with its outcome and a reason: {line}"),
        })
        .collect();
    assert_eq!(failed, known, "left: what did not pass; right: what api/tests/audits/known.tsv says\n{text}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node.js and the clients; scripts/test installs them and runs this"]
async fn the_usual_clients_of_both_transports_understand_the_server() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    assert_eq!(node(&app, "clients.mjs").await, "sse ok\nws ok\n");
    app.stop().await;
}

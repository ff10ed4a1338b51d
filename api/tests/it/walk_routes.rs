//! Every route besides `/graphql`, as somebody asks it who does not see what it is about. The routes are read off the
//! router's own table: a new one without a row here fails.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::json;

use crate::app::{Home, TestApp, on_both_databases};
use crate::tenancy::other_workspace;
use crate::walk::one_of_each;

/// What a route is about.
enum About {
    /// One thing of this kind, whose id stands in the path.
    Thing(&'static str),
    /// A run that has succeeded, whose id stands in the path.
    Ended,
    /// Rows of the workspace of whoever asks.
    Rows,
    /// Nothing that belongs to a workspace.
    Nothing,
    /// What the path itself is the credential for.
    Address,
}

const ROUTES: &[(&str, About)] = &[
    ("/api/v1/artifact-links/{link}", About::Address),
    ("/api/v1/artifact-uploads/{link}", About::Address),
    ("/api/v1/artifacts/{id}/content", About::Thing("art")),
    ("/api/v1/audit", About::Rows),
    ("/api/v1/node-runs/{id}/output", About::Thing("nrun")),
    ("/api/v1/runs/{id}", About::Thing("run")),
    ("/api/v1/runs/{id}/input", About::Thing("run")),
    ("/api/v1/runs/{id}/output", About::Ended),
    ("/auth", About::Nothing),
    ("/auth/back-channel-logout", About::Nothing),
    ("/auth/callback", About::Nothing),
    ("/auth/sign-in", About::Nothing),
    ("/health", About::Nothing),
    ("/hooks/{*address}", About::Address),
    ("/metrics", About::Nothing),
    ("/ready", About::Nothing),
    ("/session", About::Nothing),
];

#[test]
fn every_route_has_a_row() {
    let paths: BTreeSet<&str> = api::rest_paths().into_iter().collect();
    let rows: BTreeSet<&str> = ROUTES.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, rows, "left: in the router; right: in the table");
}

async fn get(app: &TestApp, key: &str, path: &str) -> (StatusCode, String) {
    let answer = app.http.get(app.url(path)).bearer_auth(key).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// A run of [`one_of_each`] that has ended; it is short.
async fn ended(app: &TestApp) -> String {
    let query = "{ runs(first: 1, filter: {status: [SUCCEEDED]}) { nodes { id } } }";
    loop {
        let found = app.ask(query, json!({})).await;
        if let Some(id) = found["runs"]["nodes"][0]["id"].as_str() {
            return id.to_owned();
        }
        tokio::task::yield_now().await;
    }
}

/// Asks every route by a key that sees none of these things. Rows may be denied, or be others.
pub(crate) async fn nothing_is_told(
    app: &TestApp,
    key: &str,
    things: &BTreeMap<&'static str, String>,
    hidden: &[&str],
) {
    for (path, about) in ROUTES {
        let path = match about {
            About::Thing(kind) => path.replace("{id}", &things[kind]),
            About::Ended => path.replace("{id}", &ended(app).await),
            About::Rows | About::Nothing => (*path).to_owned(),
            // The address of a webhook opens it for everybody who knows it, with a key or without.
            About::Address => continue,
        };
        let (status, text) = get(app, key, &path).await;
        match about {
            About::Thing(_) | About::Ended => {
                assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
                let (own, _) = get(app, &app.key, &path).await;
                assert_eq!(own, StatusCode::OK, "{path} is there for whoever sees it");
            }
            About::Rows => assert!(matches!(status, StatusCode::OK | StatusCode::FORBIDDEN), "{path}: {status}"),
            About::Nothing | About::Address => {}
        }
        let told = hidden.iter().find(|id| !path.contains(**id) && text.contains(**id));
        assert_eq!(told, None, "{path}: {text}");
    }
}

on_both_databases! {
    async fn b1_every_route_is_blind_for_another_workspaces_ids(home: Home) {
        let app = TestApp::start(&home).await;
        let things = one_of_each(&app, &home).await;
        let (_, stranger) = other_workspace(&home).await;
        let hidden: Vec<&str> = things.values().map(String::as_str).collect();
        nothing_is_told(&app, &stranger, &things, &hidden).await;
        app.stop().await;
    }
}

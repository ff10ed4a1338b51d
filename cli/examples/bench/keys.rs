//! What it costs to show an API key: a thousand requests a second by many keys, beside as many that need none.

use std::time::Duration;

use serde_json::json;

use crate::server::Server;

/// Keys that ask in turn: each is looked up anew every five seconds.
const KEYS: usize = 50;
const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 10;

/// CPU of a whole request by key, which is more than that of its authentication, and of one without.
pub(crate) async fn measure(server: &Server, database: &str) {
    let mut keys = Vec::with_capacity(KEYS);
    for number in 0..KEYS {
        let query =
            "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }";
        let made = server.ask(query, json!({"input": {"name": format!("k{number}"), "role": "viewer"}})).await;
        keys.push(made["createApiKey"]["secret"].as_str().unwrap().to_owned());
    }
    let graphql = format!("{}/graphql", server.url);
    let keyed = cpu(server, |number| {
        let key = &keys[number % KEYS];
        server.client.post(&graphql).bearer_auth(key).json(&json!({"query": "{ __typename }"}))
    });
    let keyed = keyed.await;
    let health = format!("{}/health", server.url);
    let open = cpu(server, |_| server.client.get(&health)).await;
    println!("| {database} | {keyed:.3} | {open:.3} | {:.3} |", keyed - open);
}

/// CPU milliseconds of the server for each request, at a steady rate.
async fn cpu(server: &Server, request: impl Fn(usize) -> reqwest::RequestBuilder) -> f64 {
    let before = server.cpu();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut asked = tokio::task::JoinSet::new();
    for number in 0..(PER_SECOND * SECONDS) as usize {
        ticks.tick().await;
        let request = request(number);
        asked.spawn(async move {
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success());
            answer.bytes().await.unwrap();
        });
    }
    while let Some(answer) = asked.join_next().await {
        answer.unwrap();
    }
    (server.cpu() - before) * 1_000.0 / f64::from(PER_SECOND * SECONDS)
}

/// The head of the table.
pub(crate) fn head() {
    println!(
        "\n| 1,000 requests a second | `{{ __typename }}` by one of {KEYS} keys: CPU ms | `/health`: CPU ms | more |"
    );
    println!("|---|---|---|---|");
}

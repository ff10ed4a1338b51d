//! Fifty secrets are planted and used by runs that succeed, fail, time out and are answered with what they sent, in six
//! encodings. Afterwards none of them may be found anywhere that the server wrote to, or in anything that it answered.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as Route, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Map, Value, json};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::client::Api;
use crate::home::{Home, On, text};
use crate::random::Random;

const SECRETS: usize = 50;
/// Stands in everything that the service answers, and is no secret: what does not find it would find nothing.
const MARKER: &str = "marker-that-is-no-secret";
/// What the service does with a call, by path.
const MODES: [&str; 8] = ["json", "text", "large", "refused", "busy", "silent", "cut", "broken"];

/// Ten alphabets; each holds what some encoding has to escape.
const ALPHABETS: [&str; 10] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHJKLMNPQRSTUVWXYZ23456789",
    "0123456789",
    "0123456789abcdef",
    "abcXYZ+/=-_.~",
    "!#$%&'()*+,-./:;<=>?@[]^_`{|}~aB3",
    "a\"b\\c/d\"e\\",
    "äöüßÄÖÜéèñ",
    "ключпарольΩλπ",
    "鍵暗号🔑🔒秘密 x",
];

fn planted(seed: u64) -> Vec<String> {
    let random = Random::new(seed);
    (0..SECRETS)
        .map(|at| {
            let alphabet: Vec<char> = ALPHABETS[at % ALPHABETS.len()].chars().collect();
            let length = 12 + at % 20;
            let drawn: String =
                (0..length).map(|_| alphabet[random.number(0..alphabet.len() as u64) as usize]).collect();
            // Headers lose blanks at their ends.
            format!("k{}z", drawn.trim())
        })
        .collect()
}

/// The six encodings, written apart from the server's own.
fn encodings(secret: &str) -> [String; 6] {
    let percent: String = secret
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let json = serde_json::to_string(secret).unwrap();
    [
        secret.to_owned(),
        STANDARD.encode(secret),
        URL_SAFE.encode(secret),
        hex::encode(secret),
        percent,
        json[1..json.len() - 1].to_owned(),
    ]
}

fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The secret that a call carries, wherever its connection puts it.
fn carried(headers: &HeaderMap, query: Option<&str>) -> String {
    let of = |name: &str| headers.get(name).map(|value| lossy(value.as_bytes()));
    if let Some(pair) = of("authorization").as_deref().and_then(|value| value.strip_prefix("Basic ")) {
        let pair = lossy(&STANDARD.decode(pair).unwrap());
        return pair.split_once(':').unwrap().1.to_owned();
    }
    if let Some(token) = of("authorization").as_deref().and_then(|value| value.strip_prefix("Bearer ")) {
        return token.to_owned();
    }
    let url = reqwest::Url::parse(&format!("http://x/?{}", query.unwrap_or_default())).unwrap();
    let parameter = url.query_pairs().find(|(name, _)| name == "api_key").map(|(_, value)| value.into_owned());
    of("x-key").or(parameter).unwrap_or_default()
}

/// A service that gives everything away.
async fn answer(mode: &str, secret: &str, headers: &HeaderMap, query: Option<&str>) -> Response {
    let seen: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), lossy(value.as_bytes()).into())).collect();
    let told = json!({"marker": MARKER, "forms": encodings(secret), "headers": seen, "query": query, secret: secret});
    match mode {
        "json" => {
            let mut response = axum::Json(told).into_response();
            if let Ok(value) = secret.parse() {
                response.headers_mut().insert("x-echo", value);
            }
            response
        }
        "text" => format!("{MARKER} {} {told}", encodings(secret).join(" ")).into_response(),
        "large" => axum::Json(json!({"filling": "x".repeat(70_000), "told": told})).into_response(),
        "refused" => (StatusCode::UNAUTHORIZED, format!("{MARKER} {}", encodings(secret).join(" "))).into_response(),
        "busy" => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")], told.to_string()).into_response(),
        "silent" => std::future::pending().await,
        "cut" => {
            let start = stream::iter([Ok(told.to_string()), Err(std::io::Error::other("gone"))]);
            Body::from_stream(start.boxed()).into_response()
        }
        _ => (StatusCode::OK, format!("no JSON: {MARKER} {secret}")).into_response(),
    }
}

async fn service() -> (String, Arc<Mutex<BTreeSet<(String, String)>>>) {
    let seen: Arc<Mutex<BTreeSet<(String, String)>>> = Arc::default();
    let kept = Arc::clone(&seen);
    let tell = move |Route(mode): Route<String>, RawQuery(query): RawQuery, headers: HeaderMap| {
        let secret = carried(&headers, query.as_deref());
        kept.lock().unwrap().insert((mode.clone(), secret.clone()));
        async move { answer(&mode, &secret, &headers, query.as_deref()).await }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{mode}", axum::routing::any(tell));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

/// A call in each mode, side by side; results and errors go on as data.
fn definition(url: &str) -> Value {
    let mut nodes = json!({"start": {"type": "trigger.manual@1"}});
    let mut edges = Vec::new();
    for mode in MODES {
        let response = if mode == "text" { "text" } else { "json" };
        nodes[mode] = json!({
            "type": "http.request@1",
            "connection": "planted",
            "retry": {"attempts": 2, "initial": "10ms"},
            "config": {"url": format!("{url}/{mode}"), "response": response, "timeout": "700ms"},
        });
        nodes[format!("{mode}_done")] = json!({"type": "data.set@1", "config": {"value": "{{ input.body }}"}});
        nodes[format!("{mode}_failed")] = json!({"type": "data.set@1", "config": {"value": "{{ input.error }}"}});
        edges.push(json!({"from": "start", "to": mode}));
        edges.push(json!({"from": mode, "to": format!("{mode}_done")}));
        edges.push(json!({"from": format!("{mode}.error"), "to": format!("{mode}_failed")}));
    }
    json!({"nodes": nodes, "edges": edges})
}

/// A call that is refused, and nothing that handles it.
fn failing(url: &str) -> Value {
    json!({
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "call": {"type": "http.request@1", "connection": "planted", "config": {"url": format!("{url}/refused")}},
        },
        "edges": [{"from": "start", "to": "call"}],
    })
}

async fn connect(api: &Api, at: usize, secret: &str) {
    let (kind, fields, secrets) = match at % 5 {
        0 => ("http.bearer", json!({}), json!({"token": secret})),
        1 => ("http.basic", json!({"username": format!("user{at}")}), json!({"password": secret})),
        2 => ("http.header", json!({"name": "X-Key"}), json!({"value": secret})),
        3 => ("http.custom", json!({}), json!({"headers": format!("X-App: app-{at}\nX-Key: {secret}")})),
        _ => ("http.query", json!({"name": "api_key"}), json!({"value": secret})),
    };
    let query = "mutation($input: CreateConnectionInput!) { createConnection(input: $input) {
        connection { id } userErrors { code message } } }";
    let input = json!({"name": "planted", "environment": format!("e{at}"), "type": kind, "fields": fields,
        "secrets": secrets});
    api.change("createConnection", query, input).await;
}

async fn publish(api: &Api, name: &str, definition: &Value) -> String {
    let query = "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) {
        version { id } problems { code message } userErrors { code message } } }";
    let input = json!({"name": name, "definition": definition, "deploy": false});
    api.change("publishWorkflow", query, input).await["version"]["id"].as_str().unwrap().to_owned()
}

/// Everything that the API says of a run, once it has ended.
async fn told(api: &Api, run: &str) -> Value {
    let value = "{ preview(maxBytes: 65536) }";
    let query = format!(
        "query($id: ID!) {{ run(id: $id) {{ status input {value} output {value} error {{ code message }}
        nodeRuns(first: 100) {{ nodes {{ node status output {value} error {{ code message }} }} }} }} }}"
    );
    loop {
        let run = api.ask(&query, json!({"id": run})).await["run"].take();
        if matches!(run["status"].as_str(), Some("SUCCEEDED" | "FAILED")) {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

/// Every column of every row, each as its bytes: a file keeps long values in pieces.
async fn columns(home: &Home, on: On) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    match on {
        On::Sqlite => {
            let mut database = SqliteConnection::connect(&home.database_url()).await.unwrap();
            let sql =
                "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
            let names: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut database).await.unwrap();
            for (table, column) in names {
                let sql = format!("SELECT CAST(\"{column}\" AS BLOB) FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut database).await.unwrap();
                found.extend(rows.iter().map(|row| (format!("{table}.{column}"), row.get::<Vec<u8>, _>(0))));
            }
        }
        On::Postgres => {
            let mut database = PgConnection::connect(&home.database_url()).await.unwrap();
            let sql = "SELECT table_name::text, column_name::text, udt_name::text FROM information_schema.columns
                WHERE table_schema = 'public'";
            let names: Vec<(String, String, String)> = sqlx::query_as(sql).fetch_all(&mut database).await.unwrap();
            for (table, column, kind) in names {
                let bytes = match kind.as_str() {
                    "bytea" => format!("\"{column}\""),
                    _ => format!("convert_to(\"{column}\"::text, 'UTF8')"),
                };
                let sql = format!("SELECT {bytes} FROM \"{table}\" WHERE \"{column}\" IS NOT NULL");
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut database).await.unwrap();
                found.extend(rows.iter().map(|row| (format!("{table}.{column}"), row.get::<Vec<u8>, _>(0))));
            }
        }
    }
    found
}

/// The places that hold one of the needles.
fn search(places: &[(String, Vec<u8>)], needles: &[String]) -> Vec<String> {
    let escaped: Vec<String> = needles.iter().map(|needle| regex::escape(needle)).collect();
    let any = regex::bytes::Regex::new(&escaped.join("|")).unwrap();
    let mut found = Vec::new();
    for (place, bytes) in places {
        if let Some(at) = any.find(bytes) {
            let before = text(&bytes[at.start().saturating_sub(60)..at.start()]);
            found.push(format!("{:?} in {place} after {before:?}", text(at.as_bytes())));
        }
    }
    found
}

async fn no_planted_secret_is_found_anywhere(on: On) {
    let key = runtime::secret::new_key().unwrap();
    let home = Home::new(on).await.with("HTTP__ALLOW_HOSTS", "127.0.0.1").with("LOG__LEVEL", "trace");
    let home =
        if on == On::Postgres { home.with("SECRETS__MASTER_KEY", &key).with("LOG__FORMAT", "json") } else { home };
    let (url, seen) = service().await;
    let mut server = home.serve("server");
    let api = Api::at(&server.url, &home.key());
    let secrets = planted(0x5ec7e7);
    for (at, secret) in secrets.iter().enumerate() {
        connect(&api, at, secret).await;
    }
    let versions = [publish(&api, "all", &definition(&url)).await, publish(&api, "fails", &failing(&url)).await];
    let start =
        "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } userErrors { code message } } }";
    let mut runs = Vec::new();
    for at in 0..secrets.len() {
        for version in &versions {
            let input = json!({"versionId": version, "environment": format!("e{at}"), "input": {"marker": MARKER}});
            let started = api.change("startRun", start, input).await;
            runs.push(started["run"]["id"].as_str().unwrap().to_owned());
        }
    }
    let mut places = Vec::new();
    for run in &runs {
        let told = told(&api, run).await;
        places.push((format!("the answer on {run}"), told.to_string().into_bytes()));
        places.push((format!("the texts of the answer on {run}"), texts(&told).into_bytes()));
    }
    let list =
        "{ connections(first: 100) { nodes { id name environment type fields secretFields lastTest { message } } }
        workflows { nodes { latestVersion { definition } } } }";
    places.push(("the lists".to_owned(), api.ask(list, json!({})).await.to_string().into_bytes()));

    let seen = seen.lock().unwrap().clone();
    for secret in &secrets {
        for mode in MODES {
            assert!(seen.contains(&(mode.to_owned(), secret.clone())), "{mode} was not called with {secret:?}");
        }
    }
    // While the server runs, its write-ahead log is there too.
    files(home.folder(), &mut places);
    places.extend(columns(&home, on).await);
    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(30)).await);
    files(home.folder(), &mut places);

    let marked: BTreeSet<&str> = places
        .iter()
        .filter(|(_, bytes)| text(bytes).contains(MARKER))
        .map(|(place, _)| place.rsplit('/').nth(1).unwrap_or(place))
        .collect();
    for place in ["node_run.output", "node_run.error", "run.error", "run.input"] {
        assert!(marked.contains(place), "what is answered is kept in {place}: {marked:?}");
    }
    assert!(places.iter().any(|(place, bytes)| place.contains("artifacts") && text(bytes).contains(MARKER)));
    assert!(
        places
            .iter()
            .any(|(place, bytes)| place.ends_with("server.log") && text(bytes).contains("starting new connection"))
    );
    let needles: Vec<String> = secrets.iter().flat_map(|secret| encodings(secret)).collect();
    let found = search(&places, &needles);
    assert!(found.is_empty(), "{} finds, such as:\n{}", found.len(), found[..found.len().min(12)].join("\n"));
}

/// The texts of a value without the escapes of JSON.
fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(texts).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| format!("{name}\n{}", texts(field))).collect(),
        other => format!("{other}\n"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_no_planted_secret_is_found_anywhere() {
    no_planted_secret_is_found_anywhere(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_no_planted_secret_is_found_anywhere() {
    no_planted_secret_is_found_anywhere(On::Postgres).await;
}

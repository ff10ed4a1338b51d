//! Files go through whole: from a webhook, from and to services, as downloads; in a folder and in a bucket.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Multipart, Path};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures::StreamExt as _;
use reqwest::multipart::{Form, Part};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::app::{Home, TestApp, on_both_databases};
use crate::tenancy::other_workspace;

/// Bytes that do not repeat soon.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(next).collect()
}

pub(crate) fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A service that says what it was sent, and sends files.
pub(crate) async fn service() -> String {
    async fn mirror(headers: HeaderMap, body: Bytes) -> axum::Json<Value> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        axum::Json(json!({
            "size": body.len(), "sha256": sum(&body), "type": text("content-type"), "length": text("content-length"),
        }))
    }
    async fn form(mut form: Multipart) -> axum::Json<Value> {
        let mut fields = Vec::new();
        while let Some(field) = form.next_field().await.unwrap() {
            let of = |text: Option<&str>| text.map(str::to_owned);
            let (name, file, media) = (of(field.name()), of(field.file_name()), of(field.content_type()));
            fields.push(json!([name, file, media, sum(&field.bytes().await.unwrap())]));
        }
        axum::Json(Value::Array(fields))
    }
    async fn bytes(Path(len): Path<usize>) -> Response {
        let pieces: Vec<_> = noise(len).chunks(70_001).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        let head =
            [("content-disposition", "attachment; filename=\"../../etc/da ta.bin\""), ("content-type", "x/noise")];
        (head, Body::from_stream(futures::stream::iter(pieces))).into_response()
    }
    let router = Router::new()
        .route("/mirror", post(mirror).put(mirror))
        .route("/form", post(form))
        .route("/bytes/{len}", get(bytes))
        // A server that answers while more comes, and hangs up, may take its answer with it.
        .route("/moved", post(async |_: Bytes| axum::response::Redirect::temporary("/mirror")))
        .route(
            "/broken",
            get(async || {
                let pieces = [Ok(vec![1; 3_000_000]), Err(std::io::Error::other("gone"))];
                Body::from_stream(futures::stream::iter(pieces))
            }),
        )
        .layer(axum::extract::DefaultBodyLimit::disable());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    host
}

/// A webhook that takes files, and a call that sends what came.
fn passing(host: &str, call: Value) -> Value {
    let mut config = json!({"method": "POST", "url": format!("http://{host}/mirror"), "timeout": "2m"});
    config.as_object_mut().unwrap().extend(call.as_object().unwrap().clone());
    json!({
        "nodes": {
            "hook": {"type": "trigger.webhook@1", "config": {"body": "file"}},
            "send": {"type": "http.request@1", "config": config},
        },
        "edges": [{"from": "hook", "to": "send"}],
    })
}

pub(crate) async fn hook(app: &TestApp, name: &str, definition: &Value) -> String {
    let published = app.publish(name, definition).await;
    assert_eq!(published["problems"], json!([]), "{published:#}");
    let query = "query($n: String!) { workflow(name: $n) { triggerBindings { webhook { urls { path } } } } }";
    let found = app.ask(query, json!({"n": name})).await;
    found["workflow"]["triggerBindings"][0]["webhook"]["urls"][0]["path"].as_str().unwrap().to_owned()
}

pub(crate) async fn started(answer: reqwest::Response) -> String {
    let (status, body): (_, Value) = (answer.status(), answer.json().await.unwrap());
    assert_eq!(status, 202, "{body}");
    body["runId"].as_str().unwrap().to_owned()
}

pub(crate) async fn files_of(app: &TestApp, run: &str) -> Vec<Value> {
    let query = "query($id: ID!) { run(id: $id) { artifacts { totalCount nodes {
        id name mediaType size sha256 node contentPath run { id } } } } }";
    app.ask(query, json!({"id": run})).await["run"]["artifacts"]["nodes"].as_array().unwrap().clone()
}

async fn goes_through(home: &Home) {
    let host = service().await;
    let app = TestApp::start(home).await;
    let path = hook(&app, "pass", &passing(&host, json!({"body_file": "{{ input.body }}"}))).await;
    // Nothing, a little, more than is put at once, more than a part of an upload.
    for len in [0, 10, 2_000_000, 20_000_000] {
        let bytes = noise(len);
        let request = app.http.post(app.url(&path)).header("content-type", "x/y").body(bytes.clone());
        let run =
            started(request.header("content-disposition", "attachment; filename=a.bin").send().await.unwrap()).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        let said = &seen["output"]["json"]["body"];
        let wanted = json!({"size": len, "sha256": sum(&bytes), "type": "x/y", "length": len.to_string()});
        assert_eq!(*said, wanted, "{len}");
        let files = files_of(&app, &run).await;
        assert_eq!(files.len(), 1);
        let file = &files[0];
        assert_eq!(
            (&file["name"], &file["size"], &file["sha256"]),
            (&json!("a.bin"), &json!(len), &json!(sum(&bytes)))
        );
        assert_eq!((&file["node"], &file["run"]["id"]), (&Value::Null, &json!(run)));
        let content = app.http.get(app.url(file["contentPath"].as_str().unwrap())).bearer_auth(&app.key);
        let got = content.send().await.unwrap().bytes().await.unwrap();
        assert!(got == bytes, "{len}");
    }
    app.stop().await;
}

/// A place of its own in the bucket that the tests are given.
#[expect(clippy::disallowed_methods, reason = "the servers of the tests are told by the environment")]
pub(crate) fn in_a_bucket(home: Home) -> Home {
    let url = std::env::var("FLOWFORGE_TEST_S3").unwrap_or_else(|_| panic!("FLOWFORGE_TEST_S3 names no S3 server"));
    let url: reqwest::Url = url.parse().unwrap();
    let place =
        format!("s3:/{}/{}", url.path().trim_end_matches('/'), runtime::clock::Clock::system().new_id().simple());
    home.with("ARTIFACT__URL", &place)
        .with("ARTIFACT__ENDPOINT", &format!("http://{}:{}", url.host_str().unwrap(), url.port().unwrap()))
        .with("ARTIFACT__ACCESS_KEY", url.username())
        .with("ARTIFACT__SECRET_KEY", url.password().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_through_a_bucket() {
    let home = in_a_bucket(Home::sqlite().await.with("HTTP__ALLOW_HOSTS", "127.0.0.1"));
    goes_through(&home).await;
}

on_both_databases! {
    async fn a_file_goes_from_a_webhook_to_a_service(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        goes_through(&home).await;
    }

    async fn a_form_brings_its_files_and_texts_and_is_sent_on(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let form = json!({"note": "{{ input.body.note }}", "n": 1, "doc": "{{ input.body.doc }}"});
        let call = json!({"url": format!("http://{host}/form"), "form": form});
        let path = hook(&app, "pass", &passing(&host, call)).await;
        let (one, two) = (noise(100), noise(3_000_000));
        let part = |bytes: &[u8], name: &'static str| Part::bytes(bytes.to_vec()).file_name(name).mime_str("text/csv").unwrap();
        let form = Form::new().text("note", "hello").part("doc", part(&one, "a/b.csv")).part("doc", part(&two, "c.csv"));
        let run = started(app.http.post(app.url(&path)).multipart(form).send().await.unwrap()).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        assert_eq!(seen["output"]["json"]["body"], json!([
            ["doc", "b.csv", "text/csv", sum(&one)],
            ["doc", "c.csv", "text/csv", sum(&two)],
            ["n", null, null, sum(b"1")],
            ["note", null, null, sum(b"hello")],
        ]), "{seen:#}");
        app.stop().await;
    }

    async fn an_answer_is_kept_as_a_file_and_a_redirect_gets_it_again(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let len = 9_000_001;
        let get = |path: String| json!({"type": "http.request@1", "config": {"url": format!("http://{host}{path}"), "response": "file"}});
        app.publish("copy", &json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "get": get(format!("/bytes/{len}")),
                "put": {"type": "http.request@1", "config": {
                    "method": "POST", "url": format!("http://{host}/moved"), "body_file": "{{ input.body }}"}},
            },
            "edges": [{"from": "start", "to": "get"}, {"from": "get", "to": "put"}],
        })).await;
        let run = app.start_run("copy", json!(null)).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["output"]["json"]["body"]["sha256"], sum(&noise(len)), "{seen:#}");
        let files = files_of(&app, &run).await;
        assert_eq!((&files[0]["name"], &files[0]["node"], &files[0]["mediaType"]), (&json!("da ta.bin"), &json!("get"), &json!("x/noise")));
        // What breaks off is no file.
        app.publish("break", &json!({
            "nodes": {"start": {"type": "trigger.manual@1"}, "get": get("/broken".to_owned())},
            "edges": [{"from": "start", "to": "get"}],
        })).await;
        let run = app.start_run("break", json!(null)).await;
        let seen = app.finish(&run).await;
        assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("FAILED"), &json!("HTTP_CONNECTION_LOST")), "{seen:#}");
        assert_eq!(files_of(&app, &run).await, Vec::<Value>::new());
        app.stop().await;
    }

    async fn a_handle_that_somebody_else_wrote_is_only_data(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let path = hook(&app, "pass", &passing(&host, json!({"body_file": "{{ input.body }}"}))).await;
        let run = started(app.http.post(app.url(&path)).body("secret").send().await.unwrap()).await;
        app.finish(&run).await;
        let handle = files_of(&app, &run).await[0].clone();
        let send = |of: &str| json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "keep": {"type": "data.set@1", "config": {"value": "{{ input }}"}},
                "send": {"type": "http.request@1", "config": {"method": "POST", "url": format!("http://{host}/mirror"), "body_file": of}},
            },
            "edges": [{"from": "start", "to": "keep"}, {"from": "keep", "to": "send"}],
        });
        app.publish("forge", &send("{{ trigger.doc }}")).await;
        for (doc, code) in [
            (json!({"$file": handle["id"], "name": "a", "mediaType": "b/c", "size": 6, "sha256": handle["sha256"]}), "FILE_NOT_FOUND"),
            (json!({"$file": format!("art_{}", "0".repeat(32))}), "FILE_NOT_FOUND"),
            (json!({"$file": "/etc/passwd"}), "CONFIG_INVALID"),
            (json!({"$file": {"filepath": "/etc/passwd"}}), "CONFIG_INVALID"),
        ] {
            let run = app.start_run("forge", json!({"doc": doc})).await;
            let query = "query($id: ID!) { run(id: $id) { nodeRuns { nodes { node output { json } } } } }";
            let seen = app.finish(&run).await;
            assert_eq!(seen["error"]["code"], code, "{seen:#}");
            let kept = app.ask(query, json!({"id": run})).await;
            let nodes = kept["run"]["nodeRuns"]["nodes"].as_array().unwrap().clone();
            let data = nodes.iter().find(|node| node["node"] == "keep").unwrap();
            assert_eq!(data["output"]["json"]["doc"], doc, "it stays what it was");
        }
        // Another try of the same run has its files.
        let again = app.changed("retryRun", json!({"runId": run}), "run { id }").await["run"]["id"].clone();
        let seen = app.finish(again.as_str().unwrap()).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        app.stop().await;
    }

    async fn a_download_is_an_attachment_in_parts_and_only_for_those_who_see_the_run(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let path = hook(&app, "pass", &passing(&host, json!({"body_file": "{{ input.body }}"}))).await;
        let page = "<script>alert(1)</script>";
        let request = app.http.post(app.url(&path)).header("content-type", "text/html").body(page);
        let name = "attachment; filename*=UTF-8''..%2F%C3%BC%22%0D%0Ax.html";
        let run = started(request.header("content-disposition", name).send().await.unwrap()).await;
        app.finish(&run).await;
        let file = files_of(&app, &run).await[0].clone();
        let url = app.url(file["contentPath"].as_str().unwrap());
        let get = |key: &str, range: Option<&'static str>| {
            let request = app.http.get(&url).bearer_auth(key);
            range.into_iter().fold(request, |request, range| request.header("range", range)).send()
        };
        let whole = get(&app.key, None).await.unwrap();
        let header = |name: &str| whole.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''%C3%BC%22x.html");
        assert!(header("content-security-policy").contains("sandbox"));
        assert_eq!((header("x-content-type-options"), header("content-length")), ("nosniff".to_owned(), "25".to_owned()));
        assert_eq!(whole.text().await.unwrap(), page);
        let part = get(&app.key, Some("bytes=8-12")).await.unwrap();
        assert_eq!((part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()), (206, "bytes 8-12/25"));
        assert_eq!(part.text().await.unwrap(), page[8..13]);
        assert_eq!(get(&app.key, Some("bytes=25-")).await.unwrap().status(), 416);
        let (_, stranger) = other_workspace(&home).await;
        assert_eq!(get(&stranger, None).await.unwrap().status(), 404);
        assert_eq!(app.http.get(&url).send().await.unwrap().status(), 401);
        let swapped = url.replace("art_", "run_");
        assert_eq!(app.http.get(swapped).bearer_auth(&app.key).send().await.unwrap().status(), 404);
        app.stop().await;
    }

    async fn a_delivery_that_comes_again_is_kept_once_and_one_that_breaks_off_not_at_all(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1").with("ARTIFACT__MAX_FILE", "2");
        let app = TestApp::start(&home).await;
        let path = hook(&app, "pass", &passing(&host, json!({"body_file": "{{ input.body }}"}))).await;
        let send = async |bytes: Vec<u8>| {
            app.http.post(app.url(&path)).header("idempotency-key", "one").body(bytes).send().await.unwrap()
        };
        let first = started(send(noise(100)).await).await;
        let again = send(noise(100)).await;
        assert_eq!(again.headers()["idempotent-replayed"], "true");
        assert_eq!(started(again).await, first);
        assert_eq!(send(noise(101)).await.status(), 422, "the same id with another body");
        app.finish(&first).await;
        let large = app.http.post(app.url(&path)).body(noise(2 * 1024 * 1024 + 1)).send().await.unwrap();
        assert_eq!(large.status(), 413);
        let pieces = futures::stream::iter([Ok(noise(1_500_000)), Err(std::io::Error::other("gone"))]);
        let broken = app.http.post(app.url(&path)).body(reqwest::Body::wrap_stream(pieces.boxed())).send().await;
        assert!(broken.is_err() || broken.unwrap().status() == 400);
        let rows = entity::artifact::Entity::find().all(home.database.database.read()).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        app.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_that_takes_files_is_not_told_by_signatures() {
    let home = Home::sqlite().await;
    let app = TestApp::start(&home).await;
    let definition = json!({
        "nodes": {"hook": {"type": "trigger.webhook@1", "config": {"body": "file", "verify": "github"}, "connection": "c"}},
        "edges": [],
    });
    app.changed(
        "createConnection",
        json!({"name": "c", "type": "webhook.signing", "secrets": {"secret": crate::webhooks::SECRET}}),
        "",
    )
    .await;
    let published = app.publish("x", &definition).await;
    let problems = published["problems"].to_string();
    assert!(problems.contains("signature is checked over the whole body"), "{published:#}");
    app.stop().await;
}

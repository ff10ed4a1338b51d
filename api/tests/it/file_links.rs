//! Files that are sent before a run needs them, and links to files: through the server, and straight into a bucket.

use std::time::Duration;

use api::auth::Role;
use api::service::artifact::link::{LinkError, Shown};
use reqwest::{Method, StatusCode};
use runtime::clock::Clock;
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};
use crate::files::{files_of, in_a_bucket, noise, service, sum};
use crate::in_process::idle_app_at;
use crate::tenancy::other_workspace;

const UPLOAD: &str = "upload { artifactId token method url headers { name value } expiresAt }";
const FILE: &str = "artifact { id name mediaType size sha256 run { id } contentPath expiresAt }";

/// Says that a file is about to be sent.
async fn upload(app: &TestApp, name: &str, size: Option<usize>) -> Value {
    let input = json!({"name": name, "mediaType": "text/csv", "size": size});
    app.changed("createArtifactUpload", input, UPLOAD).await["upload"].clone()
}

/// A URL that may be below the server's.
fn whole(app: &TestApp, url: &Value) -> String {
    let url = url.as_str().unwrap();
    if url.starts_with('/') { app.url(url) } else { url.to_owned() }
}

/// Puts bytes where an upload says.
async fn put(app: &TestApp, upload: &Value, bytes: Vec<u8>) -> reqwest::Response {
    let mut request = app.http.put(whole(app, &upload["url"])).body(bytes);
    for header in upload["headers"].as_array().unwrap() {
        request = request.header(header["name"].as_str().unwrap(), header["value"].as_str().unwrap());
    }
    request.send().await.unwrap()
}

async fn complete(app: &TestApp, upload: &Value) -> Value {
    let input = json!({"token": upload["token"]});
    app.changed("completeArtifactUpload", input, FILE).await["artifact"].clone()
}

/// A file that waits for runs.
async fn sent(app: &TestApp, name: &str, bytes: Vec<u8>) -> Value {
    let upload = upload(app, name, Some(bytes.len())).await;
    let answer = put(app, &upload, bytes).await;
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    complete(app, &upload).await
}

/// A workflow that sends the file it is started with to a service.
async fn sending(app: &TestApp, name: &str, host: &str) -> Value {
    let call = json!({"method": "POST", "url": format!("http://{host}/mirror"), "body_file": "{{ trigger.doc }}"});
    let definition = json!({
        "nodes": {"start": {"type": "trigger.manual@1"}, "send": {"type": "http.request@1", "config": call}},
        "edges": [{"from": "start", "to": "send"}],
    });
    let published = app.publish(name, &definition).await;
    json!({"workflowId": published["workflow"]["id"], "definition": definition})
}

async fn link(app: &TestApp, file: &Value) -> Value {
    let input = json!({"artifactId": file["id"], "minutes": 5});
    app.changed("createArtifactLink", input, "link { url expiresAt }").await["link"]["url"].clone()
}

/// From sending it over runs to a link to what they kept.
async fn is_sent_and_shared(app: &TestApp) {
    let host = service().await;
    sending(app, "send", &host).await;
    for len in [0, 10, 9_000_000] {
        let bytes = noise(len);
        let file = sent(app, "gr\u{f6}\u{df}e.csv", bytes.clone()).await;
        assert_eq!((&file["size"], &file["sha256"]), (&json!(len), &json!(sum(&bytes))));
        assert_eq!((&file["name"], &file["run"]), (&json!("gr\u{f6}\u{df}e.csv"), &Value::Null));
        let given = json!([{"field": "doc", "artifactId": file["id"]}]);
        let start = json!({"workflow": "send", "input": {"n": 1}, "files": given, "idempotencyKey": format!("k{len}")});
        let run = app.try_start(start.clone()).await;
        assert_eq!((&run["userErrors"], &run["replayed"]), (&json!([]), &json!(false)));
        let run = run["run"]["id"].as_str().unwrap().to_owned();
        let seen = app.finish(&run).await;
        assert_eq!(seen["output"]["json"]["body"]["sha256"], sum(&bytes), "{seen:#}");
        // The run has a file of its own, and asking again starts no other.
        let files = files_of(app, &run).await;
        assert_eq!((files.len(), &files[0]["sha256"]), (1, &json!(sum(&bytes))));
        assert_ne!(files[0]["id"], file["id"]);
        // The same bytes sent anew are the same.
        let anew = sent(app, "gr\u{f6}\u{df}e.csv", bytes.clone()).await;
        let mut start = start;
        start["files"][0]["artifactId"] = anew["id"].clone();
        let again = app.try_start(start).await;
        assert_eq!((&again["replayed"], &again["run"]["id"]), (&json!(true), &json!(run)));
        // Whoever has the link needs nothing else.
        let url = whole(app, &link(app, &files[0]).await);
        let got = reqwest::get(&url).await.unwrap();
        let disposition = got.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert_eq!(disposition, "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.csv", "{url}");
        assert_eq!((got.status(), &got.headers()["content-type"]), (StatusCode::OK, &"text/csv".parse().unwrap()));
        assert!(got.bytes().await.unwrap() == bytes, "{len}");
    }
}

/// The same letters with one other in the middle.
fn changed(text: &str, at: usize) -> String {
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_sent_into_a_bucket_and_shared_from_there() {
    let home = Home::sqlite().await.with("HTTP__ALLOW_HOSTS", "127.0.0.1").with("ARTIFACT__DIRECT", "true");
    let home = in_a_bucket(home);
    let app = TestApp::start(&home).await;
    is_sent_and_shared(&app).await;
    // The bucket's server takes as many bytes as were told, at the place that was signed, and only that.
    let told = upload(&app, "a", Some(10)).await;
    let url = told["url"].as_str().unwrap();
    assert!(url.contains("/under-way/"), "{url}");
    assert_eq!(app.refused("completeArtifactUpload", json!({"token": told["token"]})).await, "CONFLICT");
    let elsewhere = url.replacen("/under-way/", "/under-way/0", 1);
    let answer = app.http.put(&elsewhere).body("0123456789").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{elsewhere}");
    assert_eq!(app.http.get(url).send().await.unwrap().status(), StatusCode::FORBIDDEN, "a link to put gets nothing");
    // What was sent is taken once: what is put there later changes nothing.
    assert!(put(&app, &told, b"0123456789".to_vec()).await.status().is_success());
    let file = complete(&app, &told).await;
    assert_eq!(file["sha256"], sum(b"0123456789"));
    assert!(put(&app, &told, b"9876543210".to_vec()).await.status().is_success());
    assert_eq!(complete(&app, &told).await["sha256"], sum(b"0123456789"));
    let got = reqwest::get(whole(&app, &link(&app, &file).await)).await.unwrap();
    assert_eq!(got.text().await.unwrap(), "0123456789");
    // B3: the signature is for one object.
    let other = sent(&app, "b", b"another".to_vec()).await;
    let (mine, its) = (link(&app, &file).await, link(&app, &other).await);
    let key = |url: &Value| url.as_str().unwrap().split('?').next().unwrap().to_owned();
    let swapped = mine.as_str().unwrap().replacen(&key(&mine), &key(&its), 1);
    assert_eq!(reqwest::get(&swapped).await.unwrap().status(), StatusCode::FORBIDDEN, "{swapped}");
    app.stop().await;
}

on_both_databases! {
    async fn a_file_is_sent_and_shared(home: Home) {
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        is_sent_and_shared(&app).await;
        app.stop().await;
    }

    async fn as_many_bytes_come_as_were_told_and_once(home: Home) {
        let home = home.with("ARTIFACT__MAX_FILE", "1");
        let app = TestApp::start(&home).await;
        let told = upload(&app, "a.csv", Some(10)).await;
        assert_eq!(app.refused("completeArtifactUpload", json!({"token": told["token"]})).await, "CONFLICT");
        for (bytes, status) in [("", 400), ("012345678", 400), ("01234567890", 400), ("0123456789", 201), ("0123456789", 201), ("9876543210", 409)] {
            let answer = put(&app, &told, bytes.into()).await;
            assert_eq!(answer.status(), status, "{bytes}");
        }
        let file = complete(&app, &told).await;
        assert_eq!((&file["id"], &file["sha256"]), (&told["artifactId"], &json!(sum(b"0123456789"))));
        assert_eq!(complete(&app, &told).await, file, "saying it again answers with the same");
        // Where nobody knows how many, the server's bound holds.
        let open = upload(&app, "a.csv", None).await;
        assert_eq!(put(&app, &open, vec![0; 1024 * 1024 + 1]).await.status(), 413);
        assert_eq!(put(&app, &open, vec![0; 1024 * 1024]).await.status(), 201);
        for input in [
            json!({"name": "../a"}), json!({"name": ""}), json!({"name": "a", "size": 1_048_577}),
            json!({"name": "a", "mediaType": "csv"}), json!({"name": "a", "mediaType": "a/b\r\nx: y"}),
        ] {
            assert_eq!(app.refused("createArtifactUpload", input.clone()).await, "BAD_USER_INPUT", "{input}");
        }
        assert_eq!(app.refused("createArtifactUpload", json!({"name": "a", "project": "nowhere"})).await, "NOT_FOUND");
        app.stop().await;
    }

    async fn b3_a_link_opens_what_it_was_made_for_until_its_time_is_over(home: Home) {
        let app = TestApp::start(&home).await;
        let (one, two) = (sent(&app, "one", b"1".to_vec()).await, sent(&app, "two", b"2".to_vec()).await);
        let (first, second) = (link(&app, &one).await, link(&app, &two).await);
        let (first, second) = (first.as_str().unwrap(), second.as_str().unwrap());
        let told = upload(&app, "a", None).await["url"].as_str().unwrap().to_owned();
        assert_eq!(app.get(first).await.text().await.unwrap(), "1");
        // Any other letter, another's signature, another use.
        let (claims, mac) = first.rsplit('/').next().unwrap().split_once('.').unwrap();
        let (others, its) = second.rsplit('/').next().unwrap().split_once('.').unwrap();
        let send = told.rsplit('/').next().unwrap();
        let mut wrong = vec![format!("{claims}.{its}"), format!("{others}.{mac}"), claims.to_owned(), format!("{claims}."), send.to_owned()];
        wrong.extend((0..claims.len()).step_by(7).map(|at| format!("{}.{mac}", changed(claims, at))));
        wrong.extend((0..mac.len() - 1).step_by(7).map(|at| format!("{claims}.{}", changed(mac, at))));
        for link in wrong {
            let answer = app.get(&format!("/api/v1/artifact-links/{link}")).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{link}");
        }
        for (method, path) in [(Method::PUT, first.replace("-links", "-uploads")), (Method::PUT, told.replacen('.', ".A", 1)), (Method::GET, told.clone())] {
            let answer = app.http.request(method.clone(), app.url(&path)).body("x").send().await.unwrap();
            let wanted = if method == Method::GET { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::NOT_FOUND };
            assert_eq!(answer.status(), wanted, "{method} {path}");
        }
        // Its time.
        let shown = || Shown::parse(first.rsplit('/').next().unwrap()).unwrap();
        let now = Clock::system().now();
        for (later, is_over) in [(Duration::from_secs(240), false), (Duration::from_secs(301), true)] {
            let inside = idle_app_at(&home, Clock::fixed(now.plus(later))).await;
            let found = shown().file(&inside).await;
            assert_eq!(matches!(found, Err(LinkError::Over)), is_over, "{found:?}");
            inside.runtime.stop().await;
        }
        for minutes in [0, 10_081] {
            let input = json!({"artifactId": one["id"], "minutes": minutes});
            assert_eq!(app.refused("createArtifactLink", input).await, "BAD_USER_INPUT");
        }
        app.stop().await;
    }

    async fn a_run_is_started_with_files_of_its_project_only(home: Home) {
        let app = TestApp::start(&home).await;
        let echo = json!({"nodes": {"start": {"type": "trigger.manual@1"}, "keep": {"type": "data.set@1", "config": {"value": "{{ trigger }}"}}},
            "edges": [{"from": "start", "to": "keep"}]});
        app.publish("echo", &echo).await;
        let file = sent(&app, "a", b"a".to_vec()).await;
        app.changed("createProject", json!({"slug": "apart"}), "").await;
        let input = json!({"name": "b", "project": "apart"});
        let apart = app.changed("createArtifactUpload", input, UPLOAD).await["upload"].clone();
        put(&app, &apart, b"b".to_vec()).await;
        let (_, stranger) = other_workspace(&home).await;
        let given = |id: &Value| json!([{"field": "doc", "artifactId": id}]);
        for (input, files) in [
            (json!({}), given(&apart["artifactId"])),
            (json!({}), given(&json!(format!("art_{}", "0".repeat(32))))),
            (json!({}), given(&json!("../../etc/passwd"))),
            (json!({"doc": 1}), given(&file["id"])),
            (json!([]), given(&file["id"])),
            (json!({}), json!([given(&file["id"])[0], given(&file["id"])[0]])),
            (json!({}), json!((0..21).map(|n| json!({"field": format!("f{n}"), "artifactId": file["id"]})).collect::<Vec<_>>())),
        ] {
            let answer = app.try_start(json!({"workflow": "echo", "input": input, "files": files})).await;
            assert_eq!(answer["userErrors"][0]["code"], "BAD_USER_INPUT", "{files} {answer:#}");
            assert_eq!(answer["userErrors"][0]["field"], json!(["input", "files"]), "{answer:#}");
        }
        let run = app.try_start(json!({"workflow": "echo", "files": given(&file["id"])})).await["run"]["id"].clone();
        let seen = app.finish(run.as_str().unwrap()).await;
        let doc = &seen["output"]["json"]["doc"];
        assert_eq!((&doc["name"], &doc["size"]), (&json!("a"), &json!(1)), "{seen:#}");
        // Another workspace has neither the file nor the upload, whatever it shows.
        let told = upload(&app, "c", Some(1)).await;
        put(&app, &told, b"c".to_vec()).await;
        let query = "mutation($i: CompleteArtifactUploadInput!) { it: completeArtifactUpload(input: $i) { artifact { id } userErrors { code } } }";
        let answer = app.ask_as(&stranger, query, json!({"i": {"token": told["token"]}})).await;
        assert_eq!(answer["data"]["it"]["userErrors"][0]["code"], "BAD_USER_INPUT", "{answer:#}");
        let viewer = home.key(Role::Viewer).await;
        let answer = app.ask_as(&viewer, query, json!({"i": {"token": told["token"]}})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer:#}");
        app.stop().await;
    }

    async fn a_test_run_uses_the_files_of_its_workflows_runs(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let (one, two) = (sending(&app, "one", &host).await, sending(&app, "two", &host).await);
        let file = sent(&app, "a", b"a".to_vec()).await;
        let files = json!([{"field": "doc", "artifactId": file["id"]}]);
        let run = app.try_start(json!({"workflow": "one", "files": files})).await["run"]["id"].clone();
        let run = run.as_str().unwrap();
        assert_eq!(app.finish(run).await["status"], "SUCCEEDED");
        let handle = json!({"$file": files_of(&app, run).await[0]["id"]});
        for (mut test, status) in [(one, "SUCCEEDED"), (two, "FAILED")] {
            test["input"] = json!({"doc": handle});
            let started = app.changed("testRun", test, "run { id }").await["run"]["id"].clone();
            let seen = app.finish(started.as_str().unwrap()).await;
            assert_eq!(seen["status"], status, "{seen:#}");
        }
        // A run that counts takes no handle from outside, whoever wrote it.
        let run = app.start_run("one", json!({"doc": handle})).await;
        assert_eq!(app.finish(&run).await["error"]["code"], "FILE_NOT_FOUND");
        app.stop().await;
    }

    async fn a_test_run_is_given_files_as_a_start_is(home: Home) {
        let host = service().await;
        let home = home.with("HTTP__ALLOW_HOSTS", "127.0.0.1");
        let app = TestApp::start(&home).await;
        let mut test = sending(&app, "one", &host).await;
        test["definition"]["input_schema"] = json!({"type": "object", "required": ["doc"], "properties": {
            "doc": {"type": "object", "required": ["$file", "size"], "properties": {"size": {"type": "integer"}}}}});
        let bytes = noise(2_000_000);
        let file = sent(&app, "a.bin", bytes.clone()).await;
        let given = |file: &Value| json!([{"field": "doc", "artifactId": file["id"]}]);
        let count = async || entity::artifact::Entity::find().count(home.database.database.read()).await.unwrap();
        // Looking at what it would do gives it nothing yet.
        let plan = "query($i: TestRunInput!) { testPlan(input: $i) { nodes { node fate } userErrors { code field message } } }";
        test["input"] = json!({});
        let without = app.ask(plan, json!({"i": test})).await["testPlan"].clone();
        assert_eq!(without["userErrors"][0]["field"], json!(["input", "input"]), "{without:#}");
        test["files"] = given(&file);
        let planned = app.ask(plan, json!({"i": test})).await["testPlan"].clone();
        assert_eq!((&planned["userErrors"], &planned["nodes"][0]["fate"]), (&json!([]), &json!("RUNS")), "{planned:#}");
        assert_eq!(count().await, 1);
        test["idempotencyKey"] = json!("once");
        let started = app.changed("testRun", test.clone(), "run { id } replayed").await;
        let run = started["run"]["id"].as_str().unwrap();
        let seen = app.finish(run).await;
        assert_eq!(seen["output"]["json"]["body"]["sha256"], sum(&bytes), "{seen:#}");
        let files = files_of(&app, run).await;
        assert_eq!((files.len(), &files[0]["sha256"]), (1, &json!(sum(&bytes))));
        assert_ne!(files[0]["id"], file["id"]);
        // The same bytes sent anew are the same test; other bytes are not.
        test["files"] = given(&sent(&app, "a.bin", bytes.clone()).await);
        let again = app.changed("testRun", test.clone(), "run { id } replayed").await;
        assert_eq!((&again["replayed"], &again["run"]["id"]), (&json!(true), &json!(run)));
        test["files"] = given(&sent(&app, "a.bin", b"other".to_vec()).await);
        assert_eq!(app.refused("testRun", test.clone()).await, "IDEMPOTENCY_MISMATCH");
        // The trigger's pin is its input, in which the file has its place.
        test.as_object_mut().unwrap().retain(|name, _| !["idempotencyKey", "input"].contains(&name.as_str()));
        test["pins"] = json!([{"node": "start", "output": {"n": 1}}]);
        let pinned = app.changed("testRun", test.clone(), "run { id }").await["run"]["id"].clone();
        let seen = app.finish(pinned.as_str().unwrap()).await;
        assert_eq!(seen["output"]["json"]["body"]["sha256"], sum(b"other"), "{seen:#}");
        app.changed("createProject", json!({"slug": "apart"}), "").await;
        let apart = app.changed("createArtifactUpload", json!({"name": "b", "project": "apart"}), UPLOAD).await["upload"].clone();
        put(&app, &apart, b"b".to_vec()).await;
        for (input, files) in [
            (json!({"doc": 1}), given(&file)),
            (json!([]), given(&file)),
            (json!({}), given(&json!({"id": apart["artifactId"]}))),
            (json!({}), given(&json!({"id": "../../etc/passwd"}))),
        ] {
            (test["input"], test["files"]) = (input, files);
            let refused = app.change("testRun", test.clone(), "run { id }").await;
            assert_eq!((&refused["run"], &refused["userErrors"][0]["field"]), (&Value::Null, &json!(["input", "files"])), "{refused:#}");
        }
        app.stop().await;
    }
}

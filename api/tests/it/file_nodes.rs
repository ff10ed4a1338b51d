//! Nodes that make, read and convert files, in runs: from a webhook to a result, and from an archive to downloads.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};

use crate::app::{Home, TestApp, on_both_databases};
use crate::files::{files_of, hook, started, sum};

/// A chain of nodes behind a webhook that takes files.
fn chain(nodes: &[(&str, Value)]) -> Value {
    let hook = json!({"type": "trigger.webhook@1", "config": {"body": "file"}});
    let mut all = serde_json::Map::from_iter([("hook".to_owned(), hook)]);
    let (mut edges, mut last) = (Vec::new(), "hook");
    for (key, node) in nodes {
        all.insert((*key).to_owned(), node.clone());
        edges.push(json!({"from": last, "to": key}));
        last = key;
    }
    json!({"nodes": all, "edges": edges})
}

fn convert(config: Value) -> Value {
    json!({"type": "file.convert@1", "config": config})
}

async fn sent(app: &TestApp, path: &str, name: &str, bytes: Vec<u8>) -> String {
    let request = app.http.post(app.url(path)).header("content-type", "application/octet-stream").body(bytes);
    let said = format!("attachment; filename={name}");
    started(request.header("content-disposition", said).send().await.unwrap()).await
}

async fn downloaded(app: &TestApp, file: &Value) -> Vec<u8> {
    let path = format!("/api/v1/artifacts/{}/content", file["$file"].as_str().unwrap());
    let answer = app.http.get(app.url(&path)).bearer_auth(&app.key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.bytes().await.unwrap().to_vec()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in members {
        writer.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

on_both_databases! {
    async fn a_table_becomes_lines_becomes_a_text_becomes_the_result(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = chain(&[
            ("lines", convert(json!({"file": "{{ input.body }}", "to": "jsonl", "csv": {"delimiter": ";"}}))),
            ("read", json!({"type": "artifact.read@1", "config": {"file": "{{ input }}"}})),
        ]);
        let path = hook(&app, "lines", &definition).await;
        let run = sent(&app, &path, "orders.csv", b"id;name\r\n1;\"a;b\"\r\n2;gr\xC3\xBCn\r\n".to_vec()).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        let lines = "{\"id\":\"1\",\"name\":\"a;b\"}\n{\"id\":\"2\",\"name\":\"grün\"}\n";
        assert_eq!(seen["output"]["json"], lines, "{seen:#}");
        let files = files_of(&app, &run).await;
        let made = files.iter().find(|file| file["node"] == "lines").unwrap();
        assert_eq!((&made["name"], &made["mediaType"]), (&json!("orders.jsonl"), &json!("application/jsonl")));
        assert_eq!(made["sha256"], sum(lines.as_bytes()));
        // What cannot be converted says where, and leaves no file.
        let run = sent(&app, &path, "orders.csv", b"a;b\n1\n".to_vec()).await;
        let seen = app.finish(&run).await;
        assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("FAILED"), &json!("CSV_INVALID")), "{seen:#}");
        assert_eq!(files_of(&app, &run).await.len(), 1);
        app.stop().await;
    }

    async fn an_archive_becomes_files_that_are_downloaded(home: Home) {
        let app = TestApp::start(&home).await;
        let unpack = convert(json!({"file": "{{ input.body }}", "to": "files"}));
        let path = hook(&app, "unpack", &chain(&[("unpack", unpack)])).await;
        let large: Vec<u8> = (0..3_000_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()).collect();
        let members: [(&str, &[u8]); 3] = [("a.csv", b"a,b\n"), ("docs/large.bin", &large), ("empty", b"")];
        let run = sent(&app, &path, "all.zip", archive(&members)).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        let entries = seen["output"]["json"].as_array().unwrap().clone();
        for (entry, (path, bytes)) in entries.iter().zip(members) {
            assert_eq!(entry["path"], path);
            assert_eq!(entry["file"]["sha256"], sum(bytes));
            assert!(downloaded(&app, &entry["file"]).await == bytes, "{path}");
        }
        let run = sent(&app, &path, "evil.zip", archive(&[("good", b"x"), ("../evil", b"x")])).await;
        let seen = app.finish(&run).await;
        assert_eq!((&seen["status"], &seen["error"]["code"]), (&json!("FAILED"), &json!("ZIP_UNSAFE_NAME")), "{seen:#}");
        assert_eq!(files_of(&app, &run).await.len(), 1);
        app.stop().await;
    }

    async fn values_become_a_file_that_is_packed_with_what_came(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = chain(&[
            ("report", json!({"type": "artifact.write@1", "config": {"content": "for {{ input.body.name }}", "name": "report.txt"}})),
            ("pack", convert(json!({"to": "zip", "name": "all.zip", "file": ["{{ input }}", {"path": "in/it", "file": "{{ trigger.body }}"}]}))),
            ("list", convert(json!({"file": "{{ input }}"}))),
        ]);
        let path = hook(&app, "pack", &definition).await;
        let run = sent(&app, &path, "a.bin", vec![7; 100]).await;
        let seen = app.finish(&run).await;
        assert_eq!(seen["status"], "SUCCEEDED", "{seen:#}");
        let wanted = json!([{"path": "report.txt", "size": 9}, {"path": "in/it", "size": 100}]);
        assert_eq!(seen["output"]["json"], wanted, "{seen:#}");
        app.stop().await;
    }
}

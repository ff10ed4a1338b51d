//! Files from the command line.

use serde_json::json;

use crate::client::Api;
use crate::home::{Home, On};
use crate::terminal::Terminal;

#[tokio::test]
async fn a_file_is_sent_given_to_a_run_listed_shared_and_got_back() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let api = Api::at(&server.url, &terminal.key);
    let definition = json!({
        "nodes": {
            "start": { "type": "trigger.manual@1" },
            "keep": { "type": "data.set@1", "config": { "value": "{{ input.doc.name }}" } },
        },
        "edges": [{ "from": "start", "to": "keep" }],
    });
    api.publish("keep", &definition).await;
    let path = home.folder().join("r\u{e9}sum\u{e9}.csv");
    let bytes = vec![7; 3_000_000];
    std::fs::write(&path, &bytes).unwrap();
    let given = format!("doc={}", path.display());
    let start = ["workflow", "run", "keep", "--file", &given, "--idempotency-key", "once"];
    let started = terminal.done(&start);
    let run = started["run"]["id"].as_str().unwrap().to_owned();
    assert_eq!(terminal.done(&start)["replayed"], true, "the same bytes are the same start");
    let ended = api.until(&run, std::time::Duration::from_secs(30), |run| run["status"] == "SUCCEEDED").await;
    assert_eq!(ended["status"], "SUCCEEDED");
    let files = terminal.done(&["artifact", "list", "--run", &run]);
    let file = &files["artifacts"][0];
    assert_eq!(
        (&file["name"], &file["mediaType"], &file["size"]),
        (&json!("r\u{e9}sum\u{e9}.csv"), &json!("text/csv"), &json!(3_000_000))
    );
    let id = file["id"].as_str().unwrap();

    // A test of the draft is given one in the same way.
    let tested = terminal.done(&["workflow", "test", "keep", "--file", &given]);
    assert_eq!((&tested["mode"], &tested["output"]["preview"]), (&json!("TEST"), &json!("\"r\u{e9}sum\u{e9}.csv\"")));
    let planned = terminal.done(&["workflow", "test", "keep", "--file", &given, "--plan"]);
    assert_eq!(planned["nodes"][0], json!({ "node": "keep", "fate": "RUNS", "effect": "PURE" }), "{planned}");

    // The file is there under its name already, and stays.
    let (code, _, said) = terminal.run(&["artifact", "download", id]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--force"), "{said}");
    let to = home.folder().join("got.csv");
    terminal.done(&["artifact", "download", id, "--to", to.to_str().unwrap()]);
    assert!(std::fs::read(&to).unwrap() == bytes);
    let link = terminal.done(&["artifact", "link", id, "--minutes", "1"]);
    let got = reqwest::get(link["url"].as_str().unwrap()).await.unwrap();
    assert!(got.bytes().await.unwrap() == bytes);

    let sent = terminal.done(&["artifact", "upload", path.to_str().unwrap(), "--name", "other.bin"]);
    assert_eq!(sent["artifact"]["mediaType"], "application/octet-stream");
    for (wrong, exit) in [
        (["artifact", "upload", "/nowhere/at/all"], 2),
        (["artifact", "upload", "/"], 2),
        (["artifact", "download", "art_00000000000000000000000000000000"], 5),
        (["artifact", "link", "art_00000000000000000000000000000000"], 5),
    ] {
        let (code, out, said) = terminal.run(&wrong);
        assert_eq!(code, Some(exit), "{wrong:?}: {out}{said}");
    }

    let checked = home.json(&["admin", "check-artifacts"]);
    assert_eq!((&checked["strays"], &checked["missing"], &checked["inUse"]), (&json!([]), &json!([]), &json!(1)));
    let object = std::fs::read_dir(home.folder().join("data/artifacts"))
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name() != "under-way");
    let folder = std::fs::read_dir(object.unwrap().path()).unwrap().flatten().next().unwrap().path();
    std::fs::write(folder.join("stranger"), "x").unwrap();
    let blob = std::fs::read_dir(&folder).unwrap().flatten().find(|entry| entry.file_name() != "stranger").unwrap();
    std::fs::remove_file(blob.path()).unwrap();
    let (code, checked) = {
        let output = home.run(&["admin", "check-artifacts", "--output", "json"]);
        (output.status.code(), serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap())
    };
    assert_eq!((code, checked["strays"].as_array().map(Vec::len)), (Some(1), Some(1)), "{checked}");
    assert_eq!(checked["missing"].as_array().map(Vec::len), Some(1), "{checked}");
}

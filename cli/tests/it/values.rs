//! Run data from the command line, whole.

use serde_json::{Value, json};

use crate::client::Api;
use crate::home::{Home, On};
use crate::terminal::Terminal;

#[tokio::test]
async fn what_a_run_gave_is_got_whole_whatever_its_size() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let api = Api::at(&server.url, &terminal.key);
    let definition = json!({
        "nodes": {
            "start": { "type": "trigger.manual@1" },
            "keep": { "type": "data.set@1", "config": { "value": "{{ input.rows }}" } },
            "each": { "type": "data.set@1", "config": { "value": "{{ item }}" }, "for_each": { "items": "{{ input }}" } },
        },
        "edges": [{ "from": "start", "to": "keep" }, { "from": "keep", "to": "each" }],
        "output": "{{ nodes.keep.output }}",
    });
    api.publish("rows", &definition).await;
    let (first, second) = ("a".repeat(300_000), "b".repeat(300_000));
    let input = json!({ "rows": [first, second] });
    let path = home.folder().join("input.json");
    std::fs::write(&path, input.to_string()).unwrap();
    let given = format!("@{}", path.display());
    let started = terminal.done(&["workflow", "run", "rows", "--input", &given]);
    let run = started["run"]["id"].as_str().unwrap();
    assert_eq!(terminal.run(&["run", "watch", run]).0, Some(0));

    for (wanted, value) in [
        (&["run", "output", run] as &[&str], &input["rows"]),
        (&["run", "output", run, "--input"], &input),
        (&["run", "output", run, "--node", "keep"], &input["rows"]),
        (&["run", "output", run, "--node", "each.1"], &input["rows"][1]),
    ] {
        let (code, out, said) = terminal.run(wanted);
        assert_eq!(code, Some(0), "{wanted:?}: {said}");
        let whole = value.to_string();
        assert!(out == whole, "{wanted:?}: {} bytes", out.len());
    }
    let (_, shown, _) = terminal.run(&["run", "get", run]);
    assert!(shown.contains(&format!("flowforge run output {run}")), "{shown:.500}");

    let to = home.folder().join("output.json");
    let to_file = ["run", "output", run, "--to", to.to_str().unwrap()];
    assert_eq!(terminal.done(&to_file)["bytes"], json!(600_007));
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(&to).unwrap()).unwrap(), input["rows"]);
    let (code, _, said) = terminal.run(&to_file);
    assert!(code == Some(1) && said.contains("--force"), "{said}");
    terminal.done(&[&to_file as &[&str], &["--force"]].concat());
    // What does not come leaves no file.
    let nowhere = home.folder().join("nothing.json");
    for (wrong, exit) in [
        (["run", "output", run, "--node", "absent"], 5),
        (["run", "output", run, "--node", "no such node"], 5),
        (["run", "output", run, "--node", "each.x"], 2),
        (["run", "output", "run_00000000000000000000000000000000", "--node", "keep"], 5),
        (["run", "output", "../../health", "--node", "keep"], 5),
    ] {
        let (code, out, said) = terminal.run(&[&wrong as &[&str], &["--to", nowhere.to_str().unwrap()]].concat());
        assert_eq!(code, Some(exit), "{wrong:?}: {out}{said}");
        assert!(!nowhere.exists(), "{wrong:?}");
    }
}

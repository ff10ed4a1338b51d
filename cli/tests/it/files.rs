//! Workflows as files: what they say and what the server has.

use std::path::Path;

use serde_json::json;

use crate::home::{Home, On};
use crate::terminal::Terminal;

const TWO: &str = "apiVersion: flowforge/v1
kind: Workflow
metadata: { name: greet, title: Greets people }
definition:
  nodes:
    start: { type: trigger.manual@1 }
    hello: { type: data.set@1, config: { value: 'Hello {{ input.name }}' } }
  edges:
    - { from: start, to: hello }
---
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: echo }
definition:
  nodes:
    start: { type: trigger.manual@1 }
";

fn write(folder: &Path, text: &str) -> String {
    let file = folder.join("two.flow.yaml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = write(home.folder(), TWO);
    let dry = ["workflow", "apply", "--dry-run", &file];
    for _ in 0..2 {
        let (code, drift) = terminal.json(&dry);
        assert_eq!((code, &drift["workflows"][0]["change"]), (Some(2), &json!("CREATE")), "{drift}");
    }
    assert_eq!(terminal.run(&["workflow", "apply", &file]).0, Some(0));
    let (code, drift) = terminal.json(&dry);
    assert_eq!((code, &drift["workflows"][1]["change"]), (Some(0), &json!("NONE")), "{drift}");

    write(home.folder(), &TWO.replace("Hello {{", "Good day {{"));
    let (code, out, err) = terminal.run(&dry);
    assert_eq!(code, Some(2), "{err}");
    for line in ["-        value: Hello {{ input.name }}", "+        value: Good day {{ input.name }}"] {
        assert!(out.contains(line), "{line} in {out}");
    }
    let (code, drift) = terminal.json(&["workflow", "apply", "--dry-run", "--environment", "live", &file]);
    assert_eq!((code, &drift["workflows"][1]["change"]), (Some(2), &json!("DEPLOY")), "{drift}");

    write(home.folder(), &TWO.replace("to: hello", "to: gone"));
    let (code, drift) = terminal.json(&dry);
    assert_eq!((code, &drift["workflows"][0]["change"]), (Some(2), &json!("REFUSE")), "{drift}");
    assert_eq!(drift["workflows"][0]["problems"][0]["code"], "EDGE_DANGLING", "{drift}");
}

#[tokio::test]
async fn what_is_exported_applies_as_the_same_definition() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = write(home.folder(), TWO);
    let (_, first) = terminal.json(&["workflow", "apply", &file]);
    let folder = home.folder().join("exported");
    let folder = folder.to_str().unwrap();
    assert_eq!(terminal.run(&["workflow", "export", "--to", folder]).0, Some(0));
    for (name, at) in [("greet", 0), ("echo", 1)] {
        let (code, again) = terminal.json(&["workflow", "apply", &format!("{folder}/{name}.flow.yaml")]);
        assert_eq!((code, &again["workflows"][0]["outcome"]), (Some(0), &json!("UNCHANGED")), "{again}");
        assert_eq!(again["workflows"][0]["version"]["hash"], first["workflows"][at]["version"]["hash"]);
    }
    let (_, out, _) = terminal.run(&["workflow", "export", "greet"]);
    assert!(out.contains("title: Greets people\n"), "{out}");
    let (code, _, err) = terminal.run(&["workflow", "export", "greet", "--environment", "live"]);
    assert_eq!(code, Some(5), "{err}");
}

#[tokio::test]
async fn documents_are_checked_without_a_server() {
    let home = Home::new(On::Sqlite).await;
    let file = write(home.folder(), TWO);
    let valid = home.json(&["workflow", "validate", &file]);
    assert_eq!((&valid["workflows"][0]["valid"], &valid["workflows"][0]["problems"]), (&json!(true), &json!([])));
    write(home.folder(), &TWO.replace("data.set@1", "data.sat@1"));
    let found = home.run(&["workflow", "validate", &file]);
    assert_eq!(found.status.code(), Some(2));
    let out = crate::home::text(&found.stdout);
    assert!(out.contains("greet invalid") && out.contains("node hello") && out.contains("echo valid"), "{out}");
    write(home.folder(), &TWO.replace("name: echo", "name: greet"));
    let twice = home.run(&["workflow", "apply", &file]);
    assert_eq!(twice.status.code(), Some(2), "{}", crate::home::text(&twice.stderr));
}

#[tokio::test]
async fn versions_are_listed_compared_deployed_and_rolled_back() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = write(home.folder(), TWO);
    terminal.json(&["workflow", "apply", &file]);
    write(home.folder(), &TWO.replace("Hello {{", "Good day {{"));
    terminal.json(&["workflow", "apply", &file, "--note", "politer"]);

    let deployed = || {
        let (_, listed) = terminal.json(&["version", "list", "greet"]);
        let versions = listed["versions"].as_array().unwrap().clone();
        assert_eq!((versions.len(), &versions[0]["number"], &versions[0]["note"]), (2, &json!(2), &json!("politer")));
        [versions[0]["deployedIn"].clone(), versions[1]["deployedIn"].clone()]
    };
    assert_eq!(deployed(), [json!(["default"]), json!([])]);
    let (code, out, err) = terminal.run(&["version", "diff", "greet", "1"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("-      value: Hello {{ input.name }}\n+      value: Good day {{ input.name }}\n"), "{out}");
    let (code, rolled) = terminal.json(&["version", "deploy", "greet", "1"]);
    assert_eq!((code, &rolled["deployment"]["version"]["number"], &rolled["before"]), (Some(0), &json!(1), &json!(2)));
    assert_eq!(deployed(), [json!([]), json!(["default"])]);
    assert_eq!(terminal.run(&["version", "deploy", "greet", "3"]).0, Some(5));

    let (_, audit) = terminal.json(&["audit", "list", "--action", "version.published", "--first", "1"]);
    assert_eq!(audit["audit"][0]["after"]["number"], 2, "{audit}");
    let next = audit["next"].as_str().unwrap();
    let (_, audit) = terminal.json(&["audit", "list", "--action", "version.published", "--after", next]);
    assert_eq!((audit["audit"].as_array().map(Vec::len), &audit["next"]), (Some(2), &json!(null)), "{audit}");
    let (code, out, _) = terminal.run(&["audit", "export"]);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (anchor, rows) = lines.split_last().unwrap();
    let last = rows.last().unwrap()["seq"].as_u64().unwrap();
    let seqs: Vec<_> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!((code, seqs), (Some(0), (1..=last).collect::<Vec<_>>()));
    assert_eq!(anchor["anchor"]["seq"], last, "{anchor}");
    let kept = home.folder().join("audit.jsonl");
    std::fs::write(&kept, out).unwrap();
    let verified = terminal.home.json(&["audit", "verify", "--export", kept.to_str().unwrap()]);
    assert_eq!((&verified["intact"], &verified["remembered"]), (&json!(true), &json!(last + 1)), "{verified}");
    let (_, csv, _) = terminal.run(&["audit", "export", "--format", "csv", "--action", "version.published"]);
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert_eq!(terminal.run(&["version", "list", "nowhere"]).0, Some(5));
}

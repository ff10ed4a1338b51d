//! Commands for what surrounds workflows: runs that are tried again and read, variables, secrets, projects.

use serde_json::{Value, json};

use crate::home::{Home, On, text};
use crate::terminal::Terminal;

const FIVE: &str = "apiVersion: flowforge/v1
kind: Workflow
metadata: { name: five }
definition:
  nodes:
    start: { type: trigger.manual@1 }
    one: { type: data.set@1, config: { fields: { n: '{{ input.n + 1 }}' } } }
    two: { type: flow.if@1, config: { condition: '{{ input.n < vars.limit }}' } }
    three: { type: data.set@1, config: { fields: { n: '{{ input.n * 2 }}' } } }
    four: { type: flow.fail@1, config: { code: TOO_MUCH, message: 'n is {{ input.n }}' } }
  edges:
    - { from: start, to: one }
    - { from: one, to: two }
    - { from: two.true, to: three }
    - { from: two.false, to: four }
";

#[tokio::test]
async fn a_run_is_read_listed_and_tried_again() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("five.flow.yaml");
    std::fs::write(&file, FIVE).unwrap();
    let file = file.to_str().unwrap();
    terminal.done(&["variable", "set", "limit", "--json", "3"]);
    terminal.done(&["workflow", "apply", file]);
    let start = ["workflow", "run", "five", "--input", r#"{"n": 5}"#, "--label", "team=a", "--watch"];
    let (code, failed) = terminal.json(&start);
    assert_eq!((code, &failed["error"]["code"]), (Some(1), &json!("TOO_MUCH")), "{failed}");
    let id = failed["id"].as_str().unwrap();

    let (code, logs, err) = terminal.run(&["run", "logs", id]);
    assert_eq!(code, Some(0), "{err}");
    for line in ["RUN_STARTED", "NODE_STARTED         one  attempt 1", "four  attempt 1  TOO_MUCH: n is 6", "FAILED"] {
        assert!(logs.contains(line), "{line} in {logs}");
    }
    let (_, lines, _) = terminal.run(&["run", "logs", id, "--output", "json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let after = lines[2]["cursor"].as_str().unwrap();
    let (_, rest, _) = terminal.run(&["run", "logs", id, "--after", after, "--follow", "--output", "json"]);
    assert_eq!(rest.lines().count(), lines.len() - 3);
    let (_, of_one, _) = terminal.run(&["run", "logs", id, "--node", "one"]);
    assert!(of_one.contains("one") && !of_one.contains("four"), "{of_one}");

    // With another limit, the retry from `two` takes another way, and takes over what came before.
    terminal.done(&["variable", "set", "limit", "--json", "100"]);
    let (code, again) = terminal.json(&["run", "retry", id, "--from", "two", "--watch"]);
    assert_eq!((code, &again["output"]["preview"]), (Some(0), &json!(r#"{"n":12}"#)), "{again}");
    assert_eq!((&again["retriedFrom"], &again["retryOf"]["id"]), (&json!("two"), &json!(id)), "{again}");
    let (_, shown, _) = terminal.run(&["run", "get", again["id"].as_str().unwrap()]);
    assert!(shown.contains(&format!("reused from {id}")) && shown.contains("tries"), "{shown}");
    let again = again["id"].as_str().unwrap();
    let edited = terminal.done(&["run", "retry", again, "--from", "three", "--input", r#"{"n": 50}"#, "--watch"]);
    assert_eq!(edited["output"]["preview"], r#"{"n":100}"#, "{edited}");

    // A mended version; the node that was mended cannot be taken over.
    std::fs::write(file, FIVE.replace("n + 1", "n + 10")).unwrap();
    terminal.done(&["workflow", "apply", file]);
    let (code, refused) = terminal.json(&["run", "retry", id, "--from", "two", "--version", "2"]);
    assert_eq!((code, &refused["error"]["code"]), (Some(6), &json!("NOT_REUSABLE")), "{refused}");
    let mended = terminal.done(&["run", "retry", id, "--from", "one", "--version", "2", "--watch"]);
    assert_eq!((&mended["output"]["preview"], &mended["version"]["number"]), (&json!(r#"{"n":30}"#), &json!(2)));
    assert_eq!(terminal.run(&["run", "retry", id, "--version", "9"]).0, Some(5));

    let count = |arguments: &[&str]| {
        let listed = terminal.done(&[&["run", "list"], arguments].concat());
        listed["runs"].as_array().unwrap().len()
    };
    assert_eq!(count(&["--status", "failed", "--label", "team=a"]), 1);
    assert_eq!(count(&["--retry-of", id]), 2);
    assert_eq!(count(&["--mode", "test"]), 0);
    assert_eq!(count(&["--environment", "default", "--trigger-kind", "manual", "--since", "2020-01-01T00:00:00Z"]), 4);
    let ids = |arguments: &[&str]| -> Vec<Value> {
        let listed = terminal.done(&[&["run", "list"], arguments].concat());
        listed["runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    let newest = ids(&[]);
    assert_eq!(ids(&["--oldest-first"]), newest.into_iter().rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn logs_are_followed_over_a_restart_of_the_server() {
    let home = Home::new(On::Sqlite).await;
    let mut server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("wait.flow.yaml");
    let wait = FIVE.replace(
        "type: flow.if@1, config: { condition: '{{ input.n < vars.limit }}' }",
        "type: flow.wait@1, config: { signal: { name: go } }",
    );
    std::fs::write(
        &file,
        wait.replace("two.true", "two").replace("    - { from: two.false, to: four }\n", "").replace(
            "    four: { type: flow.fail@1, config: { code: TOO_MUCH, message: 'n is {{ input.n }}' } }\n",
            "",
        ),
    )
    .unwrap();
    terminal.done(&["workflow", "apply", file.to_str().unwrap()]);
    let started = terminal.done(&["workflow", "run", "five", "--input", r#"{"n": 1}"#]);
    let id = started["run"]["id"].as_str().unwrap().to_owned();
    let key = terminal.key.clone();

    let arguments = ["run", "logs", &id, "--follow", "--url", &server.url, "--api-key", &key, "--output", "json"];
    let mut follower = home.start(&arguments);
    follower.wait_for("ATTEMPT_WAITS");
    let address = server.url.trim_start_matches("http://").to_owned();
    server.kill();
    let server = home.serve_with("server", &[("SERVER__BIND", &address)]);
    let terminal = Terminal { home: &home, server: &server, key };
    terminal.done(&["run", "signal", &id, "go", "--payload", r#"{"n": 4}"#]);
    let (code, out) = follower.finish();
    assert_eq!(code, Some(0), "{out}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "each once and in order");
    assert_eq!(lines.last().unwrap()["status"], "SUCCEEDED", "{out}");
}

#[tokio::test]
async fn variables_are_set_changed_listed_and_deleted() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let set = |arguments: &[&str]| terminal.done(&[&["variable", "set"], arguments].concat())["variable"].clone();
    assert_eq!(set(&["region", "eu"])["value"], "eu");
    assert_eq!(set(&["region", "5"])["value"], "5", "a text that looks like a number is a text");
    assert_eq!(set(&["hosts", "--json", r#"["a", "b"]"#])["value"], json!(["a", "b"]));
    let before = set(&["hosts", "--json", r#"["a"]"#]);
    assert_eq!(set(&["hosts", "--json", r#"["a"]"#]), before, "setting the same again is no change");
    let (_, listed, _) = terminal.run(&["variable", "list"]);
    assert!(listed.contains("hosts") && listed.contains(r#"["a"]"#) && listed.contains("region"), "{listed}");
    terminal.done(&["variable", "delete", "region"]);
    assert_eq!(terminal.run(&["variable", "delete", "region"]).0, Some(5));
    assert_eq!(terminal.done(&["variable", "list"])["variables"].as_array().map(Vec::len), Some(1));
    assert_eq!(terminal.run(&["variable", "set", "a"]).0, Some(2));
    assert_eq!(terminal.run(&["variable", "set", "a", "--json", "{"]).0, Some(2));
    assert_eq!(terminal.run(&["variable", "set", "No-Name", "x"]).0, Some(2));

    terminal.done(&["project", "create", "billing", "--title", "Billing"]);
    terminal.done(&["environment", "create", "live", "--project", "billing", "--title", "Live"]);
    assert_eq!(terminal.run(&["project", "create", "billing"]).0, Some(6));
    assert_eq!(terminal.run(&["environment", "create", "live", "--project", "nowhere"]).0, Some(5));
    set(&["rate", "0.2", "--project", "billing", "--environment", "live"]);
    let listed = terminal.done(&["variable", "list", "--project", "billing", "--environment", "live"]);
    assert_eq!(listed["variables"][0]["name"], "rate");
    let (_, projects, _) = terminal.run(&["project", "list"]);
    assert!(projects.contains("billing") && projects.contains("default, live"), "{projects}");
    let environments = terminal.done(&["environment", "list", "--project", "billing"]);
    assert_eq!(environments["environments"][1]["title"], "Live", "{environments}");
}

#[tokio::test]
async fn one_secret_is_set_from_standard_input_and_never_shown() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let create = ["connection", "create", "shop", "--type", "http.basic", "--field", "username=ada"];
    let (code, _, err) = terminal.feed(&[&create[..], &["--secret-file", "password=-"]].concat(), "hush-hush-1\n");
    assert_eq!(code, Some(0), "{err}");
    let (code, out, err) = terminal.feed(&["secret", "set", "shop", "password"], "hush-hush-2\n");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "password of shop is set\n");
    let file = home.folder().join("password");
    std::fs::write(&file, "hush-hush-3").unwrap();
    terminal.done(&["secret", "set", "shop", "password", "--file", file.to_str().unwrap()]);
    let shown = terminal.done(&["connection", "list"]);
    assert_eq!(shown["connections"][0]["revision"], 3, "{shown}");

    let listed = terminal.done(&["secret", "list"]);
    let wanted = json!({ "connection": "shop", "field": "password", "project": "default", "environment": "default" });
    assert_eq!(listed, json!({ "secrets": [wanted] }));
    let (_, people, _) = terminal.run(&["secret", "list"]);
    assert!(people.contains("shop") && people.contains("password"), "{people}");
    assert_eq!(terminal.feed(&["secret", "set", "gone", "password"], "x").0, Some(5));
    assert_eq!(terminal.feed(&["secret", "set", "shop", "no_such_field"], "long enough").0, Some(2));
    let viewer = home.json(&["key", "create", "--workspace", "default", "--role", "editor"]);
    let editor = Terminal { home: &home, server: &server, key: viewer["key"].as_str().unwrap().to_owned() };
    let (code, out, err) = editor.feed(&["secret", "set", "shop", "password"], "hush-hush-4\n");
    assert_eq!(code, Some(4), "{err}");
    let log = std::fs::read(home.log("server")).unwrap();
    let all = [text(&log), shown.to_string(), listed.to_string(), people, out, err].concat();
    assert!(!all.contains("hush-hush"), "{all}");
}

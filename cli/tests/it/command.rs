//! The command as people and scripts use it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::home::{Home, On, text};
use crate::terminal::Terminal;

const WAITS: &str = "apiVersion: flowforge/v1
kind: Workflow
metadata: { name: greet }
definition:
  nodes:
    start: { type: trigger.manual@1 }
    go: { type: flow.wait@1, config: { signal: { name: go } } }
    hello: { type: data.set@1, config: { value: 'Hello {{ input.name }}' } }
  edges:
    - { from: start, to: go }
    - { from: go, to: hello }
---
apiVersion: flowforge/v1
kind: Workflow
metadata: { name: fails }
definition:
  nodes:
    start: { type: trigger.manual@1 }
    no: { type: flow.fail@1, config: { code: NO, message: it must not be } }
  edges:
    - { from: start, to: no }
";

#[tokio::test]
async fn a_workflow_is_applied_run_signaled_and_watched() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("greet.flow.yaml");
    std::fs::write(&file, WAITS).unwrap();
    let file = file.to_str().unwrap();

    let (code, applied) = terminal.json(&["workflow", "apply", file]);
    assert_eq!(code, Some(0));
    assert_eq!(applied.pointer("/workflows/1/outcome"), Some(&json!("PUBLISHED")), "{applied}");
    let (_, applied) = terminal.json(&["workflow", "apply", file]);
    assert_eq!(applied.pointer("/workflows/0/outcome"), Some(&json!("UNCHANGED")), "{applied}");

    let start = ["workflow", "run", "greet", "--key", "o-7", "--idempotency-key", "once", "--label", "team=a"];
    let (code, started) = terminal.json(&start);
    assert_eq!((code, &started["replayed"]), (Some(0), &json!(false)));
    let id = started["run"]["id"].as_str().unwrap();
    let (_, again) = terminal.json(&start);
    assert_eq!((&again["run"]["id"], &again["replayed"]), (&json!(id), &json!(true)));

    let (_, listed) = terminal.json(&["run", "list", "--label", "team=a", "--workflow", "greet", "--key", "o-7"]);
    assert_eq!(listed.pointer("/runs/0/id"), Some(&json!(id)), "{listed}");
    let (code, ..) = terminal.run(&["run", "signal", id, "go", "--payload", r#"{"name": "Ada"}"#]);
    assert_eq!(code, Some(0));
    let (code, out, err) = terminal.run(&["run", "watch", id]);
    assert_eq!(code, Some(0), "{err}");
    for part in ["go", "hello", "done", "SUCCEEDED", "Hello Ada"] {
        assert!(out.contains(part), "{part} in {out}");
    }
    assert!(!out.contains('\x1b'), "a pipe gets no colors: {out:?}");
    let (_, run) = terminal.json(&["run", "get", id]);
    assert_eq!(run["nodeRuns"].as_array().map(Vec::len), Some(3), "{run}");
    assert_eq!(run["output"]["preview"], "\"Hello Ada\"");
}

#[tokio::test]
async fn the_exit_code_says_how_it_went() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("greet.flow.yaml");
    std::fs::write(&file, WAITS).unwrap();
    let broken = home.folder().join("broken.flow.yaml");
    std::fs::write(&broken, WAITS.replace("from: start, to: go", "from: start, to: gone")).unwrap();
    terminal.json(&["workflow", "apply", file.to_str().unwrap()]);

    assert_eq!(terminal.run(&["workflow", "run", "fails", "--watch"]).0, Some(1));
    let (code, refused) = terminal.json(&["workflow", "apply", broken.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert_eq!(refused.pointer("/workflows/0/problems/0/code"), Some(&json!("EDGE_DANGLING")), "{refused}");
    assert_eq!(terminal.run(&["workflow", "run", "greet", "--input", "{"]).0, Some(2));
    let nobody = home.run(&["run", "list", "--url", "http://127.0.0.1:1", "--api-key", "x"]);
    assert_eq!(nobody.status.code(), Some(3), "{}", text(&nobody.stderr));
    let stranger = home.run(&["run", "list", "--url", &server.url, "--api-key", "ff_default_wrong"]);
    assert_eq!(stranger.status.code(), Some(4), "{}", text(&stranger.stderr));
    let viewer = home.json(&["key", "create", "--workspace", "default", "--role", "viewer"]);
    let only_looks = Terminal { home: &home, server: &server, key: viewer["key"].as_str().unwrap().to_owned() };
    assert_eq!(only_looks.json(&["workflow", "run", "greet"]).1["error"]["code"], "FORBIDDEN");
    assert_eq!(only_looks.run(&["workflow", "run", "greet"]).0, Some(4));
    let (code, absent) = terminal.json(&["run", "get", "run_01920000000070008000000000000001"]);
    assert_eq!((code, &absent["error"]["code"]), (Some(5), &json!("NOT_FOUND")));
    assert_eq!(terminal.run(&["workflow", "run", "nowhere"]).0, Some(5));
    terminal.run(&["workflow", "run", "greet", "--idempotency-key", "k", "--input", "1"]);
    assert_eq!(terminal.run(&["workflow", "run", "greet", "--idempotency-key", "k", "--input", "2"]).0, Some(6));
}

#[tokio::test]
async fn the_first_start_of_an_embedded_home_leaves_a_key_that_commands_find() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let found = home.run(&["run", "list", "--url", &server.url]);
    assert_eq!((found.status.code(), text(&found.stdout).as_str()), (Some(0), "no runs\n"), "{}", text(&found.stderr));
    let link = home.json(&["admin", "login-link", "--url", &server.url])["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with(&format!("{}/sign-in#", server.url)), "{link}");
    // Whoever takes the file away does not want it back.
    std::fs::remove_file(home.folder().join("data/admin.key")).unwrap();
    drop(server);
    let server = home.serve("server");
    assert_eq!(home.run(&["run", "list", "--url", &server.url]).status.code(), Some(4));
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused_and_a_stop_is_clean() {
    let home = Home::new(On::Sqlite).await;
    let mut server = home.serve("server");
    let second = home.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("in use by another process"), "{}", text(&second.stderr));
    server.signal("TERM");
    assert!(server.ended_within(Duration::from_secs(20)).await);
    home.serve("server");
}

#[tokio::test]
async fn a_watcher_goes_on_after_the_server_was_killed_and_started_again() {
    let home = Home::new(On::Sqlite).await;
    let mut server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("greet.flow.yaml");
    std::fs::write(&file, WAITS).unwrap();
    terminal.json(&["workflow", "apply", file.to_str().unwrap()]);
    let (_, started) = terminal.json(&["workflow", "run", "greet"]);
    let id = started["run"]["id"].as_str().unwrap().to_owned();
    let key = terminal.key.clone();

    let mut watcher = home.start(&["run", "watch", &id, "--url", &server.url, "--api-key", &key]);
    watcher.wait_for("waits for signal go");
    let address = server.url.trim_start_matches("http://").to_owned();
    server.kill();
    let server = home.serve_with("server", &[("SERVER__BIND", &address)]);
    let terminal = Terminal { home: &home, server: &server, key };
    assert_eq!(terminal.run(&["run", "signal", &id, "go", "--payload", r#"{"name": "Eve"}"#]).0, Some(0));
    let (code, out) = watcher.finish();
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("Hello Eve"), "{out}");
    assert_eq!(out.matches("waits for signal go").count(), 1, "told twice: {out}");
}

#[tokio::test]
async fn migrations_go_up_down_and_up_on_both_databases() {
    for on in [On::Sqlite, On::Postgres] {
        let home = Home::new(on).await;
        let applied =
            |steps: &Value| steps["steps"].as_array().unwrap().iter().filter(|step| step["applied"] == true).count();
        assert_eq!(applied(&home.json(&["migrate", "status"])), 0);
        let all = applied(&home.json(&["migrate", "up"]));
        assert!(all > 0);
        assert_eq!(applied(&home.json(&["migrate", "down", "--steps", "2"])), all - 2);
        assert_eq!(applied(&home.json(&["migrate", "up"])), all);
    }
}

#[tokio::test]
async fn the_schema_is_printed_without_a_server() {
    let home = Home::new(On::Sqlite).await;
    let printed = home.run(&["schema"]);
    assert_eq!(text(&printed.stdout), api::graphql::schema_sdl());
}

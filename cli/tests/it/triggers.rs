//! `flowforge trigger`: schedules held back and made up for, and what came to triggers.

use serde_json::json;

use crate::home::{Home, On};
use crate::terminal::Terminal;

const HOURLY: &str = "apiVersion: flowforge/v1
kind: Workflow
metadata: { name: hourly }
definition:
  nodes:
    clock: { type: trigger.schedule@1, config: { every: 1h } }
    start: { type: trigger.manual@1 }
  input_schema: { type: object }
";

#[tokio::test]
async fn triggers_are_held_back_made_up_for_and_looked_at() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("hourly.flow.yaml");
    std::fs::write(&file, HOURLY).unwrap();
    terminal.done(&["workflow", "apply", file.to_str().unwrap()]);

    let listed = terminal.done(&["trigger", "list", "hourly"]);
    let trigger = &listed["triggers"][0];
    assert_eq!((&trigger["kind"], &trigger["node"]), (&json!("SCHEDULE"), &json!("clock")), "{listed}");
    let id = trigger["id"].as_str().unwrap();
    let paused = terminal.done(&["trigger", "pause", id]);
    assert!(paused["trigger"]["pausedAt"].is_string(), "{paused}");
    let (_, shown, _) = terminal.run(&["trigger", "list", "hourly"]);
    assert!(shown.contains("paused") && shown.contains(id), "{shown}");

    let times = ["--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T02:30:00Z", "--per-minute", "600"];
    let begun = terminal.done(&[&["trigger", "backfill", id], times.as_slice()].concat());
    assert_eq!(begun["backfill"]["ticks"], json!(3), "{begun}");
    let began = std::time::Instant::now();
    let done = loop {
        let found = terminal.done(&["trigger", "backfills", id])["backfills"][0].clone();
        if found["outcomes"]["started"] == 3 {
            break found;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{found}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    assert_eq!(done["status"], json!("DONE"), "{done}");
    let canceled = terminal.done(&["trigger", "cancel-backfill", done["id"].as_str().unwrap()]);
    assert_eq!(canceled["backfill"]["status"], json!("DONE"));
    terminal.done(&["trigger", "resume", id]);

    assert_ne!(terminal.run(&["workflow", "run", "hourly", "--input", "7"]).0, Some(0));
    let refused = terminal.done(&["trigger", "events", "--workflow", "hourly", "--outcome", "refused"]);
    assert_eq!(refused["events"][0]["reason"], json!("INPUT_INVALID"), "{refused}");
    let event = refused["events"][0]["id"].as_str().unwrap();
    let (_, shown, _) = terminal.run(&["trigger", "event", event]);
    assert!(shown.contains("INPUT_INVALID") && shown.contains("carried 7"), "{shown}");
    let started = terminal.done(&["trigger", "events", "--workflow", "hourly", "--kind", "schedule"]);
    assert_eq!(started["events"].as_array().map(Vec::len), Some(3), "{started}");
    let event = started["events"][0]["id"].as_str().unwrap();
    let again = ["trigger", "redeliver", event, "--onto", "same", "--idempotency-key", "once"];
    let (first, second) = (terminal.done(&again), terminal.done(&again));
    assert_eq!(first["run"]["id"], second["run"]["id"]);
    assert_eq!((&first["replayed"], &second["replayed"]), (&json!(false), &json!(true)));
}

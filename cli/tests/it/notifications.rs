//! `flowforge notification`: who outside is told of runs.

use serde_json::json;

use crate::home::{Home, On};
use crate::terminal::Terminal;

#[tokio::test]
async fn somebody_is_told_switched_off_and_on_given_another_secret_and_forgotten() {
    let home = Home::new(On::Sqlite).await;
    let server = home.serve("server");
    let terminal = Terminal { home: &home, server: &server, key: home.key() };
    let file = home.folder().join("url.txt");
    std::fs::write(&file, "https://hooks.example.com/told?token=geheim\n").unwrap();
    let file = file.to_str().unwrap();
    let create = ["notification", "create", "alerts", "--event", "run.failed", "--url-file", file];
    let made = terminal.done(&create);
    assert_eq!(made["notification"]["target"], json!("https://hooks.example.com"), "{made}");
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));

    let (_, shown, _) = terminal.run(&["notification", "list"]);
    assert!(shown.contains("alerts") && shown.contains("run.failed") && !shown.contains("geheim"), "{shown}");
    terminal.done(&["notification", "disable", "alerts"]);
    let (_, shown, _) = terminal.run(&["notification", "list"]);
    assert!(shown.contains("off: somebody switched it off"), "{shown}");
    let on = terminal.done(&["notification", "enable", "alerts"]);
    assert_eq!(on["notification"]["disabledAt"], json!(null));
    let events = ["--event", "run.succeeded", "--event", "run.canceled"];
    let changed = terminal.done(&[&["notification", "update", "alerts"], events.as_slice()].concat());
    assert_eq!(changed["notification"]["events"], json!(["run.succeeded", "run.canceled"]));
    let rotated = terminal.done(&["notification", "rotate-secret", "alerts", "--overlap", "60"]);
    assert_ne!(rotated["secret"], json!(secret));
    assert_eq!(terminal.done(&["notification", "deliveries", "alerts"])["deliveries"], json!([]));
    let replayed = terminal.done(&["notification", "replay", "alerts", "--since", "2026-01-01T00:00:00Z"]);
    assert_eq!(replayed["count"], json!(0));
    assert_ne!(terminal.run(&["notification", "deliveries", "nobody"]).0, Some(0));
    terminal.done(&["notification", "delete", "alerts"]);
    let (_, shown, _) = terminal.run(&["notification", "list"]);
    assert!(shown.contains("nobody is told of runs"), "{shown}");
}

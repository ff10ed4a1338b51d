//! `flowforge run logs`: what a run's journal says, event by event.

use std::process::ExitCode;

use clap::Args;
use futures::StreamExt as _;
use serde_json::{Map, Value};

use super::events::{Event, Heard, events};
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{Output, Shade, shortened};

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The run's id, `run_…`.
    id: String,
    /// Go on with what happens from now on, to the end of the run.
    #[arg(long, short)]
    follow: bool,
    /// Only the events of this node.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Go on after this cursor, which each line of `--output json` has.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Tells each event once; ends with 0 however the run ended.
pub(super) async fn logs(client: &Client, logs: Logs, output: Output) -> Result<ExitCode, Failure> {
    let mut heard = std::pin::pin!(events(client, &logs.id, logs.after));
    while let Some(heard) = heard.next().await {
        match heard? {
            Heard::Event(event) => {
                if logs.node.is_none() || event.event.node == logs.node {
                    tell(output, &event);
                }
            }
            Heard::CaughtUp if !logs.follow => break,
            Heard::CaughtUp | Heard::Quiet => {}
            Heard::Lost(failure) => output.note(&format!("{}; trying again", failure.message)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(output: Output, event: &Event) {
    if output.is_json() {
        return output.line(&document(event).to_string());
    }
    let at = output.paint(Shade::Dim, &event.at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    let seq = event.seq.map(|seq| seq.to_string()).unwrap_or_default();
    let kind = output.paint(shade(event), &format!("{:<19}", event.event.kind));
    output.line(format!("{at} {seq:>4}  {kind}  {}", said(&event.told)).trim_end());
}

/// One line of JSON: the event without what it does not have, its place, and where to go on after it.
fn document(event: &Event) -> Value {
    let mut line = Map::new();
    line.insert("seq".to_owned(), event.seq.into());
    line.insert("at".to_owned(), event.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into());
    for (name, value) in event.told.as_object().into_iter().flatten() {
        if name != "__typename" && !value.is_null() {
            line.insert(name.clone(), value.clone());
        }
    }
    line.insert("cursor".to_owned(), event.cursor.clone().into());
    line.into()
}

fn shade(event: &Event) -> Shade {
    match (event.event.kind.as_str(), event.event.status.as_deref()) {
        ("RUN_FINISHED", Some(status)) => Shade::of_status(status),
        ("NODE_FAILED" | "NODE_TIMED_OUT" | "EVALUATION_FAILED", _) => Shade::Bad,
        ("ATTEMPT_FAILED" | "NODE_UNCERTAIN" | "NODE_RETRYING" | "NODE_CANCELED" | "CANCEL_REQUESTED", _) => {
            Shade::Careful
        }
        ("ATTEMPT_SUCCEEDED" | "NODE_SUCCEEDED" | "ITEMS_COLLECTED", _) => Shade::Good,
        ("ATTEMPT_WAITS" | "SIGNAL_RECEIVED", _) => Shade::Active,
        _ => Shade::Strong,
    }
}

/// Which node, which attempt, and what there is to say, in an order that does not depend on the kind.
fn said(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().filter(|text| !text.is_empty());
    let mut parts = Vec::new();
    if let Some(node) = text("node") {
        parts.push(text("scope").map_or_else(|| node.to_owned(), |scope| format!("{node}[{scope}]")));
    }
    if let Some(attempt) = event["attempt"].as_u64().filter(|attempt| *attempt > 0) {
        parts.push(format!("attempt {attempt}"));
    }
    for (name, before) in [("port", "by "), ("signal", "signal "), ("status", ""), ("dueAt", "until ")] {
        parts.extend(text(name).map(|text| format!("{before}{text}")));
    }
    match (&event["error"], text("message")) {
        (Value::Object(error), _) => {
            let of = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            parts.push(shortened(&format!("{}: {}", of("code"), of("message")), 400));
        }
        (_, Some(message)) => parts.push(shortened(message, 400)),
        _ => {}
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_node_attempt_and_error() {
        let failed = json!({ "kind": "ATTEMPT_FAILED", "node": "fetch", "scope": "3", "attempt": 2, "port": null,
            "error": { "code": "HTTP_STATUS", "message": "503\nbusy" } });
        assert_eq!(said(&failed), "fetch[3]  attempt 2  HTTP_STATUS: 503 busy");
        let done = json!({ "kind": "ATTEMPT_SUCCEEDED", "node": "fetch", "scope": "", "attempt": 1, "port": "out" });
        assert_eq!(said(&done), "fetch  attempt 1  by out");
        assert_eq!(said(&json!({ "kind": "RUN_FINISHED", "status": "SUCCEEDED" })), "SUCCEEDED");
    }
}

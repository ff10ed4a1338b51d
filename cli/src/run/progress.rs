//! What the events of a run look like to somebody who watches: lines that stay, and a few that change in place.
//! Nothing here prints or asks for the time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::show::duration;
use crate::output::{Output, Shade, shortened};

/// Nodes under way that the changing part shows; more are only counted.
const MOST_LIVE: usize = 10;

/// An event as the subscription delivers it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunEvent {
    pub(super) kind: String,
    pub(super) node: Option<String>,
    scope: Option<String>,
    attempt: Option<u32>,
    pub(super) status: Option<String>,
    message: Option<String>,
    error: Option<EventError>,
    due_at: Option<DateTime<Utc>>,
    signal: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct EventError {
    code: String,
    message: String,
}

/// A node that has begun and not ended.
#[derive(Debug, Clone)]
struct Active {
    since: DateTime<Utc>,
    /// What it is doing, such as `attempt 2`.
    doing: String,
    items: Option<Items>,
}

/// Where a `for_each` stands.
#[derive(Debug, Clone, Copy, Default)]
struct Items {
    total: u64,
    settled: u64,
    failed: u64,
    retries: u64,
    /// Tenths of the total that a line was printed for.
    told: u64,
}

impl Items {
    fn line(self) -> String {
        let mut line = format!("{} of {} items", self.settled, self.total);
        if self.failed > 0 {
            line += &format!(", {} failed", self.failed);
        }
        if self.retries > 0 {
            line += &format!(", {} retries", self.retries);
        }
        line
    }
}

/// A run as it looks so far.
pub(super) struct Progress {
    output: Output,
    run: String,
    active: BTreeMap<String, Active>,
    settled: usize,
    width: usize,
}

impl Progress {
    pub(super) fn new(output: Output, run: &str) -> Self {
        Self { output, run: run.to_owned(), active: BTreeMap::new(), settled: 0, width: 8 }
    }

    /// Takes an event in and says which lines stay.
    pub(super) fn apply(&mut self, at: DateTime<Utc>, event: &RunEvent) -> Vec<String> {
        let Some(node) = event.node.clone().filter(|_| !event.kind.starts_with("RUN_")) else {
            return self.of_run(at, event);
        };
        self.width = self.width.max(node.chars().count().min(32));
        match event.scope.as_deref() {
            Some(scope) if !scope.is_empty() => self.of_item(at, event, &node, scope),
            _ => self.of_node(at, event, &node),
        }
    }

    fn of_run(&self, at: DateTime<Utc>, event: &RunEvent) -> Vec<String> {
        let reason = event.message.clone().unwrap_or_default();
        let (shade, text) = match event.kind.as_str() {
            "RUN_STARTED" => (Shade::Dim, "started".to_owned()),
            "RUN_RECOVERED" => (Shade::Careful, reason),
            "RUN_RELEASED" => (Shade::Dim, "handed back by a server that stops".to_owned()),
            "SIGNAL_RECEIVED" => (Shade::Active, format!("signal {}", event.signal.as_deref().unwrap_or("?"))),
            "CANCEL_REQUESTED" => (Shade::Careful, format!("asked to stop {reason}").trim_end().to_owned()),
            "EVALUATION_FAILED" => (Shade::Bad, format!("output: {}", said(event))),
            "TIMER_FIRED" if !reason.is_empty() => (Shade::Careful, reason),
            "RUN_ENDING" => (Shade::Careful, format!("ending: {}", said(event))),
            "RUN_FINISHED" => {
                let status = event.status.as_deref().unwrap_or("?");
                (Shade::of_status(status), status.to_owned())
            }
            _ => return Vec::new(),
        };
        vec![self.line(at, "run", shade, &text)]
    }

    fn of_node(&mut self, at: DateTime<Utc>, event: &RunEvent, node: &str) -> Vec<String> {
        match event.kind.as_str() {
            "NODE_STARTED" => {
                let doing = match event.attempt {
                    Some(number) if number > 1 => format!("attempt {number}"),
                    _ => "running".to_owned(),
                };
                self.entry(at, node).doing.clone_from(&doing);
                // What changes in place need not stay as well.
                if self.output.live { Vec::new() } else { vec![self.line(at, node, Shade::Dim, &doing)] }
            }
            "ITEMS_LISTED" => {
                let total = event.message.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
                let items = Items { total: total.unwrap_or_default(), ..Items::default() };
                self.entry(at, node).items = Some(items);
                if self.output.live { Vec::new() } else { vec![self.line(at, node, Shade::Dim, &items.line())] }
            }
            "ATTEMPT_SUCCEEDED" | "NODE_SUCCEEDED" | "ITEMS_COLLECTED" => self.done(at, node, Shade::Good, "done"),
            "NODE_SKIPPED" => self.done(at, node, Shade::Dim, "skipped"),
            "NODE_CANCELED" => self.done(at, node, Shade::Careful, "canceled"),
            "NODE_TIMED_OUT" => self.done(at, node, Shade::Bad, "timed out"),
            "NODE_FAILED" => self.done(at, node, Shade::Bad, &format!("failed: {}", said(event))),
            "EVALUATION_FAILED" => vec![self.line(at, node, Shade::Bad, &said(event))],
            "ATTEMPT_FAILED" => {
                let number = event.attempt.unwrap_or(1);
                vec![self.line(at, node, Shade::Careful, &format!("attempt {number}: {}", said(event)))]
            }
            "NODE_RETRYING" => {
                let due = event.due_at.map(clock).unwrap_or_default();
                self.entry(at, node).doing = format!("attempt {} at {due}", event.attempt.unwrap_or(2));
                Vec::new()
            }
            "ATTEMPT_WAITS" => {
                let doing = waits(event);
                self.entry(at, node).doing.clone_from(&doing);
                vec![self.line(at, node, Shade::Active, &doing)]
            }
            "NODE_UNCERTAIN" => self.uncertain(at, event, node, ""),
            _ => Vec::new(),
        }
    }

    fn of_item(&mut self, at: DateTime<Utc>, event: &RunEvent, node: &str, scope: &str) -> Vec<String> {
        let live = self.output.live;
        let items = self.entry(at, node).items.get_or_insert_default();
        match event.kind.as_str() {
            "ATTEMPT_SUCCEEDED" | "NODE_SUCCEEDED" => items.settled += 1,
            "NODE_FAILED" | "NODE_TIMED_OUT" | "NODE_CANCELED" => {
                items.settled += 1;
                items.failed += 1;
            }
            "NODE_RETRYING" => items.retries += 1,
            "NODE_UNCERTAIN" => return self.uncertain(at, event, node, scope),
            _ => return Vec::new(),
        }
        let tenth = (items.settled * 10).checked_div(items.total).unwrap_or_default();
        if live || tenth <= items.told || items.total < 10 {
            return Vec::new();
        }
        items.told = tenth;
        let text = items.line();
        vec![self.line(at, node, Shade::Dim, &text)]
    }

    fn uncertain(&self, at: DateTime<Utc>, event: &RunEvent, node: &str, scope: &str) -> Vec<String> {
        let run = self.run.trim_start_matches("run_");
        let dot = if scope.is_empty() { "" } else { "." };
        vec![
            self.line(at, node, Shade::Careful, &format!("UNCERTAIN: {}", said(event))),
            format!("    find out, then: flowforge run resolve nrun_{run}.{node}{dot}{scope} retry|succeed|fail"),
        ]
    }

    /// The node has ended; an end that a later event repeats is not told again.
    fn done(&mut self, at: DateTime<Utc>, node: &str, shade: Shade, how: &str) -> Vec<String> {
        let Some(active) = self.active.remove(node) else {
            return if how == "skipped" { vec![self.line(at, node, shade, how)] } else { Vec::new() };
        };
        self.settled += 1;
        let took = duration(u64::try_from((at - active.since).num_milliseconds()).unwrap_or_default());
        let items = active.items.map(|items| format!(", {}", items.line())).unwrap_or_default();
        vec![self.line(at, node, shade, &format!("{how} in {took}{items}"))]
    }

    fn entry(&mut self, at: DateTime<Utc>, node: &str) -> &mut Active {
        self.active.entry(node.to_owned()).or_insert(Active { since: at, doing: "running".to_owned(), items: None })
    }

    fn line(&self, at: DateTime<Utc>, node: &str, shade: Shade, text: &str) -> String {
        let clock = self.output.paint(Shade::Dim, &clock(at));
        let name = format!("{:width$}", shortened(node, 32), width = self.width);
        format!("{clock}  {name}  {}", self.output.paint(shade, &shortened(text, 400)))
    }

    /// The part that changes in place: what is under way now.
    pub(super) fn live(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut lines: Vec<String> = self
            .active
            .iter()
            .take(MOST_LIVE)
            .map(|(node, active)| {
                let since = duration(u64::try_from((now - active.since).num_milliseconds()).unwrap_or_default());
                let doing = active.items.map_or_else(|| active.doing.clone(), Items::line);
                let name = format!("{:width$}", shortened(node, 32), width = self.width);
                format!("  … {name}  {}  {since}", self.output.paint(Shade::Active, &doing))
            })
            .collect();
        if self.active.len() > MOST_LIVE {
            lines.push(format!("  … and {} more", self.active.len() - MOST_LIVE));
        }
        lines
    }
}

fn clock(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%S%.3f").to_string()
}

fn said(event: &RunEvent) -> String {
    match (&event.error, &event.message) {
        (Some(error), _) => format!("{}: {}", error.code, error.message),
        (None, Some(message)) => message.clone(),
        (None, None) => String::new(),
    }
}

fn waits(event: &RunEvent) -> String {
    let until = event.due_at.map(|due| format!(" until {}", clock(due))).unwrap_or_default();
    match &event.signal {
        Some(signal) => format!("waits for signal {signal}{until}"),
        None => format!("waits{until}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn watched(events: &[Value]) -> Vec<String> {
        let mut progress = Progress::new(Output::plain(), "run_0192");
        let mut lines = Vec::new();
        for (ms, event) in events.iter().enumerate() {
            let at = DateTime::from_timestamp_millis(i64::try_from(ms).unwrap()).unwrap();
            lines.extend(progress.apply(at, &serde_json::from_value(event.clone()).unwrap()));
        }
        lines
    }

    #[test]
    fn a_node_is_told_with_its_attempts_and_its_time() {
        let error = json!({ "code": "HTTP_STATUS", "message": "503" });
        let lines = watched(&[
            json!({ "kind": "RUN_STARTED" }),
            json!({ "kind": "NODE_STARTED", "node": "fetch", "scope": "", "attempt": 1 }),
            json!({ "kind": "ATTEMPT_FAILED", "node": "fetch", "scope": "", "attempt": 1, "error": error }),
            json!({ "kind": "NODE_STARTED", "node": "fetch", "scope": "", "attempt": 2 }),
            json!({ "kind": "ATTEMPT_SUCCEEDED", "node": "fetch", "scope": "", "attempt": 2, "port": "out" }),
            json!({ "kind": "RUN_FINISHED", "status": "SUCCEEDED" }),
        ]);
        assert_eq!(
            lines,
            [
                "00:00:00.000  run       started",
                "00:00:00.001  fetch     running",
                "00:00:00.002  fetch     attempt 1: HTTP_STATUS: 503",
                "00:00:00.003  fetch     attempt 2",
                "00:00:00.004  fetch     done in 3 ms",
                "00:00:00.005  run       SUCCEEDED",
            ]
        );
    }

    #[test]
    fn the_items_of_a_for_each_are_counted_and_not_listed() {
        let mut events = vec![
            json!({ "kind": "NODE_STARTED", "node": "check", "scope": "", "attempt": 0 }),
            json!({ "kind": "ITEMS_LISTED", "node": "check", "message": "1000 items" }),
        ];
        for index in 0..1_000 {
            let scope = index.to_string();
            events.push(json!({ "kind": "NODE_STARTED", "node": "check", "scope": scope, "attempt": 1 }));
            events.push(json!({ "kind": "ATTEMPT_SUCCEEDED", "node": "check", "scope": scope, "attempt": 1 }));
        }
        events.push(json!({ "kind": "ITEMS_COLLECTED", "node": "check" }));
        let lines = watched(&events);
        assert_eq!(lines.len(), 13, "{lines:#?}");
        assert!(lines[7].ends_with("check     600 of 1000 items"), "{}", lines[7]);
        assert!(lines[12].ends_with("done in 2.0 s, 1000 of 1000 items"), "{}", lines[12]);
    }

    #[test]
    fn an_uncertain_node_run_comes_with_the_command_that_resolves_it() {
        let error = json!({ "code": "OUTCOME_UNKNOWN", "message": "lost" });
        let lines = watched(&[json!({ "kind": "NODE_UNCERTAIN", "node": "pay", "scope": "3", "error": error })]);
        assert!(lines[1].contains("flowforge run resolve nrun_0192.pay.3 retry|succeed|fail"), "{lines:?}");
    }
}

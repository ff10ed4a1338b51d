//! `flowforge trigger events`, `event` and `redeliver`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::text;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::{trigger as question, workflow};

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Only what was for this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// The project that `--workflow` is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// Only in this environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Only to this trigger node.
    #[arg(long, value_name = "KEY")]
    node: Option<String>,
    /// Only to triggers of this kind, such as SCHEDULE.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only what became this.
    #[arg(long, value_enum)]
    outcome: Option<Outcome>,
    /// How many, 1 to 100.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    first: u32,
    /// Go on after this cursor, which the page before told.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    /// It started a run.
    Started,
    /// It started none.
    Refused,
    /// It waits for its turn.
    Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id, `evt_…`.
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// Its id, `evt_…`.
    id: String,
    /// Which version gets it.
    #[arg(long, value_enum, default_value = "deployed")]
    onto: Onto,
    /// The same key within 24 hours starts no second run.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Onto {
    /// The version that it was for the first time.
    Same,
    /// What is deployed now.
    Deployed,
}

pub(super) async fn list(client: &Client, list: &Events, output: Output) -> Result<ExitCode, Failure> {
    let mut filter = Map::new();
    let mut put = |name: &str, value: Option<Value>| value.map(|value| filter.insert(name.to_owned(), value));
    put("environment", list.environment.clone().map(Value::from));
    put("node", list.node.clone().map(Value::from));
    put("kind", list.kind.as_ref().map(|kind| kind.to_uppercase().into()));
    let outcome = |outcome| match outcome {
        Outcome::Started => "STARTED",
        Outcome::Refused => "REFUSED",
        Outcome::Waiting => "WAITING",
    };
    put("outcome", list.outcome.map(|one| outcome(one).into()));
    if let Some(name) = &list.workflow {
        let mut data = client.ask(workflow::ID, json!({ "project": list.project, "name": name })).await?;
        put("workflowId", Some(data["workflow"]["id"].take()));
    }
    let asked = json!({ "filter": filter, "first": list.first, "after": list.after });
    let mut data = client.ask(question::EVENTS, asked).await?;
    let page = &mut data["triggerEvents"];
    let next = if page["pageInfo"]["hasNextPage"] == true { page["pageInfo"]["endCursor"].take() } else { Value::Null };
    let events = page["nodes"].take();
    if output.is_json() {
        output.document(&json!({ "events": events, "next": next }));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = events.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        output.line("nothing came");
    } else {
        output.table(&["EVENT", "CAME", "WORKFLOW", "NODE", "KIND", "OUTCOME", "RUN OR REASON"], &rows);
    }
    if let Some(next) = next.as_str() {
        output.line(&output.paint(Shade::Dim, &format!("more: --after {next}")));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(event: &Value) -> Vec<Cell> {
    vec![
        Cell::shaded(text(event, "/id"), Shade::Strong),
        Cell::plain(text(event, "/receivedAt")),
        Cell::plain(text(event, "/workflow/name")),
        Cell::plain(text(event, "/node")),
        Cell::plain(text(event, "/kind")),
        Cell::plain(text(event, "/outcome")),
        Cell::plain(became(event)),
    ]
}

fn became(event: &Value) -> String {
    match (text(event, "/run/id"), text(event, "/reason")) {
        ("", reason) => reason.to_owned(),
        (run, _) => run.to_owned(),
    }
}

pub(super) async fn show(client: &Client, one: &One, output: Output) -> Result<ExitCode, Failure> {
    let mut data = client.ask(question::EVENT, json!({ "id": one.id })).await?;
    let event = data["triggerEvent"].take();
    if output.is_json() {
        output.document(&json!({ "event": event }));
        return Ok(ExitCode::SUCCESS);
    }
    let id = output.paint(Shade::Strong, text(&event, "/id"));
    output.line(&format!("{id} {}  {}", text(&event, "/outcome"), became(&event)));
    let (node, workflow) = (text(&event, "/node"), text(&event, "/workflow/name"));
    let (environment, kind) = (text(&event, "/environment"), text(&event, "/kind"));
    output.line(&format!("  to {node} of {workflow} in {environment}, {kind}"));
    output.line(&format!("  came {}", text(&event, "/receivedAt")));
    for (pointer, what) in [("/explanation", "why"), ("/scheduledAt", "time"), ("/sourceRun/id", "from run")] {
        if !text(&event, pointer).is_empty() {
            output.line(&format!("  {what}: {}", text(&event, pointer)));
        }
    }
    match event["payload"]["preview"].as_str() {
        Some(payload) => output.line(&format!("  carried {}", shortened(payload, 2_000))),
        None => output.line("  what it carried was not kept"),
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn redeliver(client: &Client, again: Redeliver, output: Output) -> Result<ExitCode, Failure> {
    let onto = if again.onto == Onto::Same { "SAME" } else { "DEPLOYED" };
    let mut input = json!({ "eventId": again.id, "onto": onto });
    if let Some(key) = again.idempotency_key {
        input["idempotencyKey"] = key.into();
    }
    let payload = client.change("redeliverTriggerEvent", question::REDELIVER, input).await?;
    let replayed = payload["replayed"] == true;
    if output.is_json() {
        output.document(&json!({ "run": payload["run"], "replayed": replayed }));
        return Ok(ExitCode::SUCCESS);
    }
    let id = text(&payload, "/run/id");
    let what = if replayed { "had started before" } else { "started" };
    output.line(&format!("{} {what}", output.paint(Shade::Strong, id)));
    output.line(&format!("  watch it: flowforge run watch {id}"));
    Ok(ExitCode::SUCCESS)
}

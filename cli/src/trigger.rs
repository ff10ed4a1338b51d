//! `flowforge trigger`: what starts runs by itself, and what came to it.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade};
use crate::question::trigger as question;

mod event;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the triggers of a workflow that are or were deployed, with their ids.
    List(List),
    /// Hold a trigger back: it starts nothing until it is resumed, whatever is deployed.
    Pause(Id),
    /// Let a trigger go on from now.
    Resume(Id),
    /// List what came to triggers, the latest first: what became of each start.
    Events(event::Events),
    /// Show one thing that came to a trigger, with what it carried.
    Event(event::One),
    /// Start a run with what came to a trigger before.
    Redeliver(event::Redeliver),
    /// Ask for runs for the times of a schedule in the past that started none.
    Backfill(Backfill),
    /// List the backfills of a schedule and how far they are.
    Backfills(Id),
    /// Stop a backfill.
    CancelBackfill(BackfillId),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The workflow.
    workflow: String,
    /// The project that it is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
}

/// Which trigger.
#[derive(Debug, Args)]
pub(crate) struct Id {
    /// Its id, `trg_…`, as `flowforge trigger list` tells it.
    id: String,
}

/// Which backfill.
#[derive(Debug, Args)]
pub(crate) struct BackfillId {
    /// Its id, `bkf_…`.
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Backfill {
    #[command(flatten)]
    trigger: Id,
    /// The first time that counts, such as 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: DateTime<FixedOffset>,
    /// The last time that counts.
    #[arg(long, value_name = "TIME")]
    until: DateTime<FixedOffset>,
    /// How many times are looked at in a minute.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=600), value_name = "N")]
    per_minute: u32,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List(of) => list(&client, &of, output).await,
        Command::Pause(id) => {
            let input = json!({ "triggerId": id.id });
            let payload = client.change("pauseTrigger", question::PAUSE, input).await?;
            changed(&payload, "is paused", output)
        }
        Command::Resume(id) => {
            let input = json!({ "triggerId": id.id });
            let payload = client.change("resumeTrigger", question::RESUME, input).await?;
            changed(&payload, "goes on", output)
        }
        Command::Events(events) => event::list(&client, &events, output).await,
        Command::Event(one) => event::show(&client, &one, output).await,
        Command::Redeliver(redeliver) => event::redeliver(&client, redeliver, output).await,
        Command::Backfill(backfill) => self::backfill(&client, &backfill, output).await,
        Command::Backfills(of) => backfills(&client, &of, output).await,
        Command::CancelBackfill(of) => cancel(&client, &of, output).await,
    }
}

fn text<'a>(it: &'a Value, pointer: &str) -> &'a str {
    it.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

async fn list(client: &Client, of: &List, output: Output) -> Result<ExitCode, Failure> {
    let mut data = client.ask(question::LIST, json!({ "project": of.project, "name": of.workflow })).await?;
    let found = data["workflow"]["triggerBindings"].take();
    if output.is_json() {
        output.document(&json!({ "triggers": found }));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |trigger: &Value| {
        let state = match (trigger["pausedAt"].is_string(), trigger["version"]["number"].as_u64()) {
            (true, _) => "paused".to_owned(),
            (false, Some(number)) => format!("v{number}"),
            (false, None) => "not deployed".to_owned(),
        };
        vec![
            Cell::shaded(text(trigger, "/id"), Shade::Strong),
            Cell::plain(text(trigger, "/node")),
            Cell::plain(text(trigger, "/kind")),
            Cell::plain(text(trigger, "/environment")),
            Cell::plain(state),
            Cell::plain(text(trigger, "/nextFirings/0")),
            Cell::plain(text(trigger, "/lastRun/id")),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        output.line("no triggers that were ever deployed");
    } else {
        output.table(&["TRIGGER", "NODE", "KIND", "ENVIRONMENT", "STATE", "NEXT", "LAST RUN"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

fn changed(payload: &Value, what: &str, output: Output) -> Result<ExitCode, Failure> {
    if output.is_json() {
        output.document(&json!({ "trigger": payload["trigger"] }));
    } else {
        output.line(&format!("{} {what}", output.paint(Shade::Strong, text(payload, "/trigger/id"))));
        if let Some(next) = payload.pointer("/trigger/nextFirings/0").and_then(Value::as_str) {
            output.line(&format!("  next: {next}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn backfill(client: &Client, new: &Backfill, output: Output) -> Result<ExitCode, Failure> {
    let input = json!({
        "triggerId": new.trigger.id,
        "from": new.from.to_rfc3339(),
        "until": new.until.to_rfc3339(),
        "perMinute": new.per_minute,
    });
    let payload = client.change("backfillTrigger", question::BACKFILL, input).await?;
    if output.is_json() {
        output.document(&json!({ "backfill": payload["backfill"] }));
    } else {
        let (id, ticks) = (text(&payload, "/backfill/id"), &payload["backfill"]["ticks"]);
        output.line(&format!("{} looks at {ticks} times", output.paint(Shade::Strong, id)));
        output.line(&format!("  see how far it is: flowforge trigger backfills {}", new.trigger.id));
    }
    Ok(ExitCode::SUCCESS)
}

async fn backfills(client: &Client, of: &Id, output: Output) -> Result<ExitCode, Failure> {
    let mut data = client.ask(question::BACKFILLS, json!({ "id": of.id, "after": null })).await?;
    let found = data["triggerBackfills"]["nodes"].take();
    if output.is_json() {
        output.document(&json!({ "backfills": found }));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |backfill: &Value| {
        let status = text(backfill, "/status");
        vec![
            Cell::shaded(text(backfill, "/id"), Shade::Strong),
            Cell::plain(status),
            Cell::plain(text(backfill, "/from")),
            Cell::plain(text(backfill, "/until")),
            Cell::plain(format!("{} of {}", backfill["lookedAt"], backfill["ticks"])),
            Cell::plain(backfill["outcomes"]["started"].to_string()),
            Cell::plain(backfill["outcomes"]["refused"].to_string()),
            Cell::plain(backfill["hadRuns"].to_string()),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        output.line("no backfills");
    } else {
        output.table(&["BACKFILL", "STATUS", "FROM", "UNTIL", "LOOKED AT", "STARTED", "REFUSED", "HAD RUNS"], &rows);
    }
    Ok(ExitCode::SUCCESS)
}

async fn cancel(client: &Client, of: &BackfillId, output: Output) -> Result<ExitCode, Failure> {
    let payload = client.change("cancelBackfill", question::CANCEL_BACKFILL, json!({ "backfillId": of.id })).await?;
    if output.is_json() {
        output.document(&json!({ "backfill": payload["backfill"] }));
    } else {
        let status = text(&payload, "/backfill/status");
        output.line(&format!("{} {status}", output.paint(Shade::Strong, text(&payload, "/backfill/id"))));
    }
    Ok(ExitCode::SUCCESS)
}

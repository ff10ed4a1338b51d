//! `flowforge notification`: who outside is told of runs. A URL is a secret, as Slack's are, and comes from a file or
//! standard input.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::connection::secret_value;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade};
use crate::question::Question;
use crate::question::notification as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List who is told of what.
    List,
    /// Tell somebody of runs from now on.
    Create(Create),
    /// Change what somebody is told of, or where.
    Update(Update),
    /// Send again from now on, after it was switched off.
    Enable(Named),
    /// Send nothing until it is switched on again.
    Disable(Named),
    /// Give it another secret; the old one signs too for a while.
    RotateSecret(Rotate),
    /// Delete it with its messages.
    Delete(Named),
    /// List its messages, the latest first.
    Deliveries(Deliveries),
    /// Send messages again, each under the id that it had.
    Replay(Replay),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// JSON, signed as Standard Webhooks says.
    Standard,
    /// A line for Slack.
    Slack,
    /// A line for Discord.
    Discord,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Pending,
    Delivered,
    Failed,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The notification's name, or its id.
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What to call it.
    name: String,
    /// What it is told of, such as `run.failed`. May be repeated.
    #[arg(long = "event", required = true, value_name = "EVENT")]
    events: Vec<String>,
    /// The file that holds the URL of the receiver; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    url_file: String,
    /// How messages are written.
    #[arg(long, value_enum, default_value_t = Format::Standard)]
    format: Format,
    /// The file that holds what messages are signed with; one is made and shown once when this is absent.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,
    /// Only of this project's runs.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    /// What it is told of, instead of what it was. May be repeated.
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// The file that holds the new URL; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    url_file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    named: Named,
    /// For how many seconds the old secret signs too.
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
    overlap: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Deliveries {
    #[command(flatten)]
    named: Named,
    /// Only those of which this became.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// How many.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..=100), value_name = "N")]
    limit: u8,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// A message's id, `dlv_…`, or with `--since` the notification's name.
    what: String,
    /// Everything of the notification that was made since and given up, such as 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<FixedOffset>>,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List => list(&client, output).await?,
        Command::Create(new) => create(&client, output, new).await?,
        Command::Update(change) => {
            let url = change.url_file.as_deref().map(read).transpose()?;
            let events = Some(change.events).filter(|events| !events.is_empty());
            update(&client, output, &change.named, json!({ "events": events, "url": url })).await?;
        }
        Command::Enable(named) => update(&client, output, &named, json!({ "enabled": true })).await?,
        Command::Disable(named) => update(&client, output, &named, json!({ "enabled": false })).await?,
        Command::RotateSecret(rotate) => {
            let id = find(&client, &rotate.named.name).await?;
            let input = json!({ "id": id, "overlapSeconds": rotate.overlap });
            made(&client, output, "rotateNotificationSecret", question::ROTATE, input).await?;
        }
        Command::Delete(named) => delete(&client, output, &named).await?,
        Command::Deliveries(wanted) => deliveries(&client, output, &wanted).await?,
        Command::Replay(replay) => self::replay(&client, output, &replay).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text<'a>(it: &'a Value, name: &str) -> &'a str {
    it.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn read(file: &str) -> Result<String, Failure> {
    secret_value(file).map_err(|error| Failure::usage(format!("{file}: {error}")))
}

/// The id of the notification of this name or id.
async fn find(client: &Client, name: &str) -> Result<Value, Failure> {
    let data = client.ask(question::LIST, json!({})).await?;
    let all = data["notifications"].as_array();
    let found = all.into_iter().flatten().find(|one| text(one, "name") == name || text(one, "id") == name);
    found.map(|one| one["id"].clone()).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Failure {
    let failure = Failure::of_code("NOT_FOUND", format!("there is no notification `{name}`"));
    failure.hint("`flowforge notification list` lists them")
}

async fn list(client: &Client, output: Output) -> Result<(), Failure> {
    let data = client.ask(question::LIST, json!({})).await?;
    if output.is_json() {
        output.document(&data);
        return Ok(());
    }
    let row = |one: &Value| {
        let state = match (text(one, "disabledReason"), one["failingSince"].as_str()) {
            ("", None) => Cell::shaded("on", Shade::Good),
            ("", Some(since)) => Cell::shaded(format!("failing since {since}"), Shade::Bad),
            (reason, _) => Cell::shaded(format!("off: {reason}"), Shade::Dim),
        };
        let events: Vec<&str> = one["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let [name, format, target] = ["name", "format", "target"].map(|field| text(one, field));
        vec![
            Cell::shaded(name, Shade::Strong),
            Cell::plain(format),
            Cell::plain(events.join(" ")),
            Cell::plain(target),
            state,
        ]
    };
    let rows: Vec<Vec<Cell>> = data["notifications"].as_array().into_iter().flatten().map(row).collect();
    match rows.is_empty() {
        true => output.line("nobody is told of runs"),
        false => output.table(&["NAME", "FORMAT", "EVENTS", "TARGET", "STATE"], &rows),
    }
    Ok(())
}

async fn create(client: &Client, output: Output, new: Create) -> Result<(), Failure> {
    let format = match new.format {
        Format::Standard => "STANDARD",
        Format::Slack => "SLACK",
        Format::Discord => "DISCORD",
    };
    let secret = new.secret_file.as_deref().map(read).transpose()?;
    let input = json!({
        "project": new.project,
        "name": new.name,
        "format": format,
        "events": new.events,
        "url": read(&new.url_file)?,
        "secret": secret,
    });
    made(client, output, "createNotification", question::CREATE, input).await
}

async fn update(client: &Client, output: Output, named: &Named, change: Value) -> Result<(), Failure> {
    let mut input = change;
    input["id"] = find(client, &named.name).await?;
    made(client, output, "updateNotification", question::UPDATE, input).await
}

/// Shows what a change made of a notification, with a secret that is told this once.
async fn made(client: &Client, output: Output, field: &str, question: Question, input: Value) -> Result<(), Failure> {
    let payload = client.change(field, question, input).await?;
    let secret = payload["secret"].as_str();
    if output.is_json() {
        output.document(&json!({ "notification": payload["notification"], "secret": secret }));
        return Ok(());
    }
    let of = &payload["notification"];
    let state = if of["disabledAt"].is_string() { "gets nothing" } else { "is told" };
    output.line(&format!("{} {state}, at {}", output.paint(Shade::Strong, text(of, "name")), text(of, "target")));
    if let Some(secret) = secret {
        output.line(&format!("  what messages are signed with, shown this once: {secret}"));
    }
    Ok(())
}

async fn delete(client: &Client, output: Output, named: &Named) -> Result<(), Failure> {
    let input = json!({ "id": find(client, &named.name).await? });
    let payload = client.change("deleteNotification", question::DELETE, input).await?;
    match output.is_json() {
        true => output.document(&json!({ "deletedId": payload["deletedId"] })),
        false => output.line(&format!("{} deleted", output.paint(Shade::Strong, &named.name))),
    }
    Ok(())
}

async fn deliveries(client: &Client, output: Output, wanted: &Deliveries) -> Result<(), Failure> {
    let status = wanted.status.map(|status| match status {
        Status::Pending => "PENDING",
        Status::Delivered => "DELIVERED",
        Status::Failed => "FAILED",
    });
    let mut data = client.ask(question::DELIVERIES, json!({ "status": status, "first": wanted.limit })).await?;
    let name = &wanted.named.name;
    let all = data["notifications"].as_array_mut();
    let found = all.into_iter().flatten().find(|one| text(one, "name") == name || text(one, "id") == name);
    let found = found.ok_or_else(|| missing(name))?["deliveries"]["nodes"].take();
    if output.is_json() {
        output.document(&json!({ "deliveries": found }));
        return Ok(());
    }
    let row = |one: &Value| {
        let [id, event, entity, status] = ["id", "event", "entity", "status"].map(|field| text(one, field));
        let shade = match status {
            "DELIVERED" => Shade::Good,
            "FAILED" => Shade::Bad,
            _ => Shade::Dim,
        };
        vec![
            Cell::shaded(id, Shade::Strong),
            Cell::plain(event),
            Cell::plain(entity),
            Cell::shaded(status, shade),
            Cell::plain(one["attemptCount"].to_string()),
            Cell::plain(text(one, "nextAt")),
        ]
    };
    let rows: Vec<Vec<Cell>> = found.as_array().into_iter().flatten().map(row).collect();
    match rows.is_empty() {
        true => output.line("no messages"),
        false => output.table(&["MESSAGE", "EVENT", "ABOUT", "STATUS", "TRIES", "NEXT"], &rows),
    }
    Ok(())
}

async fn replay(client: &Client, output: Output, replay: &Replay) -> Result<(), Failure> {
    let count = match replay.since {
        Some(since) => {
            let input = json!({ "notificationId": find(client, &replay.what).await?, "since": since.to_rfc3339() });
            client.change("replayDeliveries", question::REPLAY_ALL, input).await?["count"].clone()
        }
        None => {
            client.change("replayDelivery", question::REPLAY, json!({ "id": replay.what })).await?;
            json!(1)
        }
    };
    match output.is_json() {
        true => output.document(&json!({ "count": count })),
        false => output.line(&format!("{count} sent again")),
    }
    Ok(())
}

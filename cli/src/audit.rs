//! `flowforge audit`: who changed what.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::audit as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List changes, the latest first.
    List(List),
    /// Write changes as JSON lines, the latest first, for other programs to keep.
    Export(Which),
}

/// Which changes; all that is said must hold.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only this kind of change, such as `version.published`; may be repeated.
    #[arg(long = "action", value_name = "ACTION")]
    actions: Vec<String>,
    /// Only changes of the thing of this id.
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    /// Only what the actor of this id did, such as an API key.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Not before this time, such as 2026-11-21T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<FixedOffset>>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<FixedOffset>>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// How many, 1 to 100.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    first: u32,
    /// Go on after this cursor, which the page before told.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List(list) => self::list(&client, &list, output).await,
        Command::Export(which) => export(&client, &which, output).await,
    }
}

fn filter(which: &Which) -> Value {
    let mut filter = Map::new();
    let mut put = |name: &str, value: Option<String>| value.map(|value| filter.insert(name.to_owned(), value.into()));
    put("entityId", which.entity.clone());
    put("actorId", which.actor.clone());
    put("since", which.since.map(|at| at.to_rfc3339()));
    put("until", which.until.map(|at| at.to_rfc3339()));
    if !which.actions.is_empty() {
        filter.insert("actions".to_owned(), json!(which.actions));
    }
    filter.into()
}

async fn page(client: &Client, which: &Which, first: u32, after: &Value) -> Result<(Vec<Value>, Value), Failure> {
    let mut data =
        client.ask(question::LIST, json!({ "filter": filter(which), "first": first, "after": after })).await?;
    let page = &mut data["audit"];
    let rows = match page["nodes"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    };
    let has_more = page["pageInfo"]["hasNextPage"] == true;
    Ok((rows, if has_more { page["pageInfo"]["endCursor"].take() } else { Value::Null }))
}

async fn list(client: &Client, list: &List, output: Output) -> Result<ExitCode, Failure> {
    let (rows, next) = page(client, &list.which, list.first, &json!(list.after)).await?;
    if output.is_json() {
        output.document(&json!({ "audit": rows, "next": next }));
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        output.line("nothing was changed");
        return Ok(ExitCode::SUCCESS);
    }
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let cells = |row: &Value| {
        let actor = row["actorId"].as_str().map_or_else(|| text(row, "actorKind").to_lowercase(), str::to_owned);
        let change = if row["after"].is_null() { &row["before"] } else { &row["after"] };
        vec![
            Cell::plain(row["seq"].to_string()),
            Cell::plain(text(row, "at")),
            Cell::shaded(text(row, "action"), Shade::Strong),
            Cell::plain(text(row, "entityId")),
            Cell::plain(actor),
            Cell::shaded(if change.is_null() { String::new() } else { shortened(&change.to_string(), 60) }, Shade::Dim),
        ]
    };
    let rows: Vec<Vec<Cell>> = rows.iter().map(cells).collect();
    output.table(&["SEQ", "AT", "ACTION", "OF", "BY", "CHANGE"], &rows);
    if let Some(cursor) = next.as_str() {
        output.note(&format!("more: --after {cursor}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Page by page, so that an audit of any length needs little memory.
async fn export(client: &Client, which: &Which, output: Output) -> Result<ExitCode, Failure> {
    let mut after = Value::Null;
    loop {
        let (rows, next) = page(client, which, 100, &after).await?;
        rows.iter().for_each(|row| output.line(&row.to_string()));
        if next.is_null() {
            return Ok(ExitCode::SUCCESS);
        }
        after = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_is_asked() {
        let none = Which { actions: Vec::new(), entity: None, actor: None, since: None, until: None };
        assert_eq!(filter(&none), json!({}));
        let some = Which {
            actions: vec!["version.published".into()],
            since: Some("2026-11-21T08:00:00+01:00".parse().unwrap()),
            ..none
        };
        assert_eq!(filter(&some), json!({"actions": ["version.published"], "since": "2026-11-21T08:00:00+01:00"}));
    }
}

//! `flowforge audit`: who changed what.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use api::service::audit_chain::Remembered;
use chrono::{DateTime, FixedOffset};
use clap::{Args, Subcommand};
use engine::value::Digest;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::key::failed;
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::audit as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List changes, the latest first.
    List(List),
    /// Write changes, the oldest first, for other programs to keep. JSON lines end with a signed anchor.
    Export(Export),
    /// Look whether the audit is what was written, on the server itself; names the first row that is not.
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// jsonl or csv.
    #[arg(long, default_value = "jsonl", value_parser = ["jsonl", "csv"], value_name = "FORMAT")]
    format: String,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Whose audit.
    #[arg(long, default_value = "default", value_name = "NAME")]
    workspace: String,
    /// An earlier export as JSON lines: rows that it knew must still be there.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
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
    /// Only what came to this: done or denied.
    #[arg(long, value_parser = ["done", "denied"], value_name = "RESULT")]
    result: Option<String>,
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
    let output = global.output();
    match command {
        Command::List(list) => self::list(&global.client()?, &list, output).await,
        Command::Export(wanted) => export(&global.client()?, &wanted, output).await,
        Command::Verify(verify) => self::verify(&verify, global, output).await,
    }
}

fn filter(which: &Which) -> Value {
    let mut filter = Map::new();
    let mut put = |name: &str, value: Option<String>| value.map(|value| filter.insert(name.to_owned(), value.into()));
    put("entityId", which.entity.clone());
    put("actorId", which.actor.clone());
    put("result", which.result.as_deref().map(str::to_uppercase));
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

/// Piece by piece as it comes, so that an audit of any length needs little memory.
async fn export(client: &Client, wanted: &Export, output: Output) -> Result<ExitCode, Failure> {
    let which = &wanted.which;
    let mut query = vec![("format", wanted.format.clone())];
    let mut put = |name: &'static str, value: Option<String>| query.extend(value.map(|value| (name, value)));
    put("action", (!which.actions.is_empty()).then(|| which.actions.join(",")));
    put("actor", which.actor.clone());
    put("entity", which.entity.clone());
    put("result", which.result.as_deref().map(str::to_uppercase));
    put("since", which.since.map(|at| at.to_utc().to_rfc3339()));
    put("until", which.until.map(|at| at.to_utc().to_rfc3339()));
    client.download("/api/v1/audit", &query, |piece| output.piece(piece)).await?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(verify: &Verify, global: &Global, output: Output) -> Result<ExitCode, Failure> {
    let kept = verify.export.as_deref().map(remembered).transpose()?.unwrap_or_default();
    let verdict = api::verify_audit(&global.settings()?, &verify.workspace, &kept).await.map_err(failed)?;
    if let Some(fault) = verdict.fault {
        return Err(Failure::new(Exit::Conflict, "AUDIT_INTEGRITY", fault.to_string()));
    }
    let (rows, anchors) = (verdict.rows, verdict.anchors);
    if output.is_json() {
        output.document(&json!({ "rows": rows, "anchors": anchors, "remembered": kept.len(), "intact": true }));
    } else {
        output.line(&format!("{rows} rows are what was written; {anchors} signed anchors agree"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What an export knew: the hash of each of its rows, and of its anchor.
fn remembered(path: &Path) -> Result<Vec<Remembered>, Failure> {
    let wrong = |what: String| Failure::new(Exit::Usage, "BAD_USER_INPUT", format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut kept = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(format!("line {number}: {error}")))?;
        let row = if value["anchor"].is_object() { &value["anchor"] } else { &value };
        let seq = row["seq"].as_i64().ok_or_else(|| wrong(format!("line {number} has no `seq`")))?;
        let Some(hash) = row["hash"].as_str() else { continue };
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).map_err(|error| wrong(format!("line {number}: {error}")))?;
        kept.push(Remembered { seq, hash: Digest(bytes) });
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_is_asked() {
        let none = Which { actions: Vec::new(), entity: None, actor: None, result: None, since: None, until: None };
        assert_eq!(filter(&none), json!({}));
        let some = Which {
            actions: vec!["version.published".into()],
            since: Some("2026-11-21T08:00:00+01:00".parse().unwrap()),
            ..none
        };
        assert_eq!(filter(&some), json!({"actions": ["version.published"], "since": "2026-11-21T08:00:00+01:00"}));
    }
}

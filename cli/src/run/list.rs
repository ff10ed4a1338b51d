//! `flowforge run list`.

use std::process::ExitCode;

use chrono::{DateTime, FixedOffset};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::show::{text, took};
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::run as question;
use crate::question::workflow;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only runs with this status, such as FAILED; may be repeated.
    #[arg(long = "status", value_name = "STATUS")]
    statuses: Vec<String>,
    /// Only runs of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// The project that `--workflow` is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// Only runs in this environment.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Only runs that count, or only test runs.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Only runs with this business key.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Only runs with this label; may be repeated, and then all must fit.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = crate::workflow::label)]
    labels: Vec<(String, String)>,
    /// Only runs that a trigger of this kind started, such as WEBHOOK; may be repeated.
    #[arg(long = "trigger-kind", value_name = "KIND")]
    trigger_kinds: Vec<String>,
    /// Only runs that this one started, such as the id of an API key.
    #[arg(long, value_name = "WHO")]
    created_by: Option<String>,
    /// Only tries again of this run.
    #[arg(long, value_name = "RUN")]
    retry_of: Option<String>,
    /// Not committed before this time, such as 2026-11-21T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<FixedOffset>>,
    /// Committed before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<FixedOffset>>,
    /// The oldest first.
    #[arg(long)]
    oldest_first: bool,
    /// How many, 1 to 100.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    first: u32,
    /// Go on after this cursor, which the page before told.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Runs of published versions.
    Live,
    /// Tries of definitions.
    Test,
}

fn filter(list: &List) -> Map<String, Value> {
    let mut filter = Map::new();
    let mut put = |name: &str, value: Option<Value>| value.map(|value| filter.insert(name.to_owned(), value));
    let words = |words: &[String]| -> Option<Value> {
        let words: Vec<String> = words.iter().map(|word| word.to_uppercase().replace('-', "_")).collect();
        (!words.is_empty()).then(|| words.into())
    };
    put("status", words(&list.statuses));
    put("triggerKind", words(&list.trigger_kinds));
    put("environment", list.environment.clone().map(Value::from));
    put("key", list.key.clone().map(Value::from));
    put("createdBy", list.created_by.clone().map(Value::from));
    put("retryOfId", list.retry_of.clone().map(Value::from));
    put("createdSince", list.since.map(|at| at.to_rfc3339().into()));
    put("createdUntil", list.until.map(|at| at.to_rfc3339().into()));
    let mode = |mode| if mode == Mode::Test { "TEST" } else { "LIVE" };
    put("mode", list.mode.map(|one| mode(one).into()));
    let labels: Vec<Value> = list.labels.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    put("labels", (!labels.is_empty()).then(|| labels.into()));
    filter
}

pub(super) async fn list(client: &Client, list: &List, output: Output) -> Result<ExitCode, Failure> {
    let mut filter = filter(list);
    if let Some(name) = &list.workflow {
        let mut data = client.ask(workflow::ID, json!({ "project": list.project, "name": name })).await?;
        filter.insert("workflowId".to_owned(), data["workflow"]["id"].take());
    }
    let order = if list.oldest_first { "OLDEST_FIRST" } else { "NEWEST_FIRST" };
    let asked = json!({ "filter": filter, "order": order, "first": list.first, "after": list.after });
    let mut data = client.ask(question::LIST, asked).await?;
    let page = &mut data["runs"];
    let next = if page["pageInfo"]["hasNextPage"] == true { page["pageInfo"]["endCursor"].take() } else { Value::Null };
    let runs = page["nodes"].take();
    if output.is_json() {
        output.document(&json!({ "runs": runs, "next": next }));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = runs.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        output.line("no runs");
    } else {
        output.table(&["RUN", "STATUS", "WORKFLOW", "ENVIRONMENT", "KEY", "CREATED", "TOOK"], &rows);
    }
    if let Some(next) = next.as_str() {
        output.line(&output.paint(Shade::Dim, &format!("more: --after {next}")));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Value) -> Vec<Cell> {
    let status = text(run, "/status");
    vec![
        Cell::plain(text(run, "/id")),
        Cell::shaded(status, Shade::of_status(status)),
        Cell::plain(super::show::what(run)),
        Cell::plain(text(run, "/environment")),
        Cell::plain(shortened(text(run, "/key"), 40)),
        Cell::plain(text(run, "/createdAt")),
        Cell::plain(took(run).unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Whole {
        #[command(flatten)]
        list: List,
    }

    #[test]
    fn every_filter_of_the_api_can_be_said_and_only_what_is_said_is_asked() {
        let asked = |arguments: &[&str]| filter(&Whole::parse_from([&["list"], arguments].concat()).list);
        assert_eq!(asked(&[]), Map::new());
        let all = asked(&[
            "--status",
            "failed",
            "--status",
            "timed-out",
            "--environment",
            "live",
            "--mode",
            "test",
            "--key",
            "o-7",
            "--label",
            "team=a",
            "--label",
            "tier=b=c",
            "--trigger-kind",
            "webhook",
            "--created-by",
            "key_1",
            "--retry-of",
            "run_1",
            "--since",
            "2026-11-21T08:00:00+01:00",
            "--until",
            "2026-11-22T00:00:00Z",
        ]);
        assert_eq!(
            Value::from(all.clone()),
            json!({
                "status": ["FAILED", "TIMED_OUT"], "environment": "live", "mode": "TEST", "key": "o-7",
                "labels": [{ "name": "team", "value": "a" }, { "name": "tier", "value": "b=c" }],
                "triggerKind": ["WEBHOOK"], "createdBy": "key_1", "retryOfId": "run_1",
                "createdSince": "2026-11-21T08:00:00+01:00", "createdUntil": "2026-11-22T00:00:00+00:00",
            })
        );
        // `label` is `labels` of one; `workflowId` is looked up by name.
        let sdl = api::graphql::schema_sdl();
        let filter = sdl.split("input RunFilter {").nth(1).unwrap().split('}').next().unwrap();
        for field in filter.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name) {
            let is_said = all.contains_key(field) || matches!(field, "label" | "workflowId");
            assert!(is_said, "`run list` cannot filter by {field}");
        }
    }
}

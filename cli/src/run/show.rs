//! `flowforge run get` and `run list`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade, shortened};

/// Node runs that `run get` asks for at most; items of a `for_each` count too.
const MOST_NODE_RUNS: usize = 1_000;

const GET: &str = "query Run($id: ID!) { run(id: $id) {
  id status mode environment key labels trigger createdAt startedAt finishedAt createdBy lastSeq
  workflow { id name title project { slug } } version { id number hash }
  input { kind byteSize preview(maxBytes: 65536) truncated(maxBytes: 65536) }
  output { kind byteSize preview(maxBytes: 65536) truncated(maxBytes: 65536) }
  error { code message node }
} }";

const NODE_RUNS: &str = "query NodeRuns($id: ID!, $after: String) { run(id: $id) {
  nodeRuns(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node {
      id node scope type status attempt effect port items itemsSettled startedAt finishedAt
      output { kind byteSize preview(maxBytes: 200) truncated(maxBytes: 200) }
      error { code message kind } waitingFor { signal key until }
    } }
  }
} }";

const LIST: &str = "query Runs($filter: RunFilter, $first: Int, $after: String) {
  runs(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id status key createdAt startedAt finishedAt workflow { name project { slug } } version { number } } }
  }
}";

const WORKFLOW: &str =
    "query Workflow($project: String!, $name: String!) { workflow(project: $project, name: $name) { id } }";

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only runs with this status, such as FAILED; may be repeated.
    #[arg(long = "status", value_name = "STATUS")]
    statuses: Vec<String>,
    /// Only runs of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// The project the workflow is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// Only runs with this business key.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// Only runs with this label.
    #[arg(long, value_name = "NAME=VALUE")]
    label: Option<String>,
    /// How many, 1 to 100.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    first: u32,
    /// Go on after this cursor, which the page before told.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// The run's document: what the API says of it, and its node runs as one list.
pub(super) async fn document(client: &Client, id: &str) -> Result<Value, Failure> {
    let mut data = client.ask(GET, json!({ "id": id })).await?;
    let mut run = taken(&mut data, "/run");
    if run.is_null() {
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", format!("there is no run {id}")));
    }
    let mut node_runs = Vec::new();
    let mut after = Value::Null;
    let more = loop {
        let mut data = client.ask(NODE_RUNS, json!({ "id": id, "after": after })).await?;
        node_runs.extend(nodes(&mut data, "/run/nodeRuns/edges"));
        after = taken(&mut data, "/run/nodeRuns/pageInfo/endCursor");
        let more = data.pointer("/run/nodeRuns/pageInfo/hasNextPage").and_then(Value::as_bool).unwrap_or_default();
        if !more || node_runs.len() >= MOST_NODE_RUNS {
            break more;
        }
    };
    if let Some(run) = run.as_object_mut() {
        run.insert("nodeRuns".to_owned(), node_runs.into());
        run.insert("nodeRunsTruncated".to_owned(), more.into());
    }
    Ok(run)
}

pub(super) async fn get(client: &Client, id: &str, output: Output) -> Result<ExitCode, Failure> {
    let run = document(client, id).await?;
    if output.is_json() {
        output.document(&run);
    } else {
        show(output, &run);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(output: Output, run: &Value) {
    summary(output, run);
    let empty = Vec::new();
    let node_runs = run["nodeRuns"].as_array().unwrap_or(&empty);
    // An item is worth a line of its own only when it needs somebody's attention.
    let worth = |node_run: &&Value| {
        text(node_run, "/scope").is_empty()
            || !matches!(text(node_run, "/status"), "SUCCEEDED" | "RUNNING" | "SKIPPED" | "PENDING" | "QUEUED")
    };
    let rows: Vec<Vec<Cell>> = node_runs.iter().filter(worth).map(row).collect();
    if !rows.is_empty() {
        output.line("");
        output.table(&["NODE", "STATUS", "ATTEMPT", "TOOK", "SAYS"], &rows);
    }
    for node_run in node_runs.iter().filter(|node_run| text(node_run, "/status") == "UNCERTAIN") {
        let id = text(node_run, "/id");
        output.line(&format!("\nNobody knows whether {} happened. Find out, then say it:", text(node_run, "/node")));
        output.line(&format!("  flowforge run resolve {id} retry|succeed|fail"));
    }
    if run["nodeRunsTruncated"] == json!(true) {
        output.line(&output.paint(Shade::Dim, "… and more node runs"));
    }
}

/// What the run is, how it stands, and what came of it.
pub(super) fn summary(output: Output, run: &Value) {
    let status = text(run, "/status");
    output.line(&format!(
        "{} {}  {}/{} version {}",
        output.paint(Shade::Strong, text(run, "/id")),
        output.paint(Shade::of_status(status), status),
        text(run, "/workflow/project/slug"),
        text(run, "/workflow/name"),
        run.pointer("/version/number").unwrap_or(&Value::Null),
    ));
    let mut times = format!("  created {}", text(run, "/createdAt"));
    if let Some(took) = took(run) {
        times += &format!(", took {took}");
    }
    output.line(&times);
    if let Some(key) = run["key"].as_str() {
        output.line(&format!("  key {key}"));
    }
    if let Some(error) = run.get("error").filter(|error| !error.is_null()) {
        let node = error["node"].as_str().map(|node| format!(" in node {node}")).unwrap_or_default();
        let code = output.paint(Shade::Bad, text(error, "/code"));
        output.line(&format!("  error {code}{node}: {}", text(error, "/message")));
    }
    if let Some(result) = run.get("output").filter(|result| !result.is_null()) {
        let more = if result["truncated"] == json!(true) { "…" } else { "" };
        output.line(&format!("  output {}{more}", text(result, "/preview")));
    }
}

fn row(node_run: &Value) -> Vec<Cell> {
    let status = text(node_run, "/status");
    let scope = text(node_run, "/scope");
    let name = if scope.is_empty() {
        text(node_run, "/node").to_owned()
    } else {
        format!("{}[{scope}]", text(node_run, "/node"))
    };
    let attempt = match node_run["attempt"].as_u64() {
        None | Some(0) => String::new(),
        Some(number) => number.to_string(),
    };
    vec![
        Cell::plain(name),
        Cell::shaded(status, Shade::of_status(status)),
        Cell::plain(attempt),
        Cell::plain(took(node_run).unwrap_or_default()),
        Cell::plain(says(node_run)),
    ]
}

/// The one thing worth knowing of a node run.
fn says(node_run: &Value) -> String {
    if let Some(items) = node_run["items"].as_u64() {
        return format!("{} of {items} items", node_run["itemsSettled"].as_u64().unwrap_or_default());
    }
    let waits = &node_run["waitingFor"];
    if let Some(signal) = waits["signal"].as_str() {
        let until = waits["until"].as_str().map(|until| format!(" until {until}")).unwrap_or_default();
        return format!("for signal {signal}{until}");
    }
    if let Some(until) = waits["until"].as_str() {
        return format!("until {until}");
    }
    let error = &node_run["error"];
    if let (Some(code), "FAILED" | "UNCERTAIN" | "RETRYING" | "TIMED_OUT") =
        (error["code"].as_str(), text(node_run, "/status"))
    {
        return shortened(&format!("{code}: {}", text(error, "/message")), 100);
    }
    shortened(text(node_run, "/output/preview"), 80)
}

pub(super) async fn list(client: &Client, list: List, output: Output) -> Result<ExitCode, Failure> {
    let mut filter = serde_json::Map::new();
    if !list.statuses.is_empty() {
        let words: Vec<String> = list.statuses.iter().map(|status| status.to_uppercase()).collect();
        filter.insert("status".to_owned(), words.into());
    }
    if let Some(name) = list.workflow {
        let mut data = client.ask(WORKFLOW, json!({ "project": list.project, "name": name })).await?;
        let id = taken(&mut data, "/workflow/id");
        if id.is_null() {
            return Err(Failure::new(
                Exit::NotFound,
                "NOT_FOUND",
                format!("there is no workflow {}/{name}", list.project),
            ));
        }
        filter.insert("workflowId".to_owned(), id);
    }
    if let Some(key) = list.key {
        filter.insert("key".to_owned(), key.into());
    }
    if let Some(label) = list.label {
        let (name, value) = label.split_once('=').ok_or_else(|| Failure::usage("--label: write NAME=VALUE"))?;
        filter.insert("label".to_owned(), json!({ "name": name, "value": value }));
    }
    let mut data = client.ask(LIST, json!({ "filter": filter, "first": list.first, "after": list.after })).await?;
    let runs = nodes(&mut data, "/runs/edges");
    let next = Some(taken(&mut data, "/runs/pageInfo"))
        .filter(|page| page["hasNextPage"] == json!(true))
        .and_then(|page| page["endCursor"].as_str().map(str::to_owned));
    if output.is_json() {
        output.document(&json!({ "runs": runs, "next": next }));
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<Cell>> = runs.iter().map(listed).collect();
    if rows.is_empty() {
        output.line("no runs");
    } else {
        output.table(&["RUN", "STATUS", "WORKFLOW", "KEY", "CREATED", "TOOK"], &rows);
    }
    if let Some(next) = next {
        output.line(&output.paint(Shade::Dim, &format!("more: --after {next}")));
    }
    Ok(ExitCode::SUCCESS)
}

fn listed(run: &Value) -> Vec<Cell> {
    let status = text(run, "/status");
    vec![
        Cell::plain(text(run, "/id")),
        Cell::shaded(status, Shade::of_status(status)),
        Cell::plain(format!(
            "{}/{} v{}",
            text(run, "/workflow/project/slug"),
            text(run, "/workflow/name"),
            run["version"]["number"]
        )),
        Cell::plain(shortened(text(run, "/key"), 40)),
        Cell::plain(text(run, "/createdAt")),
        Cell::plain(took(run).unwrap_or_default()),
    ]
}

/// How long it took, once it has begun and ended.
fn took(it: &Value) -> Option<String> {
    let at = |name: &str| it[name].as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    let took = at("finishedAt")? - at("startedAt").or_else(|| at("createdAt"))?;
    Some(duration(u64::try_from(took.num_milliseconds()).unwrap_or_default()))
}

/// Milliseconds as people read them.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// The text at a JSON pointer, or none.
pub(super) fn text<'a>(it: &'a Value, pointer: &str) -> &'a str {
    it.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn taken(it: &mut Value, pointer: &str) -> Value {
    it.pointer_mut(pointer).map(Value::take).unwrap_or_default()
}

/// The nodes of a connection's edges.
fn nodes(it: &mut Value, edges: &str) -> Vec<Value> {
    match taken(it, edges) {
        Value::Array(edges) => edges.into_iter().map(|mut edge| taken(&mut edge, "/node")).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_the_unit_that_people_would_use() {
        let shown: Vec<String> = [7, 1_250, 61_000, 5_400_000].into_iter().map(duration).collect();
        assert_eq!(shown, ["7 ms", "1.2 s", "1 min 1 s", "1 h 30 min"]);
    }

    #[test]
    fn a_node_run_says_the_one_thing_worth_knowing() {
        let waiting =
            json!({ "status": "WAITING", "waitingFor": { "signal": "paid", "until": "2026-01-01T00:00:00Z" } });
        assert_eq!(says(&waiting), "for signal paid until 2026-01-01T00:00:00Z");
        let failed = json!({ "status": "FAILED", "error": { "code": "HTTP_STATUS", "message": "503\nbusy" } });
        assert_eq!(says(&failed), "HTTP_STATUS: 503 busy");
        assert_eq!(says(&json!({ "items": 10, "itemsSettled": 4 })), "4 of 10 items");
    }
}

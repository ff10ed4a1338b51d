//! `flowforge run get`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::run as question;

/// Node runs that `run get` asks for at most; items of a `for_each` count too.
const MOST_NODE_RUNS: usize = 1_000;

/// The run's document: what the API says of it, and its node runs as one list.
pub(super) async fn document(client: &Client, id: &str) -> Result<Value, Failure> {
    let mut data = client.ask(question::GET, json!({ "id": id })).await?;
    let mut run = taken(&mut data, "/run");
    if run.is_null() {
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", format!("there is no run {id}")));
    }
    let mut node_runs = Vec::new();
    let mut after = Value::Null;
    let more = loop {
        let mut data = client.ask(question::NODE_RUNS, json!({ "id": id, "after": after })).await?;
        if let Value::Array(page) = taken(&mut data, "/run/nodeRuns/nodes") {
            node_runs.extend(page);
        }
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
    let id = output.paint(Shade::Strong, text(run, "/id"));
    output.line(&format!("{id} {}  {}", output.paint(Shade::of_status(status), status), what(run)));
    let mut times = format!("  created {}", text(run, "/createdAt"));
    if let Some(took) = took(run) {
        times += &format!(", took {took}");
    }
    output.line(&times);
    if let Some(key) = run["key"].as_str() {
        output.line(&format!("  key {key}"));
    }
    if let Some(of) = run.pointer("/retryOf/id").and_then(Value::as_str) {
        let from = run["retriedFrom"].as_str().map(|node| format!(" from {node}")).unwrap_or_default();
        output.line(&format!("  tries {of} again{from}"));
    }
    if let Some(error) = run.get("error").filter(|error| !error.is_null()) {
        let node = error["node"].as_str().map(|node| format!(" in node {node}")).unwrap_or_default();
        let code = output.paint(Shade::Bad, text(error, "/code"));
        output.line(&format!("  error {code}{node}: {}", text(error, "/message")));
    }
    if let Some(result) = run.get("output").filter(|result| !result.is_null()) {
        let more = if result["truncated"] == json!(true) { "…" } else { "" };
        output.line(&format!("  output {}{more}", text(result, "/preview")));
        if !more.is_empty() {
            output.line(&output.paint(Shade::Dim, &format!("  all of it: flowforge run output {}", text(run, "/id"))));
        }
    }
}

/// What it is a run of, such as `default/orders v3`.
pub(super) fn what(run: &Value) -> String {
    let workflow = match text(run, "/workflow/name") {
        "" => "a workflow that was deleted".to_owned(),
        name => format!("{}/{name}", text(run, "/workflow/project/slug")),
    };
    match (run.pointer("/version/number").and_then(Value::as_u64), text(run, "/mode")) {
        (Some(number), _) => format!("{workflow} v{number}"),
        (None, "TEST") => format!("{workflow} (test)"),
        (None, _) => workflow,
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
    if node_run["pinned"] == true {
        return format!("pinned: {}", shortened(text(node_run, "/output/preview"), 70));
    }
    if let Some(of) = node_run["reusedFrom"].as_str() {
        return format!("reused from {of}");
    }
    let error = &node_run["error"];
    if let (Some(code), "FAILED" | "UNCERTAIN" | "RETRYING" | "TIMED_OUT") =
        (error["code"].as_str(), text(node_run, "/status"))
    {
        return shortened(&format!("{code}: {}", text(error, "/message")), 100);
    }
    shortened(text(node_run, "/output/preview"), 80)
}

/// How long it took, once it has begun and ended.
pub(super) fn took(it: &Value) -> Option<String> {
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
        assert_eq!(says(&json!({ "reusedFrom": "run_1", "status": "SUCCEEDED" })), "reused from run_1");
        assert_eq!(says(&json!({ "items": 10, "itemsSettled": 4 })), "4 of 10 items");
    }
}

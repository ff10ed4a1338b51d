//! `flowforge run retry`: a new run that takes over what succeeded.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::show::text;
use super::{input, watch};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Shade};
use crate::question::run as question;
use crate::version::{self, Named};

#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The run's id, `run_…`; it has ended.
    id: String,
    /// The first node that runs: it and all that comes after it. The start when absent.
    #[arg(long, value_name = "NODE")]
    from: Option<String>,
    /// What that node gets, in the place of what leads to it: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// The number of another version of the workflow, such as one in which the cause is mended.
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// The same key within 24 hours starts no second run.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// Follow the new run to its end.
    #[arg(long)]
    watch: bool,
}

pub(super) async fn retry(client: &Client, retry: Retry, output: Output) -> Result<ExitCode, Failure> {
    let mut asked = Map::new();
    asked.insert("runId".to_owned(), retry.id.as_str().into());
    let mut put = |name: &str, value: Option<Value>| value.map(|value| asked.insert(name.to_owned(), value));
    put("fromNode", retry.from.map(Value::from));
    put("idempotencyKey", retry.idempotency_key.map(Value::from));
    put("input", retry.input.map(|text| input::json(&text, "--input")).transpose()?);
    if let Some(number) = retry.version {
        put("versionId", Some(version_id(client, &retry.id, number).await?));
    }
    let payload = client.change("retryRun", question::RETRY, asked.into()).await?;
    let id = text(&payload, "/run/id");
    if retry.watch {
        return watch::follow(client, id, output).await;
    }
    let replayed = payload["replayed"] == true;
    if output.is_json() {
        output.document(&json!({ "run": payload["run"], "replayed": replayed }));
    } else {
        let what = if replayed { "had started before" } else { "started" };
        output.line(&format!("{} {what}", output.paint(Shade::Strong, id)));
        output.line(&format!("  watch it: flowforge run watch {id}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of a version of the run's workflow.
async fn version_id(client: &Client, run: &str, number: u32) -> Result<Value, Failure> {
    let data = client.ask(question::WHENCE, json!({ "id": run })).await?;
    let (workflow, project) = (text(&data, "/run/workflow/name"), text(&data, "/run/workflow/project/slug"));
    if workflow.is_empty() {
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", format!("the workflow of {run} is not there any more")));
    }
    let of = Named { workflow: workflow.to_owned(), project: project.to_owned() };
    Ok(version::known(client, &of).await?.numbered(&of, number)?["id"].clone())
}

//! `flowforge workflow`: publish documents and start runs of them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::artifact;
use crate::client::Client;
use crate::command::Global;
use crate::exit::Failure;
use crate::output::Shade;
use crate::question::workflow as question;
use crate::run::{input, watch};

mod apply;
mod document;
mod drift;
mod export;
mod found;
mod metadata;
mod problem;
mod prune;
mod test;
mod tree;
mod validate;
mod yaml;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish what *.flow.yaml files hold; what is already the latest version stays as it is.
    Apply(Apply),
    /// Check *.flow.yaml files on this machine, without a server.
    Validate(validate::Validate),
    /// Write workflows as *.flow.yaml; applying them again changes nothing.
    Export(export::Export),
    /// Try a file, or a workflow's draft, without publishing it: a test run, followed to its end.
    Test(test::Test),
    /// Start a run of a workflow.
    Run(Start),
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML files; each may hold several documents, separated by `---`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The project of documents that name none [default: default].
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Publish only; runs keep starting with the version that is deployed now.
    #[arg(long)]
    no_deploy: bool,
    /// The environment to deploy to.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
    /// What changed, for people who read the list of versions.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Only say what would change, with the difference; ends with 2 when something would.
    #[arg(long)]
    dry_run: bool,
    /// Archive the workflows of the files' projects that no file names.
    #[arg(long)]
    prune: bool,
}

impl Apply {
    /// The project of documents that name none.
    fn project(&self) -> &str {
        self.project.as_deref().unwrap_or("default")
    }
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The workflow's name.
    name: String,
    /// The project it is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// The environment whose deployed version runs.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The input: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
    /// The trigger node to start at, when there are several.
    #[arg(long, value_name = "NODE")]
    trigger: Option<String>,
    /// A business key to find the run by, such as an order number.
    #[arg(long, value_name = "TEXT")]
    key: Option<String>,
    /// The same key within 24 hours starts no second run.
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
    /// A label, `NAME=VALUE`; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// A file that becomes a member of the input, `FIELD=PATH`; may be repeated.
    #[arg(long = "file", value_name = "FIELD=PATH", value_parser = file)]
    files: Vec<(String, PathBuf)>,
    /// Follow the run to its end.
    #[arg(long)]
    watch: bool,
}

fn file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((field, path)) if !field.is_empty() && !path.is_empty() => Ok((field.to_owned(), path.into())),
        _ => Err("write FIELD=PATH, such as document=./invoice.pdf".to_owned()),
    }
}

/// How two definitions differ, in the form of `diff -u`; empty when they do not.
pub(crate) fn difference(before: &Value, after: &Value) -> Result<String, Failure> {
    let (before, after) = (yaml::definition(before)?, yaml::definition(after)?);
    Ok(if before == after { String::new() } else { drift::unified(&before, &after) })
}

pub(crate) use drift::paint as paint_difference;

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    match command {
        Command::Apply(apply) => apply::apply(&apply, global).await,
        Command::Validate(validate) => validate::validate(&validate, global),
        Command::Export(export) => export::export(&export, global).await,
        Command::Test(test) => test::test(&test, global).await,
        Command::Run(start) => self::start(start, global).await,
    }
}

async fn start(start: Start, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let client = global.client()?;
    let watch = start.watch;
    let (files, project) = (start.files.clone(), start.project.clone());
    let mut asked = request(start)?;
    if !files.is_empty() {
        asked["files"] = sent(&client, &files, &project).await?;
    }
    let payload = client.change("startRun", question::START, asked).await?;
    let id = payload.pointer("/run/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let replayed = payload.get("replayed").and_then(Value::as_bool).unwrap_or_default();
    if watch {
        return watch::follow(&client, &id, output).await;
    }
    if output.is_json() {
        output.document(&json!({ "run": payload["run"], "replayed": replayed }));
    } else {
        let what = if replayed { "had started before" } else { "started" };
        output.line(&format!("{} {what}", output.paint(Shade::Strong, &id)));
        output.line(&format!("  watch it: flowforge run watch {id}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends files to a project, and says which members of an input they become.
async fn sent(client: &Client, files: &[(String, PathBuf)], project: &str) -> Result<Value, Failure> {
    let mut sent = Vec::with_capacity(files.len());
    for (field, path) in files {
        let file = artifact::upload(client, path, None, None, project).await?;
        sent.push(json!({ "field": field, "artifactId": file["id"] }));
    }
    Ok(sent.into())
}

fn request(start: Start) -> Result<Value, Failure> {
    let mut request = Map::new();
    request.insert("project".into(), start.project.into());
    request.insert("workflow".into(), start.name.into());
    let mut put = |name: &str, value: Option<String>| value.map(|value| request.insert(name.into(), value.into()));
    put("environment", start.environment);
    put("trigger", start.trigger);
    put("key", start.key);
    put("idempotencyKey", start.idempotency_key);
    if let Some(text) = &start.input {
        request.insert("input".into(), input::json(text, "--input")?);
    }
    if !start.labels.is_empty() {
        let labels: Map<_, _> = start.labels.into_iter().map(|(name, value)| (name, value.into())).collect();
        request.insert("labels".into(), labels.into());
    }
    Ok(request.into())
}

/// A label as `NAME=VALUE`.
pub(crate) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

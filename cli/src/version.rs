//! `flowforge version`: what was published of a workflow, how versions differ, and which one an environment runs.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::version as question;
use crate::workflow::{difference, paint_difference};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the versions of a workflow, the latest first.
    List(Named),
    /// Show how two versions differ.
    Diff(Diff),
    /// Let an environment run a version of this number.
    Deploy(Deploy),
    /// Let an environment run again what it ran before the latest deployment.
    Rollback(Rollback),
}

/// Names a workflow.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The workflow's name.
    pub(crate) workflow: String,
    /// The project it is in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    pub(crate) project: String,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    of: Named,
    /// The number of the one version.
    from: u32,
    /// The number of the other; the latest when absent.
    to: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    of: Named,
    /// The version's number.
    number: u32,
    /// The environment.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    of: Named,
    /// The environment.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List(of) => list(&client, &of, output).await,
        Command::Diff(diff) => self::diff(&client, &diff, output).await,
        Command::Deploy(deploy) => self::deploy(&client, &deploy, output).await,
        Command::Rollback(rollback) => self::rollback(&client, &rollback, output).await,
    }
}

/// What there is of a workflow.
pub(crate) struct Known {
    versions: Vec<Value>,
    /// Environment and version number.
    deployments: Vec<(String, u64)>,
}

pub(crate) async fn known(client: &Client, of: &Named) -> Result<Known, Failure> {
    let mut known = Known { versions: Vec::new(), deployments: Vec::new() };
    let mut after = Value::Null;
    loop {
        let variables = json!({ "name": of.workflow, "project": of.project, "after": after });
        let mut data = client.ask(question::LIST, variables).await?;
        let Some(workflow) = data.get_mut("workflow").filter(|workflow| !workflow.is_null()) else {
            let message = format!("there is no workflow {}/{}", of.project, of.workflow);
            return Err(Failure::new(Exit::NotFound, "NOT_FOUND", message));
        };
        let deployments = workflow["deployments"].as_array().into_iter().flatten();
        known.deployments = deployments
            .filter_map(|one| Some((one["environment"].as_str()?.to_owned(), one["version"]["number"].as_u64()?)))
            .collect();
        let page = &mut workflow["versions"];
        if let Value::Array(nodes) = page["nodes"].take() {
            known.versions.extend(nodes);
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(known);
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

impl Known {
    /// The version of this number.
    pub(crate) fn numbered(&self, of: &Named, number: u32) -> Result<&Value, Failure> {
        let found = self.versions.iter().find(|version| version["number"].as_u64() == Some(number.into()));
        let absent = || {
            let latest = self.versions.first().and_then(|version| version["number"].as_u64()).unwrap_or_default();
            let message = format!("{}/{} has no version {number}; the latest is {latest}", of.project, of.workflow);
            Failure::new(Exit::NotFound, "NOT_FOUND", message)
        };
        found.ok_or_else(absent)
    }
}

async fn list(client: &Client, of: &Named, output: Output) -> Result<ExitCode, Failure> {
    let Known { mut versions, deployments } = known(client, of).await?;
    for version in &mut versions {
        let number = version["number"].as_u64().unwrap_or_default();
        let runs_in: Vec<&String> = deployments.iter().filter(|one| one.1 == number).map(|one| &one.0).collect();
        let runs_in = json!(runs_in);
        if let Some(version) = version.as_object_mut() {
            version.insert("deployedIn".to_owned(), runs_in);
        }
    }
    if output.is_json() {
        output.document(&json!({ "versions": versions }));
        return Ok(ExitCode::SUCCESS);
    }
    let text = |version: &Value, name: &str| version[name].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<Cell>> = versions
        .iter()
        .map(|version| {
            let deployed: Vec<&str> =
                version["deployedIn"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            vec![
                Cell::shaded(version["number"].to_string(), Shade::Strong),
                Cell::shaded(deployed.join(", "), Shade::Good),
                Cell::plain(text(version, "hash").chars().take(12).collect::<String>()),
                Cell::plain(text(version, "createdAt")),
                Cell::plain(shortened(&text(version, "note"), 60)),
            ]
        })
        .collect();
    output.table(&["VERSION", "DEPLOYED IN", "HASH", "PUBLISHED", "NOTE"], &rows);
    Ok(ExitCode::SUCCESS)
}

async fn diff(client: &Client, diff: &Diff, output: Output) -> Result<ExitCode, Failure> {
    let known = known(client, &diff.of).await?;
    let from = known.numbered(&diff.of, diff.from)?;
    let to = match diff.to {
        Some(number) => known.numbered(&diff.of, number)?,
        None => known.versions.first().unwrap_or(from),
    };
    let (before, after) = (definition(client, from).await?, definition(client, to).await?);
    let text = difference(&before, &after)?;
    if output.is_json() {
        output.document(&json!({ "from": from["number"], "to": to["number"], "diff": text }));
    } else if text.is_empty() {
        output.line(&format!("versions {} and {} have the same definition", from["number"], to["number"]));
    } else {
        paint_difference(output, &text, "");
    }
    Ok(ExitCode::SUCCESS)
}

async fn definition(client: &Client, version: &Value) -> Result<Value, Failure> {
    let mut data = client.ask(question::DEFINITION, json!({ "id": version["id"] })).await?;
    Ok(data.pointer_mut("/node/definition").map(Value::take).unwrap_or_default())
}

async fn deploy(client: &Client, deploy: &Deploy, output: Output) -> Result<ExitCode, Failure> {
    let known = known(client, &deploy.of).await?;
    let version = known.numbered(&deploy.of, deploy.number)?;
    let input = json!({ "versionId": version["id"], "environment": deploy.environment });
    let payload = client.change("deployVersion", question::DEPLOY, input).await?;
    let before = known.deployments.iter().find(|one| one.0 == deploy.environment).map(|one| one.1);
    show(output, &deploy.of, &payload, before);
    Ok(ExitCode::SUCCESS)
}

/// What ran before is asked for first, and the server goes on only while that still holds: of two who roll back at
/// once, one is told that it has happened already.
async fn rollback(client: &Client, rollback: &Rollback, output: Output) -> Result<ExitCode, Failure> {
    let Rollback { of, environment } = rollback;
    let asked = json!({ "name": of.workflow, "project": of.project, "environment": environment });
    let data = client.ask(question::LATEST_CHANGE, asked).await?;
    let change = data.pointer("/workflow/deploymentChanges/nodes/0").unwrap_or(&Value::Null);
    let (now, before) = (&change["version"], &change["previousVersion"]);
    if before.is_null() {
        let message = format!("{environment} ran nothing of {}/{} before", of.project, of.workflow);
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", message).hint("`flowforge version list` lists versions"));
    }
    let mut input = json!({ "versionId": before["id"], "environment": environment });
    if !now.is_null() {
        input["expectedVersionId"] = now["id"].clone();
    }
    let payload = client.change("deployVersion", question::DEPLOY, input).await?;
    show(output, of, &payload, now["number"].as_u64());
    Ok(ExitCode::SUCCESS)
}

/// Which version an environment runs from now on, in the place of which.
fn show(output: Output, of: &Named, payload: &Value, before: Option<u64>) {
    if output.is_json() {
        return output.document(&json!({ "deployment": payload["deployment"], "before": before }));
    }
    let name = output.paint(Shade::Strong, &format!("{}/{}", of.project, of.workflow));
    let number = payload["deployment"]["version"]["number"].as_u64();
    let instead = match before {
        before if before == number => " as before".to_owned(),
        Some(before) => format!(" instead of {before}"),
        None => String::new(),
    };
    let environment = payload["deployment"]["environment"].as_str().unwrap_or_default();
    output.line(&format!("{name}: {environment} runs version {}{instead}", number.unwrap_or_default()));
}

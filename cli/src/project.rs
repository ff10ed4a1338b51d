//! `flowforge project` and `flowforge environment`: where workflows belong, and where their versions run.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::Failure;
use crate::output::{Cell, Output, Shade};
use crate::question::project as question;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List projects by name.
    List,
    /// Make a project; it has the environment `default`.
    Create(Create),
}

#[derive(Debug, Subcommand)]
pub(crate) enum EnvironmentCommand {
    /// List the environments of a project by name.
    List(In),
    /// Make an environment.
    Create(CreateEnvironment),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its name in files and URLs: lower-case letters, digits, `-` and `_`.
    name: String,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct In {
    /// The project.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
}

#[derive(Debug, Args)]
pub(crate) struct CreateEnvironment {
    /// Its name: lower-case letters, digits, `-` and `_`.
    name: String,
    #[command(flatten)]
    at: In,
    /// What people call it.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List => list(&client, output).await,
        Command::Create(create) => {
            let input = json!({ "slug": create.name, "title": create.title });
            let payload = client.change("createProject", question::CREATE, input).await?;
            if output.is_json() {
                output.document(&json!({ "project": payload["project"] }));
            } else {
                output.line(&format!("{} created", output.paint(Shade::Strong, &create.name)));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

pub(crate) async fn run_environment(command: EnvironmentCommand, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        EnvironmentCommand::List(at) => environments(&client, &at.project, output).await,
        EnvironmentCommand::Create(create) => {
            let project = find(&client, &create.at.project).await?;
            let input = json!({ "projectId": project["id"], "name": create.name, "title": create.title });
            let payload = client.change("createEnvironment", question::CREATE_ENVIRONMENT, input).await?;
            if output.is_json() {
                output.document(&json!({ "environment": payload["environment"] }));
            } else {
                let name = format!("{}/{}", create.at.project, create.name);
                output.line(&format!("{} created", output.paint(Shade::Strong, &name)));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(client: &Client, output: Output) -> Result<ExitCode, Failure> {
    let all = client.all(question::LIST, json!({}), "/projects").await?;
    if output.is_json() {
        output.document(&json!({ "projects": all }));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |project: &Value| {
        let environments = project["environments"].as_array().into_iter().flatten();
        let environments: Vec<&str> = environments.filter_map(|one| one["name"].as_str()).collect();
        vec![
            Cell::shaded(text(project, "slug"), Shade::Strong),
            Cell::plain(text(project, "title")),
            Cell::plain(environments.join(", ")),
        ]
    };
    output.table(&["PROJECT", "TITLE", "ENVIRONMENTS"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

async fn environments(client: &Client, project: &str, output: Output) -> Result<ExitCode, Failure> {
    let mut project = find(client, project).await?;
    let environments = project["environments"].take();
    if output.is_json() {
        output.document(&json!({ "environments": environments }));
        return Ok(ExitCode::SUCCESS);
    }
    let row = |one: &Value| {
        let (title, since) = (text(one, "title"), text(one, "createdAt"));
        vec![Cell::shaded(text(one, "name"), Shade::Strong), Cell::plain(title), Cell::plain(since)]
    };
    let rows: Vec<Vec<Cell>> = environments.as_array().into_iter().flatten().map(row).collect();
    output.table(&["ENVIRONMENT", "TITLE", "CREATED"], &rows);
    Ok(ExitCode::SUCCESS)
}

/// The project of this name, with its environments.
async fn find(client: &Client, slug: &str) -> Result<Value, Failure> {
    let mut data = client.ask(question::GET, json!({ "slug": slug })).await?;
    Ok(data["project"].take())
}

fn text<'a>(it: &'a Value, name: &str) -> &'a str {
    it[name].as_str().unwrap_or_default()
}

//! `flowforge variable`: plain values that expressions read as `vars.<name>`. Secrets belong to connections.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Cell, Output, Shade, shortened};
use crate::question::variable as question;
use crate::run::input;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the variables of a project in an environment, by name.
    List(Place),
    /// Make a variable, or change it. Runs under way keep the value that they started with.
    Set(Set),
    /// Delete a variable.
    Delete(Delete),
}

/// Where a variable holds.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The project.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// The environment.
    #[arg(long, default_value = "default", value_name = "NAME")]
    environment: String,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// What expressions call it: lower-case letters, digits and `_`.
    name: String,
    /// Its value, a text.
    #[arg(value_name = "TEXT", required_unless_present = "json", conflicts_with = "json", allow_hyphen_values = true)]
    text: Option<String>,
    /// Its value, of any kind: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    json: Option<String>,
    #[command(flatten)]
    at: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its name.
    name: String,
    #[command(flatten)]
    at: Place,
}

pub(crate) async fn run(command: Command, global: &Global) -> Result<ExitCode, Failure> {
    let (client, output) = (global.client()?, global.output());
    match command {
        Command::List(at) => list(&client, &at, output).await,
        Command::Set(set) => self::set(&client, set, output).await,
        Command::Delete(delete) => self::delete(&client, &delete, output).await,
    }
}

async fn all(client: &Client, at: &Place) -> Result<Vec<Value>, Failure> {
    let asked = json!({ "project": at.project, "environment": at.environment });
    client.all(question::LIST, asked, "/variables").await
}

async fn find(client: &Client, at: &Place, name: &str) -> Result<Option<Value>, Failure> {
    Ok(all(client, at).await?.into_iter().find(|variable| variable["name"] == name))
}

async fn list(client: &Client, at: &Place, output: Output) -> Result<ExitCode, Failure> {
    let all = all(client, at).await?;
    if output.is_json() {
        output.document(&json!({ "variables": all }));
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        output.line("no variables");
        return Ok(ExitCode::SUCCESS);
    }
    let row = |variable: &Value| {
        vec![
            Cell::shaded(variable["name"].as_str().unwrap_or_default(), Shade::Strong),
            Cell::plain(shortened(&variable["value"].to_string(), 80)),
            Cell::plain(variable["updatedAt"].as_str().unwrap_or_default()),
        ]
    };
    output.table(&["NAME", "VALUE", "CHANGED"], &all.iter().map(row).collect::<Vec<_>>());
    Ok(ExitCode::SUCCESS)
}

async fn set(client: &Client, set: Set, output: Output) -> Result<ExitCode, Failure> {
    let Set { name, text, json, at } = set;
    let value = match json {
        Some(json) => input::json(&json, "--json")?,
        None => Value::from(text.unwrap_or_default()),
    };
    let found = find(client, &at, &name).await?;
    let (variable, what) = match found {
        Some(found) if found["value"] == value => (found, "is as before"),
        Some(found) => (update(client, &found, &value).await?, "changed"),
        None => match create(client, &at, &name, &value).await {
            // Somebody else made it since it was looked for.
            Err(failure) if failure.code == "NAME_TAKEN" => match find(client, &at, &name).await? {
                Some(found) => (update(client, &found, &value).await?, "changed"),
                None => return Err(failure),
            },
            made => (made?, "created"),
        },
    };
    if output.is_json() {
        output.document(&json!({ "variable": variable }));
    } else {
        output.line(&format!("{} {what}", output.paint(Shade::Strong, &name)));
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(client: &Client, at: &Place, name: &str, value: &Value) -> Result<Value, Failure> {
    let input = json!({ "project": at.project, "environment": at.environment, "name": name, "value": value });
    let mut payload = client.change("createVariable", question::CREATE, input).await?;
    Ok(payload["variable"].take())
}

async fn update(client: &Client, found: &Value, value: &Value) -> Result<Value, Failure> {
    let input = json!({ "id": found["id"], "value": value });
    let mut payload = client.change("updateVariable", question::UPDATE, input).await?;
    Ok(payload["variable"].take())
}

async fn delete(client: &Client, delete: &Delete, output: Output) -> Result<ExitCode, Failure> {
    let Delete { name, at } = delete;
    let Some(found) = find(client, at, name).await? else {
        let message = format!("there is no variable `{name}` in {}/{}", at.project, at.environment);
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", message));
    };
    let payload = client.change("deleteVariable", question::DELETE, json!({ "id": found["id"] })).await?;
    if output.is_json() {
        output.document(&json!({ "variable": payload["variable"] }));
    } else {
        output.line(&format!("{} deleted", output.paint(Shade::Strong, name)));
    }
    Ok(ExitCode::SUCCESS)
}

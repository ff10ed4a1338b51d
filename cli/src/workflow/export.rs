//! `flowforge workflow export`: workflows as files that `apply` takes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::document::Metadata;
use super::yaml;
use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::Shade;
use crate::question::workflow as question;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The workflows' names; all of the project when absent.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The project they are in.
    #[arg(long, default_value = "default", value_name = "NAME")]
    project: String,
    /// What this environment runs, instead of the latest version.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Write `NAME.flow.yaml` for each into this folder, instead of all of them to standard output.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

pub(super) async fn export(export: &Export, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let client = global.client()?;
    let names = if export.names.is_empty() { names(&client, &export.project).await? } else { export.names.clone() };
    if let Some(folder) = &export.to {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let mut written = Vec::new();
    for name in names {
        let Some((metadata, definition)) = find(&client, export, &name).await? else { continue };
        let text = yaml::write(&metadata, &definition)?;
        let file = export.to.as_ref().map(|folder| folder.join(format!("{name}.flow.yaml")));
        match &file {
            Some(file) => {
                std::fs::write(file, &text).map_err(|error| unwritable(file, &error))?;
                if !output.is_json() {
                    output.line(&format!("{} in {}", output.paint(Shade::Strong, &name), file.display()));
                }
            }
            None if !output.is_json() => {
                if !written.is_empty() {
                    output.raw("---\n");
                }
                output.raw(&text);
            }
            None => {}
        }
        written.push(json!({ "name": name, "file": file, "document": file.is_none().then_some(text) }));
    }
    if output.is_json() {
        output.document(&json!({ "workflows": written }));
    }
    Ok(ExitCode::SUCCESS)
}

async fn names(client: &Client, project: &str) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = client.ask(question::NAMES, json!({ "project": project, "after": after })).await?;
        let nodes = data["workflows"]["nodes"].as_array().into_iter().flatten();
        names.extend(nodes.filter_map(|node| node["name"].as_str().map(str::to_owned)));
        let page = &data["workflows"]["pageInfo"];
        if page["hasNextPage"] != true {
            return Ok(names);
        }
        after = page["endCursor"].clone();
    }
}

/// What a file should say. None for a workflow that has nothing of the kind, when nobody named it.
async fn find(client: &Client, export: &Export, name: &str) -> Result<Option<(Metadata, Value)>, Failure> {
    let mut data = client.ask(question::FIND, json!({ "name": name, "project": export.project })).await?;
    let mut found = data.get_mut("workflow").map(Value::take).unwrap_or_default();
    let definition = match &export.environment {
        None => found.pointer_mut("/latestVersion/definition").map(Value::take),
        Some(wanted) => found["deployments"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["environment"] == wanted.as_str()))
            .map(|one| one["version"]["definition"].clone()),
    };
    let Some(definition) = definition else {
        if export.names.is_empty() {
            return Ok(None);
        }
        let what = match &export.environment {
            Some(environment) => format!("{name} is not deployed in {environment}"),
            None => format!("{name} has no version yet"),
        };
        return Err(Failure::new(Exit::NotFound, "NOT_FOUND", what));
    };
    let text = |member: &str| found[member].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let metadata = Metadata {
        project: found["project"]["slug"].as_str().map(str::to_owned),
        name: name.to_owned(),
        // The server answers with the name when nobody gave a title.
        title: text("title").filter(|title| title != name),
        description: text("description"),
    };
    Ok(Some((metadata, definition)))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "NOT_WRITABLE", format!("{}: {error}", path.display()))
}

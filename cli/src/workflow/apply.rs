//! `flowforge workflow apply`: publishes each document and tells every problem.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use super::Apply;
use super::document::{self, Document};
use super::problem::Problem;
use super::{drift, prune};
use crate::client::Client;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Shade};
use crate::question::workflow as question;

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied {
    file: String,
    project: String,
    name: String,
    outcome: Outcome,
    version: Option<Value>,
    problems: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Outcome {
    /// A new version was made.
    Published,
    /// The latest version has this content already.
    Unchanged,
    /// It has problems that must be mended first.
    Refused,
}

pub(super) async fn apply(apply: &Apply, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let documents = document::read(&apply.files)?;
    document::each_once(&documents, apply.project())?;
    let client = global.client()?;
    if apply.dry_run {
        return drift::show(&client, apply, &documents, output).await;
    }
    let named: Vec<(String, String)> = documents.iter().map(|document| document.place(apply.project())).collect();
    let mut all = Vec::with_capacity(documents.len());
    for document in documents {
        let applied = publish(&client, apply, document).await?;
        if !output.is_json() {
            show(output, &applied);
        }
        all.push(applied);
    }
    let refused = all.iter().any(|applied| applied.outcome == Outcome::Refused);
    // With a document refused, it is not known what the files stand for.
    let archived = if apply.prune && !refused { prune::archive(&client, &named, output).await? } else { Vec::new() };
    if output.is_json() {
        output.document(&json!({ "workflows": all, "archived": archived }));
    }
    Ok(if refused { Exit::Usage.into() } else { ExitCode::SUCCESS })
}

async fn publish(client: &Client, apply: &Apply, document: Document) -> Result<Applied, Failure> {
    let (project, _) = document.place(apply.project());
    let Document { file, metadata, definition } = document;
    let input = json!({
        "project": project,
        "name": metadata.name,
        "title": metadata.title,
        "description": metadata.description,
        "definition": definition,
        "note": apply.note,
        "deploy": !apply.no_deploy,
        "environment": apply.environment,
    });
    let mut data = client.ask(question::PUBLISH, json!({ "input": input })).await?;
    let mut payload = data.get_mut("publishWorkflow").map(Value::take).unwrap_or_default();
    let problems: Vec<Problem> = payload
        .get_mut("problems")
        .map(Value::take)
        .and_then(|problems| serde_json::from_value(problems).ok())
        .unwrap_or_default();
    let version = payload.get_mut("version").map(Value::take).filter(|version| !version.is_null());
    // A refused document has both: its problems say more than the user error that sums them up.
    if version.is_none() && problems.is_empty() {
        return Err(crate::client::refused(&payload, &file.display().to_string()));
    }
    let outcome = match (&version, payload.get("created").and_then(Value::as_bool)) {
        (None, _) => Outcome::Refused,
        (Some(_), Some(false)) => Outcome::Unchanged,
        (Some(_), _) => Outcome::Published,
    };
    Ok(Applied { file: file.display().to_string(), project, name: metadata.name, outcome, version, problems })
}

fn show(output: Output, applied: &Applied) {
    let number = applied.version.as_ref().and_then(|version| version.get("number")).and_then(Value::as_i64);
    let number = number.map(|number| format!(" version {number}")).unwrap_or_default();
    let (word, shade) = match applied.outcome {
        Outcome::Published => ("published", Shade::Good),
        Outcome::Unchanged => ("unchanged", Shade::Dim),
        Outcome::Refused => ("refused", Shade::Bad),
    };
    let name = output.paint(Shade::Strong, &format!("{}/{}", applied.project, applied.name));
    output.line(&format!("{name} {}{number}  ({})", output.paint(shade, word), applied.file));
    for problem in &applied.problems {
        problem.lines(output).iter().for_each(|line| output.line(line));
    }
}

//! `flowforge workflow apply`: publishes each document and tells every problem.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};

use super::Apply;
use super::document::{self, Document};
use super::found::{self, Difference};
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
    /// The environment was given the latest version, which has this content.
    Deployed,
    /// What is said about it or its layout changed, and nothing that runs.
    Updated,
    /// The server has all of it already.
    Unchanged,
    /// It has problems that must be mended first.
    Refused,
}

pub(super) async fn apply(apply: &Apply, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let documents = document::read(&apply.files).whole()?;
    document::each_once(&documents, apply.project())?;
    let client = global.client()?;
    if apply.dry_run {
        return drift::show(&client, apply, &documents, output).await;
    }
    let named: Vec<(String, String)> = documents.iter().map(|document| document.place(apply.project())).collect();
    let mut all = Vec::with_capacity(documents.len());
    for document in &documents {
        let applied = one(&client, apply, document).await?;
        if !output.is_json() {
            show(output, &applied, document);
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

async fn one(client: &Client, apply: &Apply, document: &Document) -> Result<Applied, Failure> {
    let (project, name) = document.place(apply.project());
    let found = found::find(client, &project, &name).await?;
    let difference = Difference::between(apply, document, found.as_ref());
    let file = document.file.display().to_string();
    if let Some(found) = found.filter(|found| difference.is_none() && found["archivedAt"].is_null()) {
        let version = json!({
            "id": found["latestVersion"]["id"],
            "number": found["latestVersion"]["number"],
            "hash": found["latestVersion"]["hash"],
        });
        let outcome = Outcome::Unchanged;
        return Ok(Applied { file, project, name, outcome, version: Some(version), problems: Vec::new() });
    }
    let mut payload = publish(client, apply, document, &project).await?;
    let problems =
        Problem::all_of(&mut payload).into_iter().map(|problem| problem.placed(document)).collect::<Vec<_>>();
    let version = payload.get_mut("version").map(Value::take).filter(|version| !version.is_null());
    // A refused document has both: its problems say more than the user error that sums them up.
    if version.is_none() && problems.is_empty() {
        return Err(crate::client::refused(&payload, &file));
    }
    let outcome = match (&version, payload["created"] == true) {
        (None, _) => Outcome::Refused,
        (Some(_), true) => Outcome::Published,
        (Some(_), false) if difference.deployment => Outcome::Deployed,
        (Some(_), false) if difference.metadata || difference.layout => Outcome::Updated,
        // Somebody else published the same in the meantime.
        (Some(_), false) => Outcome::Unchanged,
    };
    if let (Some(layout), true, true) = (&document.layout, difference.layout, version.is_some()) {
        found::save_layout(client, &project, &name, layout).await?;
    }
    Ok(Applied { file, project, name, outcome, version, problems })
}

async fn publish(client: &Client, apply: &Apply, document: &Document, project: &str) -> Result<Value, Failure> {
    let mut input = document.metadata.input();
    input["project"] = project.into();
    input["definition"] = document.definition.clone();
    input["note"] = json!(apply.note);
    input["deploy"] = json!(!apply.no_deploy);
    input["environment"] = json!(apply.environment);
    let mut data = client.ask(question::PUBLISH, json!({ "input": input })).await?;
    Ok(data.get_mut("publishWorkflow").map(Value::take).unwrap_or_default())
}

fn show(output: Output, applied: &Applied, document: &Document) {
    let number = applied.version.as_ref().and_then(|version| version.get("number")).and_then(Value::as_i64);
    let number = number.map(|number| format!(" version {number}")).unwrap_or_default();
    let (word, shade) = match applied.outcome {
        Outcome::Published => ("published", Shade::Good),
        Outcome::Deployed => ("deployed", Shade::Good),
        Outcome::Updated => ("updated", Shade::Good),
        Outcome::Unchanged => ("unchanged", Shade::Dim),
        Outcome::Refused => ("refused", Shade::Bad),
    };
    let name = output.paint(Shade::Strong, &format!("{}/{}", applied.project, applied.name));
    output.line(&format!("{name} {}{number}  ({})", output.paint(shade, word), applied.file));
    for problem in &applied.problems {
        problem.lines(output, Some(&document.file)).iter().for_each(|line| output.line(line));
    }
}

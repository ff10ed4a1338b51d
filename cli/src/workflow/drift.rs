//! `flowforge workflow apply --dry-run`: what applying would change, and nothing else.

use std::process::ExitCode;

use engine::definition::canonical;
use engine::graph;
use serde::Serialize;
use serde_json::{Value, json};
use similar::TextDiff;

use super::document::{Document, Metadata};
use super::problem::Problem;
use super::{Apply, prune, yaml};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Shade};
use crate::question::workflow as question;

/// What applying a document would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Change {
    /// Make the workflow.
    Create,
    /// Publish another version.
    Update,
    /// Deploy the latest version, which has this definition already.
    Deploy,
    /// Nothing.
    None,
    /// Refuse it: it has problems that must be mended first.
    Refuse,
}

#[derive(Debug, Serialize)]
struct Drift {
    file: String,
    project: String,
    name: String,
    change: Change,
    diff: String,
    problems: Vec<Problem>,
}

/// Ends with 2 when something would change, so that a pipeline can ask whether the server runs what the files say.
pub(super) async fn show(
    client: &Client,
    apply: &Apply,
    documents: &[Document],
    output: Output,
) -> Result<ExitCode, Failure> {
    let mut all = Vec::with_capacity(documents.len());
    for document in documents {
        let drift = compare(client, apply, document).await?;
        if !output.is_json() {
            print(output, &drift);
        }
        all.push(drift);
    }
    let named: Vec<_> = documents.iter().map(|document| document.place(apply.project())).collect();
    let surplus = if apply.prune { prune::surplus(client, &named).await? } else { Vec::new() };
    if output.is_json() {
        let names: Vec<_> = surplus.iter().map(prune::Surplus::document).collect();
        output.document(&json!({ "workflows": all, "archive": names }));
    } else {
        for one in &surplus {
            let name = output.paint(Shade::Strong, &one.name());
            output.line(&format!("{name} {}", output.paint(Shade::Careful, "would be archived")));
        }
    }
    let is_drift = !surplus.is_empty() || all.iter().any(|drift| drift.change != Change::None);
    Ok(if is_drift { Exit::Usage.into() } else { ExitCode::SUCCESS })
}

async fn compare(client: &Client, apply: &Apply, document: &Document) -> Result<Drift, Failure> {
    let (project, name) = document.place(apply.project());
    let found = match client.ask(question::FIND, json!({ "name": name, "project": project })).await {
        Ok(mut data) => data.get_mut("workflow").map(Value::take).filter(|workflow| !workflow.is_null()),
        Err(failure) if failure.exit == Exit::NotFound => None,
        Err(failure) => return Err(failure),
    };
    let registry = nodes::Registry::built_in();
    let examined = graph::examine(&document.definition, &registry);
    let is_refused = examined.problems.iter().any(graph_error);
    let hash = canonical::hash(&document.definition).to_string();
    let latest = found.as_ref().and_then(|found| found.get("latestVersion")).filter(|latest| !latest.is_null());
    let change = match (&found, latest) {
        _ if is_refused => Change::Refuse,
        (None, _) => Change::Create,
        (Some(_), Some(latest)) if latest["hash"] == hash.as_str() => {
            let is_other = !apply.no_deploy && !runs(&found, &apply.environment, &hash);
            let is_renamed = says_other(&document.metadata, &found);
            if is_renamed {
                Change::Update
            } else if is_other {
                Change::Deploy
            } else {
                Change::None
            }
        }
        (Some(_), _) => Change::Update,
    };
    let before = match (&found, latest) {
        (Some(found), Some(latest)) => yaml::write(&described(&document.metadata, found), &latest["definition"])?,
        _ => String::new(),
    };
    let after = yaml::write(&document.metadata, &document.definition)?;
    let diff = if before == after { String::new() } else { unified(&before, &after) };
    Ok(Drift {
        file: document.file.display().to_string(),
        project,
        name,
        change,
        diff,
        problems: examined.problems.iter().map(Problem::from).collect(),
    })
}

fn graph_error(problem: &engine::definition::problem::Problem) -> bool {
    problem.is_error()
}

fn runs(found: &Option<Value>, environment: &str, hash: &str) -> bool {
    let deployments = found.as_ref().and_then(|found| found["deployments"].as_array());
    deployments.into_iter().flatten().any(|one| one["environment"] == environment && one["version"]["hash"] == hash)
}

/// Whether the file has a title or a description that differs; what it does not say stays as it is.
fn says_other(metadata: &Metadata, found: &Option<Value>) -> bool {
    let Some(found) = found else { return false };
    let differs = |said: &Option<String>, name: &str| {
        said.as_ref().is_some_and(|said| found[name].as_str().unwrap_or_default() != said)
    };
    differs(&metadata.title, "title") || differs(&metadata.description, "description")
}

/// What the server has, for the members that the file says.
fn described(metadata: &Metadata, found: &Value) -> Metadata {
    let has =
        |said: &Option<String>, name: &str| said.as_ref().map(|_| found[name].as_str().unwrap_or_default().to_owned());
    Metadata {
        title: has(&metadata.title, "title"),
        description: has(&metadata.description, "description"),
        ..metadata.clone()
    }
}

pub(super) fn unified(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().context_radius(2).to_string()
}

fn print(output: Output, drift: &Drift) {
    let (shade, words) = match drift.change {
        Change::Create => (Shade::Good, "would be created"),
        Change::Update => (Shade::Active, "would get another version"),
        Change::Deploy => (Shade::Active, "would be deployed"),
        Change::None => (Shade::Dim, "is as the file says"),
        Change::Refuse => (Shade::Bad, "would be refused"),
    };
    let name = output.paint(Shade::Strong, &format!("{}/{}", drift.project, drift.name));
    output.line(&format!("{name} {}  ({})", output.paint(shade, words), drift.file));
    paint(output, &drift.diff, "  ");
    drift.problems.iter().flat_map(|problem| problem.lines(output)).for_each(|line| output.line(&line));
}

/// A difference, line by line.
pub(crate) fn paint(output: Output, diff: &str, indent: &str) {
    for line in diff.lines() {
        let shade = match line.as_bytes().first() {
            Some(b'+') => Shade::Good,
            Some(b'-') => Shade::Bad,
            _ => Shade::Dim,
        };
        output.line(&format!("{indent}{}", output.paint(shade, line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_line_by_line() {
        let diff = unified("a: 1\nb: 2\n", "a: 1\nb: 3\n");
        assert_eq!(diff, "@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n");
    }

    #[test]
    fn what_a_file_does_not_say_is_no_difference() {
        let found = Some(json!({ "title": "Orders", "description": null }));
        let silent = Metadata { project: None, name: "orders".into(), title: None, description: None };
        assert!(!says_other(&silent, &found));
        assert!(says_other(&Metadata { title: Some("Order".into()), ..silent }, &found));
    }
}

//! `flowforge workflow apply --dry-run`: what applying would change, and nothing else.

use std::process::ExitCode;

use engine::graph;
use serde::Serialize;
use serde_json::{Value, json};
use similar::TextDiff;

use super::document::Document;
use super::found::{self, Difference};
use super::problem::Problem;
use super::{Apply, prune, yaml};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Shade};

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
    /// Change what is said about it, or its layout; nothing that runs.
    Describe,
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
            print(output, &drift, document);
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
    let found = found::find(client, &project, &name).await?;
    let registry = nodes::Registry::built_in();
    let examined = graph::examine(&document.definition, &registry);
    let difference = Difference::between(apply, document, found.as_ref());
    let change = match difference {
        _ if examined.problems.iter().any(engine::definition::problem::Problem::is_error) => Change::Refuse,
        Difference { is_new: true, .. } => Change::Create,
        Difference { definition: true, .. } => Change::Update,
        Difference { deployment: true, .. } => Change::Deploy,
        Difference { metadata: true, .. } | Difference { layout: true, .. } => Change::Describe,
        _ => Change::None,
    };
    let before = found.as_ref().map(|found| before(document, found)).transpose()?.unwrap_or_default();
    let after = yaml::write(&document.metadata, &document.definition, document.layout.as_ref())?;
    let diff = if before == after { String::new() } else { unified(&before, &after) };
    let problems = examined.problems.iter().map(|problem| Problem::from(problem).placed(document)).collect();
    Ok(Drift { file: document.file.display().to_string(), project, name, change, diff, problems })
}

/// What the server has, of what the document says.
fn before(document: &Document, found: &Value) -> Result<String, Failure> {
    let layout = document.layout.as_ref().and_then(|_| found::layout_of(&found["draft"]["sidecar"]));
    let metadata = document.metadata.as_found(found);
    match &found["latestVersion"]["definition"] {
        Value::Null => Ok(String::new()),
        definition => yaml::write(&metadata, definition, layout.as_ref()),
    }
}

pub(super) fn unified(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().context_radius(2).to_string()
}

fn print(output: Output, drift: &Drift, document: &Document) {
    let (shade, words) = match drift.change {
        Change::Create => (Shade::Good, "would be created"),
        Change::Update => (Shade::Active, "would get another version"),
        Change::Deploy => (Shade::Active, "would be deployed"),
        Change::Describe => (Shade::Active, "would be described anew"),
        Change::None => (Shade::Dim, "is as the file says"),
        Change::Refuse => (Shade::Bad, "would be refused"),
    };
    let name = output.paint(Shade::Strong, &format!("{}/{}", drift.project, drift.name));
    output.line(&format!("{name} {}  ({})", output.paint(shade, words), drift.file));
    paint(output, &drift.diff, "  ");
    let lines = drift.problems.iter().flat_map(|problem| problem.lines(output, Some(&document.file)));
    lines.for_each(|line| output.line(&line));
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
}

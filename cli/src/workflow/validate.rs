//! `flowforge workflow validate`: checks documents on this machine, without a server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use engine::definition::canonical;
use engine::definition::problem::Severity;
use engine::graph;
use serde_json::json;

use super::document;
use super::problem::Problem;
use crate::command::Global;
use crate::exit::{Exit, Failure};
use crate::output::Shade;

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// YAML files; each may hold several documents, separated by `---`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Every problem of every document; the node types are those of this program.
pub(super) fn validate(validate: &Validate, global: &Global) -> Result<ExitCode, Failure> {
    let output = global.output();
    let registry = nodes::Registry::built_in();
    let mut all = Vec::new();
    let mut is_valid = true;
    for document in document::read(&validate.files)? {
        let problems = graph::examine(&document.definition, &registry).problems;
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        is_valid &= errors == 0;
        let problems: Vec<Problem> = problems.iter().map(Problem::from).collect();
        let hash = canonical::hash(&document.definition);
        if !output.is_json() {
            let name = output.paint(Shade::Strong, &document.metadata.name);
            let (shade, word) = if errors == 0 { (Shade::Good, "valid") } else { (Shade::Bad, "invalid") };
            output.line(&format!("{name} {}  ({})", output.paint(shade, word), document.file.display()));
            problems.iter().flat_map(|problem| problem.lines(output)).for_each(|line| output.line(&line));
        }
        all.push(json!({
            "file": document.file.display().to_string(),
            "name": document.metadata.name,
            "valid": errors == 0,
            "hash": hash.to_string(),
            "problems": problems,
        }));
    }
    if output.is_json() {
        output.document(&json!({ "workflows": all }));
    }
    Ok(if is_valid { ExitCode::SUCCESS } else { Exit::Usage.into() })
}

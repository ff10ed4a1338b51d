//! `flowforge workflow validate`: checks documents on this machine, without a server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use engine::definition::canonical;
use engine::graph;
use serde_json::json;

use super::document::{self, Read};
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
    let Read { documents, faults } = document::read(&validate.files);
    let mut all = Vec::new();
    let mut is_valid = faults.is_empty();
    if !output.is_json() {
        let error = output.paint(Shade::Bad, "error");
        faults.iter().for_each(|fault| output.line(&format!("{error} {fault}")));
    }
    for document in documents {
        let problems = graph::examine(&document.definition, &registry).problems;
        let problems: Vec<Problem> = problems.iter().map(|problem| Problem::from(problem).placed(&document)).collect();
        let has_errors = problems.iter().any(Problem::is_error);
        is_valid &= !has_errors;
        if !output.is_json() {
            let name = output.paint(Shade::Strong, &document.metadata.name);
            let (shade, word) = if has_errors { (Shade::Bad, "invalid") } else { (Shade::Good, "valid") };
            output.line(&format!("{name} {}  ({})", output.paint(shade, word), document.file.display()));
            let lines = problems.iter().flat_map(|problem| problem.lines(output, Some(&document.file)));
            lines.for_each(|line| output.line(&line));
        }
        all.push(json!({
            "file": document.file.display().to_string(),
            "name": document.metadata.name,
            "valid": !has_errors,
            "hash": canonical::hash(&document.definition).to_string(),
            "problems": problems,
        }));
    }
    if output.is_json() {
        output.document(&json!({ "workflows": all, "faults": faults }));
    }
    Ok(if is_valid { ExitCode::SUCCESS } else { Exit::Usage.into() })
}

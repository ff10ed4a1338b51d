//! What is wrong with a document, as people are told.

use std::path::Path;

use engine::definition::problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use crate::output::{Output, Shade};

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) severity: String,
    pub(super) path: Option<String>,
    /// In the file, once [`Self::placed`].
    pub(super) line: Option<u64>,
    /// In characters, from 1.
    pub(super) column: Option<u64>,
    pub(super) node: Option<String>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl From<&problem::Problem> for Problem {
    fn from(problem: &problem::Problem) -> Self {
        Self {
            code: problem.code.as_str().to_owned(),
            severity: match problem.severity {
                problem::Severity::Error => "ERROR".to_owned(),
                problem::Severity::Warning => "WARNING".to_owned(),
            },
            path: Some(problem.path.clone()),
            line: problem.position.map(|position| position.line.into()),
            column: problem.position.map(|position| position.column.into()),
            node: problem.node.clone(),
            message: problem.message.clone(),
            hint: Some(problem.hint.clone()),
        }
    }
}

impl Problem {
    /// Those of an answer's `problems`.
    pub(super) fn all_of(payload: &mut Value) -> Vec<Self> {
        let problems = payload.get_mut("problems").map(Value::take);
        problems.and_then(|problems| serde_json::from_value(problems).ok()).unwrap_or_default()
    }

    /// The same with its place in the file, in the place of the one in the text at its path.
    pub(super) fn placed(mut self, document: &Document) -> Self {
        let position = self.line.zip(self.column);
        let place = self.path.as_ref().and_then(|path| document.locate(path, position));
        (self.line, self.column) = (place.map(|place| place.line), place.map(|place| place.column));
        self
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == "ERROR"
    }

    pub(super) fn lines(&self, output: Output, file: Option<&Path>) -> Vec<String> {
        let shade = if self.is_error() { Shade::Bad } else { Shade::Careful };
        let severity = output.paint(shade, &self.severity.to_lowercase());
        let place = match (&self.node, &self.path) {
            (Some(node), Some(path)) => format!(" node {node} at {path}"),
            (Some(node), None) => format!(" node {node}"),
            (None, Some(path)) if !path.is_empty() => format!(" at {path}"),
            _ => String::new(),
        };
        let file = match (file, self.line, self.column) {
            (Some(file), Some(line), Some(column)) => format!(" {}:{line}:{column}", file.display()),
            _ => String::new(),
        };
        let mut lines = vec![format!("  {severity}[{}]{file}{place}", self.code), format!("    {}", self.message)];
        lines.extend(self.hint.as_ref().map(|hint| format!("    hint: {hint}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_what_and_what_next() {
        let problem = Problem {
            code: "EDGE_DANGLING".into(),
            severity: "ERROR".into(),
            path: Some("/edges/3/to".into()),
            line: Some(7),
            column: Some(12),
            node: Some("fetch".into()),
            message: "there is no node `fetsch`".into(),
            hint: Some("did you mean `fetch`?".into()),
        };
        assert_eq!(
            problem.lines(Output::plain(), Some(Path::new("a.flow.yaml"))),
            [
                "  error[EDGE_DANGLING] a.flow.yaml:7:12 node fetch at /edges/3/to",
                "    there is no node `fetsch`",
                "    hint: did you mean `fetch`?"
            ]
        );
    }
}

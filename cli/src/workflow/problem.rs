//! What is wrong with a document, as people are told.

use engine::definition::problem;
use serde::{Deserialize, Serialize};

use crate::output::{Output, Shade};

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) severity: String,
    pub(super) path: Option<String>,
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
            node: problem.node.clone(),
            message: problem.message.clone(),
            hint: Some(problem.hint.clone()),
        }
    }
}

impl Problem {
    pub(super) fn lines(&self, output: Output) -> Vec<String> {
        let shade = if self.severity == "ERROR" { Shade::Bad } else { Shade::Careful };
        let severity = output.paint(shade, &self.severity.to_lowercase());
        let place = match (&self.node, &self.path) {
            (Some(node), Some(path)) => format!(" node {node} at {path}"),
            (Some(node), None) => format!(" node {node}"),
            (None, Some(path)) if !path.is_empty() => format!(" at {path}"),
            _ => String::new(),
        };
        let mut lines = vec![format!("  {severity}[{}]{place}", self.code), format!("    {}", self.message)];
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
            node: Some("fetch".into()),
            message: "there is no node `fetsch`".into(),
            hint: Some("did you mean `fetch`?".into()),
        };
        assert_eq!(
            problem.lines(Output::plain()),
            [
                "  error[EDGE_DANGLING] node fetch at /edges/3/to",
                "    there is no node `fetsch`",
                "    hint: did you mean `fetch`?"
            ]
        );
    }
}

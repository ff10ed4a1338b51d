//! Expressions while they are being written: what they give, what is wrong, what could be written next.

use engine::definition::problem::{Position, Problem};
use engine::expression::{Budget, Completion, Expression, ExpressionError, Finding, Scope, Types, check, complete};
use engine::graph::types_at;
use engine::port::PortType;
use serde_json::Value;

use super::ServiceError;
use super::surroundings::{Known, Place};
use crate::app::App;
use crate::auth::{Permission, Viewer};

/// Steps of a preview: a tenth of what a run may take, because it is asked for at each keystroke.
const PREVIEW_STEPS: u64 = 50_000;
/// Bytes that a preview may make.
const PREVIEW_BYTES: u64 = 1024 * 1024;

/// An expression at a place of a document.
#[derive(Debug, Clone)]
pub struct Question {
    /// The document, broken or not.
    pub definition: Value,
    /// The node that the expression stands in; the run's output without one.
    pub node: Option<String>,
    /// JSON pointer into the node.
    pub path: String,
    /// The source, without its braces.
    pub expression: String,
    /// Sample values by first name, and below `nodes` outputs by node key.
    pub samples: Option<Value>,
    /// Where the cursor stands, in characters.
    pub cursor: Option<usize>,
    /// Where the document shall run, when that is known.
    pub place: Option<Place>,
}

/// What is known of it.
#[derive(Debug)]
pub struct Answer {
    /// What it gives.
    pub r#type: PortType,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// What it gives over the samples; `None` without samples, or with an error.
    pub preview: Option<Result<Value, ExpressionError>>,
    /// What could be written at the cursor.
    pub completions: Vec<Completion>,
}

/// Looks at an expression without saving or running anything.
///
/// # Errors
/// When they may not, the place is not there, or the document has no such node.
pub async fn examine(app: &App, viewer: &Viewer, question: &Question) -> Result<Answer, ServiceError> {
    viewer.require(Permission::Read)?;
    let node = question.node.as_deref();
    let known = match &question.place {
        Some(place) => Some(Known::at(app, viewer, place).await?),
        None => None,
    };
    let surroundings = known.as_ref().map(Known::view).unwrap_or_default();
    let types = types_at(&question.definition, app.runtime.registry(), &surroundings, node, &question.path);
    let types = types.ok_or_else(|| ServiceError::invalid("node", "the definition has no such node"))?;
    let checked = check(&question.expression, &types);
    let problems = checked.problems.into_iter().map(|finding| problem(finding, question)).collect();
    let completions = question
        .cursor
        .map(|cursor| complete(&question.expression, cursor, &with_samples(types.clone(), question.samples.as_ref())));
    let preview = question.samples.as_ref().map(|samples| {
        let compiled = Expression::compile(&question.expression)?;
        compiled.evaluate(&Samples(samples), &mut Budget::new(PREVIEW_STEPS, PREVIEW_BYTES))
    });
    Ok(Answer { r#type: checked.r#type, problems, preview, completions: completions.unwrap_or_default() })
}

fn problem(finding: Finding, question: &Question) -> Problem {
    let position = finding.column.map(|column| Position::in_text(&question.expression, column));
    let mut problem = Problem::new(finding.code, &question.path, finding.message).at(position);
    problem.node.clone_from(&question.node);
    match finding.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Where nothing is known of a name, the sample tells what members there may be. For proposals only: a sample proves
/// nothing about other values.
fn with_samples(mut types: Types, samples: Option<&Value>) -> Types {
    for (name, value) in samples.and_then(Value::as_object).into_iter().flatten() {
        match types.roots.get_mut(name) {
            Some(known) if *known == PortType::Any => *known = PortType::of_value(value),
            _ => {}
        }
    }
    types
}

struct Samples<'a>(&'a Value);

impl Scope for Samples<'_> {
    fn root(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn node_output(&self, key: &str) -> Option<&Value> {
        self.0.get("nodes")?.get(key)
    }
}

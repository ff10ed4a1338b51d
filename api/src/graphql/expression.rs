//! Expressions while they are being written.

use async_graphql::{Context, Enum, InputObject, Json, Object, SimpleObject};
use engine::expression;
use serde_json::Value;

use super::Result;
use super::request::Asked as _;
use super::workflow::ProblemObject;
use crate::service;
use crate::service::surroundings::Place;

/// Largest value that is handed out as JSON, in bytes of its text.
const MOST_JSON: usize = 64 * 1024;
/// Characters of a value's text that are handed out.
const MOST_TEXT: usize = 4096;

/// An expression at a place of a definition.
#[derive(InputObject)]
pub struct CheckExpressionInput {
    /// The definition that it stands in, broken or not.
    definition: Json<Value>,
    /// The key of the node that it stands in; absent for the output of the run.
    node: Option<String>,
    /// JSON pointer into the node, such as `/config/url` or `/for_each/items`.
    #[graphql(default)]
    path: String,
    /// The source, without `{{` and `}}`.
    expression: String,
    /// Sample values to evaluate it over, by first name: `{"input": …, "trigger": …, "nodes": {"<key>": output}}`.
    samples: Option<Json<Value>>,
    /// Where the cursor stands, in characters from 0; without it nothing is proposed.
    cursor: Option<u32>,
    /// The slug of the project that the definition is for: its variables are proposed, and others are errors.
    project: Option<String>,
    /// The environment of the project.
    #[graphql(default = "default")]
    environment: String,
}

/// What is known of an expression.
#[derive(SimpleObject)]
pub struct CheckedExpression {
    /// What it gives, as JSON Schema; `{}` where nothing is known.
    r#type: Json<Value>,
    /// The same in words.
    type_text: String,
    /// What is wrong with it, with line and column.
    problems: Vec<ProblemObject>,
    /// What it gives over the samples; absent without samples, with an error, or over 64 KiB.
    value: Option<Json<Value>>,
    /// The first 4,096 characters of that value as JSON.
    value_text: Option<String>,
    /// Why it gives nothing over the samples. Evaluation takes a tenth of the steps that a run may take.
    failure: Option<String>,
    /// What could be written at the cursor.
    completions: Vec<CompletionObject>,
}

/// What a proposal is. More may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "CompletionKind", remote = "expression::CompletionKind")]
pub enum CompletionKindName {
    /// A first name, such as `input`.
    Name,
    /// The key of a node that comes before.
    Node,
    /// A member of an object.
    Member,
    /// A function or macro.
    Function,
}

/// Something that could be written at the cursor.
#[derive(SimpleObject)]
#[graphql(name = "Completion")]
pub struct CompletionObject {
    /// What it is.
    kind: CompletionKindName,
    /// What to show.
    label: String,
    /// What takes the place of the word begun at the cursor.
    insert: String,
    /// Its type in words, or the arguments of a function.
    detail: String,
    /// What it is for; empty where nothing is known.
    summary: String,
}

impl From<expression::Completion> for CompletionObject {
    fn from(completion: expression::Completion) -> Self {
        Self {
            kind: completion.kind.into(),
            label: completion.label,
            insert: completion.insert,
            detail: completion.detail,
            summary: completion.summary,
        }
    }
}

impl From<service::expression::Answer> for CheckedExpression {
    fn from(answer: service::expression::Answer) -> Self {
        let (value, failure) = match answer.preview {
            Some(Ok(value)) => (Some(value), None),
            Some(Err(error)) => (None, Some(error.to_string())),
            None => (None, None),
        };
        let text = value.as_ref().map(Value::to_string);
        let fits = text.as_ref().is_some_and(|text| text.len() <= MOST_JSON);
        Self {
            type_text: answer.r#type.to_string(),
            r#type: Json(answer.r#type.to_schema()),
            problems: answer.problems.into_iter().map(ProblemObject::from).collect(),
            value: value.filter(|_| fits).map(Json),
            value_text: text.map(|text| text.chars().take(MOST_TEXT).collect()),
            failure,
            completions: answer.completions.into_iter().map(CompletionObject::from).collect(),
        }
    }
}

/// Expressions while they are being written.
#[derive(Default)]
pub struct ExpressionQuery;

#[Object]
impl ExpressionQuery {
    /// What an expression gives, what is wrong with it, its value over samples, and what could be written next. Nothing
    /// is saved or run.
    #[graphql(complexity = "20 + child_complexity")]
    async fn check_expression(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The expression and its place.")] input: CheckExpressionInput,
    ) -> Result<CheckedExpression> {
        let question = service::expression::Question {
            definition: input.definition.0,
            node: input.node,
            path: input.path,
            expression: input.expression,
            samples: input.samples.map(|samples| samples.0),
            cursor: input.cursor.map(|cursor| cursor as usize),
            place: input.project.map(|project| Place { project, environment: input.environment }),
        };
        Ok(service::expression::examine(ctx.app()?, ctx.viewer()?, &question).await?.into())
    }
}

//! Nodes one by one: key, type, config, patience.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Checked, expression_problems};
use crate::catalog::{Catalog, EffectClass, NodeDescriptor, NodeTypeName, OUT};
use crate::definition::canonical::escape;
use crate::definition::problem::{Problem, ProblemCode as Code};
use crate::definition::{ForEach, Node, Patience, Retry};
use crate::expression::{References, Template};
use crate::graph::config::without_verbatim;
use crate::graph::{Config, GraphForEach, GraphNode};
use crate::retry::RetryPolicy;
use crate::time::parse_duration;

/// Words that an expression could not use as a member name (the CEL specification's reserved words).
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Checks nodes, and keeps what it has read of their types.
pub(super) struct NodeCheck<'a> {
    catalog: &'a dyn Catalog,
    /// What reads configs of a type, or what is wrong with its schema.
    validators: BTreeMap<NodeTypeName, Result<jsonschema::Validator, String>>,
}

impl<'a> NodeCheck<'a> {
    pub(super) fn new(catalog: &'a dyn Catalog) -> Self {
        Self { catalog, validators: BTreeMap::new() }
    }

    pub(super) fn check(&mut self, key: &str, node: &Node, problems: &mut Vec<Problem>) -> Checked<'a> {
        let path = format!("/nodes/{}", escape(key));
        let mut found = Vec::new();
        if !key_fits(key) {
            let key: String = key.chars().take(80).collect();
            found.push(Problem::new(Code::NodeKeyInvalid, &path, format!("`{key}` cannot be a node key")));
        }
        let r#type: Option<NodeTypeName> = node.r#type.parse().ok();
        let descriptor = r#type.as_ref().and_then(|name| self.catalog.descriptor(name));
        let written = node;
        // What a disabled node says is not looked at, only where it stands.
        let bare = node.disabled.then(|| bare(node));
        let node = bare.as_ref().unwrap_or(node);
        match descriptor {
            Some(descriptor) if node.disabled => {
                if descriptor.is_trigger() {
                    let message = format!("`{key}` starts runs and cannot be disabled");
                    found.push(Problem::new(Code::TriggerDisabled, format!("{path}/disabled"), message));
                }
            }
            Some(descriptor) => {
                found.extend(deprecation(descriptor, &path));
                found.extend(refused_connection(node, descriptor, &path));
                self.config(&node.config, descriptor, &path, &mut found);
            }
            None => {
                let name: String = node.r#type.chars().take(80).collect();
                let message = format!("there is no node type `{name}` here");
                found.push(Problem::new(Code::NodeTypeUnknown, format!("{path}/type"), message));
            }
        }
        let mut references = References::default();
        let empty = Value::Object(serde_json::Map::new());
        let schema = descriptor.map_or(&empty, |descriptor| &descriptor.config_schema);
        let config = Config::compile(&node.config, schema, |read| references.absorb(read)).unwrap_or_else(|_| {
            let (config, _) = without_verbatim(&node.config, schema);
            found.extend(expression_problems(&config, &format!("{path}/config")));
            Config::default()
        });
        let for_each =
            node.for_each.as_ref().and_then(|for_each| check_for_each(for_each, descriptor, &path, &mut found));
        let mut reads = references.clone();
        if let Some(for_each) = &for_each {
            reads.absorb(for_each.items.references());
        }
        let patience = check_patience(node, &path, &mut found);
        problems.extend(found.into_iter().map(|problem| problem.at_node(key)));
        let class = match (&r#type, descriptor) {
            (Some(_), Some(_)) if node.disabled => EffectClass::Pure,
            (Some(name), Some(_)) => self.catalog.effect(name, &node.config),
            _ => EffectClass::Effectful,
        };
        let reads_input = match (&r#type, descriptor) {
            (Some(name), Some(_)) if !node.disabled => self.catalog.reads_input(name, &node.config),
            _ => false,
        };
        let graph_node = GraphNode {
            key: key.to_owned(),
            r#type: r#type.unwrap_or_else(|| NodeTypeName { name: node.r#type.clone(), major: 0 }),
            class,
            is_trigger: descriptor.is_some_and(NodeDescriptor::is_trigger),
            connection: node.connection.clone(),
            config,
            join: node.join,
            patience,
            on_uncertain: node.on_uncertain,
            for_each,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            many: descriptor.is_some_and(|descriptor| descriptor.inputs.iter().any(|port| port.many)),
            fresh_key_after_answer: descriptor.is_some_and(|descriptor| descriptor.fresh_key_after_answer),
            reads: Vec::new(),
            references,
            reads_input,
            // Which outputs there are may follow from the config.
            passes: node.disabled.then(|| first_output(descriptor, &written.config)),
        };
        Checked { descriptor, graph_node, reads }
    }

    /// Checks a config as written. A string with an expression may turn into anything, so what the schema says of its
    /// form is left to the node.
    fn config(&mut self, config: &Value, descriptor: &NodeDescriptor, path: &str, problems: &mut Vec<Problem>) {
        let empty = Value::Object(serde_json::Map::new());
        let config = if config.is_null() { &empty } else { config };
        let schema = &descriptor.config_schema;
        let validator = self
            .validators
            .entry(descriptor.r#type.clone())
            .or_insert_with(|| jsonschema::validator_for(schema).map_err(|error| error.to_string()));
        let validator = match validator {
            Ok(validator) => validator,
            Err(error) => {
                let message = format!("the type's own schema is broken: {error}");
                problems.push(Problem::new(Code::ConfigInvalid, format!("{path}/config"), message));
                return;
            }
        };
        let mut literal = Vec::new();
        texts_with_expressions(schema, config, String::new(), false, &mut literal);
        for at in literal.into_iter().take(MOST_FAULTS) {
            let message = "this field is taken as it is written and cannot hold an expression (`{{`)";
            problems.push(Problem::new(Code::ExpressionNotAllowedHere, format!("{path}/config{at}"), message));
        }
        for error in validator.iter_errors(config).take(MOST_FAULTS) {
            let at = error.instance_path().to_string();
            let keyword = error.schema_path().to_string();
            let says_what_is_there = ["/required", "/additionalProperties"].iter().any(|end| keyword.ends_with(end));
            if !says_what_is_there && config.pointer(&at).is_some_and(has_expression) {
                continue;
            }
            // The value itself is left out: it may be long, and it may be a secret in the wrong place.
            let message: String = error.masked_with("this").to_string().chars().take(300).collect();
            problems.push(Problem::new(Code::ConfigInvalid, format!("{path}/config{at}"), message));
        }
    }
}

/// What counts of a disabled node.
fn bare(node: &Node) -> Node {
    Node { r#type: node.r#type.clone(), config: Value::Null, join: node.join, disabled: true, ..Node::default() }
}

fn first_output(descriptor: Option<&NodeDescriptor>, config: &Value) -> String {
    let first = descriptor.and_then(|descriptor| {
        let fixed = descriptor.outputs.iter().map(|port| port.name);
        descriptor.named_outputs(config).chain(fixed).next().map(str::to_owned)
    });
    first.unwrap_or_else(|| OUT.to_owned())
}

/// Most complaints about one config.
const MOST_FAULTS: usize = 50;

fn deprecation(descriptor: &NodeDescriptor, path: &str) -> Option<Problem> {
    let deprecation = descriptor.deprecated?;
    let message = format!("`{}` is deprecated since {}", descriptor.r#type, deprecation.since);
    let problem = Problem::new(Code::NodeTypeDeprecated, format!("{path}/type"), message);
    Some(match deprecation.replacement {
        Some(replacement) => problem.hint(format!("use `{replacement}`")),
        None => problem,
    })
}

fn refused_connection(node: &Node, descriptor: &NodeDescriptor, path: &str) -> Option<Problem> {
    let connection = node.connection.as_ref().filter(|_| descriptor.auth.is_empty())?;
    let connection: String = connection.chars().take(80).collect();
    let message = format!("`{}` takes no connection, so it cannot use `{connection}`", descriptor.r#type);
    let problem = Problem::new(Code::ConnectionNotAccepted, format!("{path}/connection"), message);
    Some(problem.hint("remove `connection`"))
}

fn key_fits(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && key.len() <= 63
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&key)
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(has_expression),
        Value::Object(fields) => fields.values().any(has_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The places of texts with `{{` in fields whose schema says `"x-literal": true`, or below such.
fn texts_with_expressions(schema: &Value, config: &Value, path: String, is_literal: bool, found: &mut Vec<String>) {
    let is_literal = is_literal || schema.get("x-literal").and_then(Value::as_bool) == Some(true);
    match config {
        Value::String(text) if is_literal && text.contains("{{") => found.push(path),
        Value::Object(fields) => {
            for (key, field) in fields {
                let below = super::typing::below(schema, key).unwrap_or(&Value::Null);
                texts_with_expressions(below, field, format!("{path}/{}", escape(key)), is_literal, found);
            }
        }
        Value::Array(items) => {
            let below = schema.get("items").unwrap_or(&Value::Null);
            for (index, item) in items.iter().enumerate() {
                texts_with_expressions(below, item, format!("{path}/{index}"), is_literal, found);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_for_each(
    for_each: &ForEach,
    descriptor: Option<&NodeDescriptor>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<GraphForEach> {
    let path = format!("{path}/for_each");
    if descriptor.is_some_and(|descriptor| !descriptor.for_each) {
        problems.push(Problem::new(Code::ForEachInvalid, &path, "nodes of this type run once"));
    }
    if !(1..=ForEach::MOST_CONCURRENT).contains(&for_each.concurrency) {
        let message = format!("must be 1 to {}", ForEach::MOST_CONCURRENT);
        let hint = "leave it out for 10 at once";
        problems.push(Problem::new(Code::ForEachInvalid, format!("{path}/concurrency"), message).hint(hint));
    }
    match Template::compile(&for_each.items) {
        Ok(items) => {
            Some(GraphForEach { items, concurrency: for_each.concurrency, on_item_error: for_each.on_item_error })
        }
        Err(_) => {
            problems.extend(expression_problems(&for_each.items, &format!("{path}/items")));
            None
        }
    }
}

fn check_patience(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Patience {
    let default = Patience::default();
    Patience {
        retry: node
            .retry
            .as_ref()
            .map_or_else(RetryPolicy::default, |retry| check_retry(retry, &format!("{path}/retry"), problems)),
        timeout: duration(
            node.timeout.as_deref(),
            &format!("{path}/timeout"),
            Some(Duration::from_millis(1)),
            problems,
        )
        .unwrap_or(default.timeout),
        deadline: duration(
            node.deadline.as_deref(),
            &format!("{path}/deadline"),
            Some(Duration::from_millis(1)),
            problems,
        ),
    }
}

fn check_retry(retry: &Retry, path: &str, problems: &mut Vec<Problem>) -> RetryPolicy {
    let default = RetryPolicy::default();
    let mut within = |field: &str, fits: bool, bounds: &str| {
        if !fits {
            problems.push(Problem::new(Code::RetryInvalid, format!("{path}/{field}"), format!("must be {bounds}")));
        }
    };
    let coefficient = retry.coefficient.unwrap_or(default.coefficient);
    let jitter = retry.jitter.unwrap_or(default.jitter);
    within("attempts", (1..=100).contains(&retry.attempts), "1 to 100");
    within("coefficient", (1.0..=10.0).contains(&coefficient), "1 to 10");
    within("jitter", (0.0..=1.0).contains(&jitter), "0 to 1");
    RetryPolicy {
        attempts: retry.attempts,
        initial: duration(retry.initial.as_deref(), &format!("{path}/initial"), None, problems)
            .unwrap_or(default.initial),
        coefficient,
        cap: duration(retry.cap.as_deref(), &format!("{path}/cap"), None, problems).unwrap_or(default.cap),
        jitter,
        on: retry.on.clone(),
    }
}

pub(super) fn duration(
    text: Option<&str>,
    path: &str,
    least: Option<Duration>,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    let text = text?;
    match parse_duration(text) {
        Ok(duration) if least.is_none_or(|least| duration >= least) => Some(duration),
        Ok(_) => {
            problems.push(Problem::new(Code::DurationInvalid, path, "must be longer than nothing"));
            None
        }
        Err(error) => {
            problems.push(Problem::new(Code::DurationInvalid, path, error.to_string()));
            None
        }
    }
}

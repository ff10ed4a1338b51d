//! What a run is found by: the business key and the labels that a definition gives its runs when they start.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::check::{each_string, expression_problems};
use crate::definition::Settings;
use crate::definition::problem::{Problem, ProblemCode as Code};
use crate::expression::{Budget, ExpressionError, Scope, Template};

/// Longest key, name and value, in characters; more is cut.
const LIMIT: usize = 255;
/// Most labels that a definition gives.
const MOST: usize = 20;
/// The names that stand for what the run was given.
const ROOTS: [&str; 3] = ["input", "run", "trigger"];

/// A key and labels with expressions over what a run is given.
#[derive(Debug)]
pub(super) struct Finder(Template);

/// What a run is found by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The business key.
    pub key: Option<String>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
}

impl Finder {
    /// Reads what the settings say of it; `None` when they say nothing, or something wrong.
    pub(super) fn of(settings: &Settings, problems: &mut Vec<Problem>) -> Option<Self> {
        if settings.key.is_none() && settings.labels.is_empty() {
            return None;
        }
        let before = problems.len();
        if settings.labels.len() > MOST {
            let message = format!("a run has at most {MOST} labels of its definition");
            problems.push(Problem::new(Code::DocumentInvalid, "/settings/labels", message));
        }
        if settings
            .labels
            .keys()
            .any(|name| name.is_empty() || name.len() > LIMIT || name.chars().any(char::is_control))
        {
            let message = format!("the name of a label has 1 to {LIMIT} characters and no line break");
            problems.push(Problem::new(Code::DocumentInvalid, "/settings/labels", message));
        }
        let mut all = json!({"labels": settings.labels});
        if let Some(key) = &settings.key {
            all["key"] = json!(key);
        }
        match Template::compile(&all) {
            Err(_) => problems.extend(expression_problems(&all, "/settings")),
            Ok(template) => {
                each_string(&all, "/settings".to_owned(), &mut |path, text| {
                    let Ok(one) = Template::compile(&Value::from(text)) else { return };
                    let known: BTreeSet<&str> = ROOTS.into_iter().collect();
                    if let Some(other) = one.references().roots.keys().find(|root| !known.contains(root.as_str())) {
                        let message = format!(
                            "`{other}` is not known when a run starts; keys and labels read `input`, `run.input` and `trigger`"
                        );
                        problems.push(Problem::new(Code::ExpressionUnknownName, path, message));
                    }
                });
                if problems.len() == before {
                    return Some(Self(template));
                }
            }
        }
        None
    }

    /// What a run of this input is found by. A null is left out, and so is an empty text.
    pub(super) fn found(&self, input: &Value) -> Result<Found, ExpressionError> {
        let scope = Given { input, run: json!({"input": input}) };
        let rendered = self.0.render(&scope, &mut Budget::default())?;
        let labels = rendered["labels"].as_object().into_iter().flatten();
        Ok(Found {
            key: text(&rendered["key"]),
            labels: labels.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect(),
        })
    }
}

/// What a run is given, under the names that its nodes know it by.
struct Given<'a> {
    input: &'a Value,
    run: Value,
}

impl Scope for Given<'_> {
    fn root(&self, name: &str) -> Option<&Value> {
        match name {
            "input" | "trigger" => Some(self.input),
            "run" => Some(&self.run),
            _ => None,
        }
    }

    fn node_output(&self, _key: &str) -> Option<&Value> {
        None
    }
}

/// One line of at most [`LIMIT`] characters, as indexes take it.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LIMIT).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder(settings: Value) -> (Option<Finder>, Vec<Problem>) {
        let mut problems = Vec::new();
        let finder = Finder::of(&serde_json::from_value(settings).unwrap(), &mut problems);
        (finder, problems)
    }

    fn found(settings: Value, input: Value) -> Found {
        finder(settings).0.unwrap().found(&input).unwrap()
    }

    #[test]
    fn a_run_is_found_by_what_it_was_given() {
        let settings = json!({"key": "order-{{ input.id }}", "labels": {
            "shop": "{{ run.input.shop }}", "kind": "order", "rush": "{{ trigger.rush }}", "none": "{{ input.nothing }}"
        }});
        let found = found(settings, json!({"id": 7, "shop": "a\nb", "rush": true}));
        assert_eq!(found.key.as_deref(), Some("order-7"));
        let labels: Vec<_> = found.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(labels, [("kind", "order"), ("rush", "true"), ("shop", "a b")], "a null is no label");
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let label = found(json!({"labels": {"a": "{{ input }}"}}), json!("ä".repeat(300))).labels["a"].clone();
        assert_eq!(label, "ä".repeat(255));
    }

    #[test]
    fn without_settings_there_is_nothing_to_do() {
        assert!(finder(json!({})).0.is_none());
        assert_eq!(finder(json!({})).1, []);
    }

    #[test]
    fn what_is_not_known_at_the_start_is_a_problem_where_it_stands() {
        for (settings, path, code) in [
            (json!({"key": "{{ nodes.a.output }}"}), "/settings/key", Code::ExpressionUnknownName),
            (json!({"labels": {"x": "{{ vars.y }}"}}), "/settings/labels/x", Code::ExpressionUnknownName),
            (json!({"labels": {"x": "{{ input. }}"}}), "/settings/labels/x", Code::ExpressionInvalid),
            (json!({"labels": {"": "x"}}), "/settings/labels", Code::DocumentInvalid),
        ] {
            let (finder, problems) = finder(settings);
            assert!(finder.is_none());
            assert_eq!(
                problems.iter().map(|problem| (problem.path.as_str(), problem.code)).collect::<Vec<_>>(),
                [(path, code)]
            );
        }
    }

    #[test]
    fn an_expression_that_fails_says_where() {
        let finder = finder(json!({"labels": {"n": "{{ int(input.n) }}"}})).0.unwrap();
        assert_eq!(finder.found(&json!({"n": "x"})).unwrap_err().path, "/labels/n");
    }
}

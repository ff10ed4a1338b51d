//! `flow.switch`: one of several ways.

use async_trait::async_trait;
use engine::catalog::{ERROR, EffectClass, NodeCategory, NodeDescriptor, Port, Shape};
use engine::error::ErrorInfo;
use engine::expression::{Budget, Template};
use engine::port::PortType;
use serde_json::{Map, Value, json};

use crate::config::{Config, invalid, kind, missing};
use crate::data::order::Key;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType};

/// Sends its input one of several ways.
pub(crate) struct Switch;

/// The way taken when no case fits.
const ELSE: &str = "else";
/// Most cases.
const MOST_CASES: usize = 100;

const DOCS: &str = "\
Hands its input on by the port of the first case that fits, by `else` when none does. The ways not taken are skipped, and
all that only they feed. A case fits when its `when` is true, or when `value` is the same as its `equals`: numbers by what
they are worth, texts letter for letter, never across. Cases are looked at in their order, and none after the one that
fits. A `when` that gives neither true nor false is the error `CONDITION_NOT_BOOLEAN`. Two cases may share a port.

```yaml
type: flow.switch@1
config:
  value: '{{ input.country }}'
  cases:
    - { port: home, equals: AT }
    - { port: neighbors, equals: DE }
    - { port: large, when: '{{ input.total > 1000 }}' }
```

Edges leave from `<key>.home`, `<key>.neighbors`, `<key>.large` and `<key>.else`.";

#[async_trait]
impl NodeType for Switch {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Switch",
            summary: "Sends its input one of several ways.",
            docs: DOCS,
            icon: "list-tree",
            translations: &[crate::german::flow::SWITCH],
            aliases: &["case", "route", "branch", "decision", "condition", "else", "match"],
            config_schema: config_schema(),
            outputs: vec![Port::one(ELSE, PortType::Any)],
            ..NodeDescriptor::new("flow.switch", 1, NodeCategory::Flow)
        }
    }

    fn output(&self, _port: &str, shape: &Shape<'_>) -> Option<PortType> {
        Some(shape.input.clone())
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let cases = config.list("cases")?.ok_or_else(|| missing("cases", "a list"))?;
        let mut budget = Budget::default();
        let mut taken = ELSE.to_owned();
        for (index, case) in cases.iter().enumerate() {
            let path = format!("cases[{index}]");
            let case = case.as_object().ok_or_else(|| invalid(&path, case, "an object"))?;
            if fits(case, &path, config.raw("value"), context, &mut budget)? {
                port(case, &path)?.clone_into(&mut taken);
                break;
            }
        }
        Ok(NodeOutcome::Passed { port: taken.into() })
    }
}

/// Whether the case is the one to take.
fn fits(
    case: &Map<String, Value>,
    path: &str,
    value: Option<&Value>,
    context: &dyn NodeContext,
    budget: &mut Budget,
) -> Result<bool, ErrorInfo> {
    match (case.get("when"), case.get("equals")) {
        (Some(when), None) => {
            let failed = |error: engine::expression::ExpressionError| {
                ErrorInfo::permanent(error.code.as_str(), format!("config.{path}.when: {error}"))
            };
            let template = Template::compile(when).map_err(failed)?;
            match template.render(context.scope(), budget).map_err(failed)? {
                Value::Bool(fits) => Ok(fits),
                other => {
                    let message = format!("config.{path}.when is {}; expected true or false", kind(&other));
                    Err(ErrorInfo::permanent("CONDITION_NOT_BOOLEAN", message))
                }
            }
        }
        (None, Some(equals)) => {
            let value = value.ok_or_else(|| missing("value", "what the cases' `equals` is compared with"))?;
            Ok(Key(value) == Key(equals))
        }
        (Some(_), Some(_)) | (None, None) => Err(ErrorInfo::permanent(
            "CONFIG_INVALID",
            format!("config.{path} needs exactly one of `when` and `equals`"),
        )),
    }
}

fn port<'c>(case: &'c Map<String, Value>, path: &str) -> Result<&'c str, ErrorInfo> {
    let path = format!("{path}.port");
    let value = case.get("port").ok_or_else(|| missing(&path, "the name of a port"))?;
    let name = value.as_str().filter(|name| !name.is_empty() && *name != ERROR);
    name.ok_or_else(|| invalid(&path, value, "the name of a port, other than `error`"))
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["cases"],
        "properties": {
            "value": {
                "x-order": 1,
                "x-widget": "expression",
                "title": "Value",
                "description": "What the cases' `equals` is compared with.",
            },
            "cases": {
                "x-order": 2,
                "x-ports": "port",
                "title": "Cases",
                "description": "The ways, the first that fits being taken.",
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_CASES,
                "items": {
                    "title": "Case",
                    "description": "One way, and when it is taken.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["port"],
                    "oneOf": [{ "required": ["when"] }, { "required": ["equals"] }],
                    "properties": {
                        "port": {
                            "x-order": 1,
                            "x-literal": true,
                            "title": "Port",
                            "description": "The name of the port, a constant: lower-case letters, digits and `_`.",
                            "type": "string",
                            "pattern": "^[a-z][a-z0-9_]{0,62}$",
                            "not": { "enum": [ERROR, ELSE] },
                        },
                        "when": {
                            "x-order": 2,
                            "x-widget": "expression",
                            "title": "When",
                            "description": "Taken when this is true.",
                            "type": "boolean",
                            "x-deferred": true,
                        },
                        "equals": {
                            "x-order": 3,
                            "x-widget": "json",
                            "title": "Equals",
                            "description": "Taken when the value is the same as this.",
                        },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::testing::{fails, runs};

    async fn way(config: Value, input: Value) -> String {
        match runs(&Switch, config, input).await {
            NodeOutcome::Passed { port } => port.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_first_case_that_fits_is_taken_and_else_when_none_does() {
        let config = |value: Value| {
            json!({"value": value, "cases": [
                {"port": "one", "equals": 1}, {"port": "text", "equals": "1"}, {"port": "nothing", "equals": null},
                {"port": "large", "when": "{{ input.n > 10 }}"}, {"port": "never", "when": "{{ input.n > 20 }}"}
            ]})
        };
        assert_eq!(way(config(json!(1.0)), json!({"n": 50})).await, "one");
        assert_eq!(way(config(json!("1")), json!({"n": 50})).await, "text");
        assert_eq!(way(config(json!(null)), json!({"n": 50})).await, "nothing");
        assert_eq!(way(config(json!("x")), json!({"n": 50})).await, "large");
        assert_eq!(way(config(json!("x")), json!({"n": 5})).await, "else");
    }

    #[tokio::test]
    async fn cases_after_the_one_that_fits_are_not_looked_at() {
        let config = json!({"cases": [{"port": "a", "when": true}, {"port": "b", "when": "{{ input.no.such > 1 }}"}]});
        assert_eq!(way(config, json!({})).await, "a");
    }

    #[tokio::test]
    async fn what_decides_nothing_chooses_no_way() {
        for (config, code) in [
            (json!({"cases": [{"port": "a", "when": "{{ input.missing }}"}]}), "CONDITION_NOT_BOOLEAN"),
            (json!({"cases": [{"port": "a", "when": 1}]}), "CONDITION_NOT_BOOLEAN"),
            (json!({"cases": [{"port": "a", "equals": 1}]}), "CONFIG_INVALID"),
            (json!({"cases": [{"port": "a"}]}), "CONFIG_INVALID"),
            (json!({"cases": [{"port": "error", "when": true}]}), "CONFIG_INVALID"),
            (json!({"cases": [{"port": "a", "when": "{{ 1 + }}"}]}), "EXPRESSION_SYNTAX"),
            (json!({}), "CONFIG_INVALID"),
        ] {
            assert_eq!(fails(&Switch, config.clone(), json!({})).await.code, code, "{config}");
        }
    }

    fn problems(cases: Value, from: &str) -> Vec<(&'static str, String)> {
        let document = json!({
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "way": {"type": "flow.switch@1", "config": {"value": "{{ input }}", "cases": cases}},
                "end": {"type": "data.set@1", "config": {"value": "{{ input }}"}}
            },
            "edges": [{"from": "start", "to": "way"}, {"from": from, "to": "end"}],
            "output": "{{ nodes.end.output }}"
        });
        let examined = engine::graph::examine(&document, &Registry::built_in());
        examined.problems.into_iter().map(|problem| (problem.code.as_str(), problem.path)).collect()
    }

    #[test]
    fn edges_leave_from_the_ports_that_the_cases_name_and_from_no_others() {
        let cases = json!([{"port": "a", "equals": 1}, {"port": "b", "when": "{{ input > 1 }}"}]);
        for port in ["way.a", "way.b", "way.else", "way.error"] {
            assert_eq!(problems(cases.clone(), port), [], "{port}");
        }
        for port in ["way.c", "way", "way.cases"] {
            assert_eq!(problems(cases.clone(), port), [("PORT_UNKNOWN", "/edges/1/from".to_owned())], "{port}");
        }
    }

    #[test]
    fn the_name_of_a_port_is_a_constant() {
        let cases = json!([{"port": "{{ input }}", "equals": 1}]);
        let at = "/nodes/way/config/cases/0/port".to_owned();
        assert!(problems(cases, "way.else").contains(&("EXPRESSION_NOT_ALLOWED_HERE", at.clone())));
        assert_eq!(problems(json!([{"port": "Big One", "equals": 1}]), "way.else"), [("CONFIG_INVALID", at.clone())]);
        assert_eq!(problems(json!([{"port": "error", "equals": 1}]), "way.else"), [("CONFIG_INVALID", at)]);
    }
}

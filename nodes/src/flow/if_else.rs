//! `flow.if`: one of two ways.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::config::{Config, invalid, missing};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, passed};

/// Sends its input one of two ways.
pub(crate) struct If;

const DOCS: &str = "\
Hands its input on by the port `true` or `false`, as `condition` says. The way not taken is skipped, and all that only
it feeds. The condition has to give `true` or `false`; null and numbers are errors, so that a misspelled field does
not quietly choose a way.

```yaml
type: flow.if@1
config:
  condition: '{{ input.total > 1000 }}'
```

Edges leave from `<key>.true` and `<key>.false`.";

#[async_trait]
impl NodeType for If {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "If",
            summary: "Sends its input one of two ways.",
            docs: DOCS,
            icon: "split",
            translations: &[crate::german::flow::IF],
            aliases: &["condition", "branch", "else", "decision", "switch", "route"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["condition"],
                "properties": {
                    "condition": {
                        "x-order": 1,
                        "x-widget": "expression",
                        "title": "Condition",
                        "description": "Which way: true or false.",
                        "type": "boolean",
                    },
                },
            }),
            outputs: vec![Port::one("true", PortType::Any), Port::one("false", PortType::Any)],
            ..NodeDescriptor::new("flow.if", 1, NodeCategory::Flow)
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

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let port = match Config::of(attempt)?.raw("condition") {
            Some(Value::Bool(true)) => "true",
            Some(Value::Bool(false)) => "false",
            Some(other) => return Err(invalid("condition", other, "true or false")),
            None => return Err(missing("condition", "true or false")),
        };
        Ok(passed(port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, runs};

    #[tokio::test]
    async fn the_input_leaves_by_the_port_that_the_condition_names() {
        for (condition, port) in [(true, "true"), (false, "false")] {
            let outcome = runs(&If, json!({"condition": condition}), json!({"a": 1})).await;
            assert_eq!(outcome, passed(port));
        }
    }

    #[tokio::test]
    async fn what_is_no_boolean_chooses_no_way() {
        for condition in [json!(null), json!(0), json!("true"), json!([])] {
            let error = fails(&If, json!({"condition": condition}), json!(1)).await;
            assert_eq!(error.code, "CONFIG_INVALID");
        }
        let error = fails(&If, json!({"condition": null}), json!(1)).await;
        assert_eq!(error.message, "config.condition is null; expected true or false");
        assert_eq!(fails(&If, json!({}), json!(1)).await.code, "CONFIG_INVALID");
    }
}

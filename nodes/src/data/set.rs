//! `data.set`: makes a value.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::config::{Config, invalid, kind};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Makes a value out of expressions.
pub(crate) struct Set;

const DOCS: &str = "\
Makes a value: either `value`, which is the whole output, or `fields`, which is an object. With `keep_input` the fields
are put over those of the input, which must then be an object; a field that both have is the new one. Only the first
level is merged.

```yaml
type: data.set@1
config:
  keep_input: true
  fields:
    total: '{{ input.price * input.quantity }}'
    label: 'Order {{ input.id }}'
```

Input `{\"id\": 7, \"price\": 2.5, \"quantity\": 4}` gives
`{\"id\": 7, \"label\": \"Order 7\", \"price\": 2.5, \"quantity\": 4, \"total\": 10}`.";

#[async_trait]
impl NodeType for Set {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Set",
            summary: "Makes a value out of constants and expressions.",
            docs: DOCS,
            icon: "pencil",
            translations: &[crate::german::data::SET],
            aliases: &["assign", "edit fields", "map", "transform", "variable", "object", "constant"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "oneOf": [{ "required": ["value"] }, { "required": ["fields"] }],
                "properties": {
                    "value": {
                        "x-order": 1,
                        "x-widget": "json",
                        "title": "Value",
                        "description": "The whole output: any JSON, with expressions anywhere in it.",
                    },
                    "fields": {
                        "x-order": 2,
                        "x-widget": "key-value",
                        "title": "Fields",
                        "description": "The fields of the output, by name.",
                        "type": "object",
                    },
                    "keep_input": {
                        "x-order": 3,
                        "title": "Keep the input",
                        "description": "Puts the fields over those of the input instead of starting from nothing.",
                        "type": "boolean",
                        "default": false,
                    },
                },
            }),
            for_each: true,
            ..NodeDescriptor::new("data.set", 1, NodeCategory::Data)
        }
    }

    fn output(&self, _port: &str, shape: &Shape<'_>) -> Option<PortType> {
        let PortType::Object { fields: config, .. } = shape.types else { return None };
        let made = match (config.get("value"), config.get("fields")) {
            (Some(value), None) => return Some(value.clone()),
            (None, Some(PortType::Object { fields, open: false })) => fields,
            _ => return None,
        };
        match (shape.config.get("keep_input"), shape.input) {
            (None | Some(Value::Bool(false)), _) => Some(PortType::Object { fields: made.clone(), open: false }),
            (Some(Value::Bool(true)), PortType::Object { fields, open }) => {
                let all = fields.iter().chain(made).map(|(name, field)| (name.clone(), field.clone()));
                Some(PortType::Object { fields: all.collect(), open: *open })
            }
            _ => None,
        }
    }

    fn reads_input(&self, config: &Value) -> bool {
        !matches!(config.get("keep_input"), None | Some(Value::Bool(false)))
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let keep_input = config.boolean("keep_input")?.unwrap_or(false);
        match (config.raw("value"), config.raw("fields")) {
            (Some(_), None) if keep_input => Err(ErrorInfo::permanent(
                "CONFIG_INVALID",
                "config.keep_input goes with config.fields; config.value is the whole output",
            )),
            (Some(value), None) => Ok(done(value.clone())),
            (None, Some(Value::Object(fields))) => {
                let mut output = if keep_input { input_fields(&attempt.input)? } else { serde_json::Map::new() };
                output.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
                Ok(done(Value::Object(output)))
            }
            (None, Some(other)) => Err(invalid("fields", other, "an object")),
            (Some(_), Some(_)) | (None, None) => Err(ErrorInfo::permanent(
                "CONFIG_INVALID",
                "config needs exactly one of `value` (the whole output) and `fields` (an object)",
            )),
        }
    }
}

fn input_fields(input: &Value) -> Result<serde_json::Map<String, Value>, ErrorInfo> {
    input.as_object().cloned().ok_or_else(|| {
        let came = kind(input);
        ErrorInfo::permanent("CONFIG_INVALID", format!("the input is {came}; config.keep_input expects an object"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn a_value_is_the_whole_output_even_when_it_is_null() {
        assert_eq!(output(&Set, json!({"value": [1, {"a": null}]}), json!(1)).await, json!([1, {"a": null}]));
        assert_eq!(output(&Set, json!({"value": null}), json!(1)).await, json!(null));
    }

    #[tokio::test]
    async fn fields_replace_the_input_unless_it_is_kept() {
        let input = json!({"a": 1, "b": 2});
        assert_eq!(output(&Set, json!({"fields": {"b": 3}}), input.clone()).await, json!({"b": 3}));
        let kept = output(&Set, json!({"fields": {"b": 3}, "keep_input": true}), input).await;
        assert_eq!(kept, json!({"a": 1, "b": 3}));
    }

    #[tokio::test]
    async fn exactly_one_of_value_and_fields_is_needed() {
        for config in [json!({}), json!({"value": 1, "fields": {}}), json!({"fields": [1]}), json!({"fields": null})] {
            assert_eq!(fails(&Set, config.clone(), json!({})).await.code, "CONFIG_INVALID", "{config}");
        }
    }

    #[tokio::test]
    async fn keeping_an_input_that_is_no_object_says_what_came() {
        let error = fails(&Set, json!({"fields": {}, "keep_input": true}), json!([1])).await;
        assert_eq!(error.message, "the input is a list; config.keep_input expects an object");
        assert_eq!(fails(&Set, json!({"value": 1, "keep_input": true}), json!({})).await.code, "CONFIG_INVALID");
    }
}

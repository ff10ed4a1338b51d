//! `data.filter`: keeps the items that meet a condition.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::config::{Config, kind, missing};
use crate::deferred::{Deferred, Evaluation, breathe};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Keeps the items that meet a condition.
pub(crate) struct Filter;

const DOCS: &str = "\
Keeps the items of a list for which `condition` is true, in their order. The condition sees the item as `item` and its
place, from 0, as `index`. It has to give `true` or `false`: anything else, null included, is an error that names the
index. `limit` stops after that many kept items; later ones are not looked at.

```yaml
type: data.filter@1
config:
  items: '{{ input.rows }}'
  condition: '{{ item.magnitude >= 4.5 && item.place != null }}'
  limit: 100
```

The output is the list of kept items.";

#[async_trait]
impl NodeType for Filter {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Filter",
            summary: "Keeps the items of a list that meet a condition.",
            docs: DOCS,
            icon: "filter",
            translations: &[crate::german::data::FILTER],
            aliases: &["where", "select", "remove", "condition", "search", "limit", "only"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["condition"],
                "properties": {
                    "items": {
                        "x-order": 1,
                        "x-widget": "expression",
                        "title": "Items",
                        "description": "The list to look through; the node's input when absent.",
                        "type": "array",
                        "default": "{{ input }}",
                    },
                    "condition": {
                        "x-order": 2,
                        "x-widget": "expression",
                        "title": "Condition",
                        "description": "Evaluated once per item, as `item` with its place `index`; keeps it when true.",
                        "type": "boolean",
                        "x-deferred": true,
                        "x-item-of": "items",
                    },
                    "limit": {
                        "x-order": 3,
                        "title": "Limit",
                        "description": "Most items to keep; all when absent.",
                        "type": "integer",
                        "minimum": 0,
                    },
                },
            }),
            outputs: vec![Port::one(OUT, PortType::list())],
            for_each: true,
            ..NodeDescriptor::new("data.filter", 1, NodeCategory::Data)
        }
    }

    fn output(&self, _port: &str, shape: &Shape<'_>) -> Option<PortType> {
        super::list_of_items(shape)
    }

    fn reads_input(&self, config: &Value) -> bool {
        config.get("items").is_none()
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let items = config.items("items", attempt)?;
        let condition = config.raw("condition").ok_or_else(|| missing("condition", "an expression"))?;
        let condition = Deferred::compile("condition", condition)?;
        let limit = config.integer("limit", 0, u64::MAX)?.unwrap_or(u64::MAX);
        let mut evaluation = Evaluation::new(context, items.len());
        let mut kept = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if kept.len() as u64 >= limit {
                break;
            }
            breathe(index).await;
            match evaluation.of(&condition, item, index)? {
                Value::Bool(true) => kept.push(item.clone()),
                Value::Bool(false) => {}
                other => {
                    let came = kind(&other);
                    let message = format!("config.condition is {came} for item {index}; expected true or false");
                    return Err(ErrorInfo::permanent("CONDITION_NOT_BOOLEAN", message));
                }
            }
        }
        Ok(done(Value::Array(kept)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn items_that_meet_the_condition_are_kept_in_their_order() {
        let config = json!({"condition": "{{ item.n > 1 }}"});
        let input = json!([{"n": 3}, {"n": 1}, {"n": 2}]);
        assert_eq!(output(&Filter, config, input).await, json!([{"n": 3}, {"n": 2}]));
    }

    #[tokio::test]
    async fn a_condition_may_use_the_index_and_the_input() {
        let config = json!({"items": [5, 6, 7], "condition": "{{ index >= input.from }}"});
        assert_eq!(output(&Filter, config, json!({"from": 1})).await, json!([6, 7]));
    }

    #[tokio::test]
    async fn a_limit_stops_before_later_items_are_looked_at() {
        let config = json!({"condition": "{{ item < 3 }}", "limit": 2});
        assert_eq!(output(&Filter, config.clone(), json!([1, 2, "not a number"])).await, json!([1, 2]));
        assert_eq!(fails(&Filter, config, json!([1, "not a number"])).await.code, "EXPRESSION_TYPE");
        let nothing = json!({"condition": "{{ item < 3 }}", "limit": 0});
        assert_eq!(output(&Filter, nothing, json!([1])).await, json!([]));
    }

    #[tokio::test]
    async fn a_condition_that_is_no_boolean_names_the_index() {
        let error = fails(&Filter, json!({"condition": "{{ item.ok }}"}), json!([{"ok": true}, {}])).await;
        assert_eq!(error.code, "CONDITION_NOT_BOOLEAN");
        assert_eq!(error.message, "config.condition is null for item 1; expected true or false");
    }

    #[tokio::test]
    async fn what_is_no_list_is_refused() {
        let error = fails(&Filter, json!({"condition": true}), json!({"rows": []})).await;
        assert_eq!(error.code, "CONFIG_INVALID");
        assert!(error.message.contains("the input is an object; expected a list"), "{error}");
        let error = fails(&Filter, json!({"items": null, "condition": true}), json!([])).await;
        assert_eq!(error.message, "config.items is null; expected a list");
        assert_eq!(
            fails(&Filter, json!({}), json!([])).await.message,
            "config.condition is missing or null; expected an expression"
        );
    }

    #[tokio::test]
    async fn a_broken_expression_says_where_it_stands() {
        let error = fails(&Filter, json!({"condition": "{{ item. }}"}), json!([1])).await;
        assert_eq!(error.code, "EXPRESSION_SYNTAX");
        assert!(error.message.starts_with("config.condition: "), "{error}");
        let error = fails(&Filter, json!({"condition": "{{ item.x > 1 && nosuch }}"}), json!([{"x": 2}])).await;
        assert_eq!(error.code, "EXPRESSION_UNKNOWN_NAME");
        assert!(error.message.starts_with("config.condition at item 0: "), "{error}");
    }

    #[tokio::test]
    async fn ten_thousand_items_fit_the_budget() {
        let input: Vec<_> = (0..10_000).map(|n| json!({"n": n, "name": format!("item {n}")})).collect();
        let config = json!({"condition": "{{ item.n % 2 == 0 && item.name.startsWith('item') }}"});
        let kept = output(&Filter, config, Value::Array(input)).await;
        assert_eq!(kept.as_array().map(Vec::len), Some(5_000));
    }
}

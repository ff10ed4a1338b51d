//! `data.dedupe`: keeps one of the items that are the same.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use super::order::OwnedKey;
use crate::config::{Config, choice};
use crate::deferred::{Deferred, Evaluation, breathe};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Keeps one of the items that are the same.
pub(crate) struct Dedupe;

const DOCS: &str = "\
Keeps one of the items that are the same, the first or the last of them, in their order. `key` says what makes items the
same: an expression over `item` (and its place `index`); without it whole items are compared. Keys are equal as numbers
(1 and 1.0) or as texts, never across; null is a key like any other, so of the items whose key is missing one stays.

```yaml
type: data.dedupe@1
config:
  items: '{{ input.rows }}'
  key: '{{ item.email.lower() }}'
  keep: last
```

The output is the list of kept items.";

#[async_trait]
impl NodeType for Dedupe {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Remove duplicates",
            summary: "Keeps one of the items of a list that are the same.",
            docs: DOCS,
            icon: "copy-minus",
            translations: &[crate::german::list::DEDUPE],
            aliases: &["distinct", "unique", "duplicates", "deduplicate", "repeated"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "items": {
                        "x-order": 1,
                        "x-widget": "expression",
                        "title": "Items",
                        "description": "The list to look through; the node's input when absent.",
                        "type": "array",
                        "default": "{{ input }}",
                    },
                    "key": {
                        "x-order": 2,
                        "x-widget": "expression",
                        "title": "Key",
                        "description": "Evaluated once per item, as `item` with its place `index`; items with the \
                                        same key are the same. The whole item when absent.",
                        "x-deferred": true,
                        "x-item-of": "items",
                    },
                    "keep": {
                        "x-order": 3,
                        "x-widget": "select",
                        "title": "Keep",
                        "description": "Which of the same items stays.",
                        "enum": ["first", "last"],
                        "default": "first",
                    },
                },
            }),
            outputs: vec![Port::one(OUT, PortType::list())],
            for_each: true,
            ..NodeDescriptor::new("data.dedupe", 1, NodeCategory::Data)
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
        let key = config.raw("key").map(|key| Deferred::compile("key", key)).transpose()?;
        let keeps_last = choice(config.fields(), "", "keep", &["first", "last"])? == 1;
        let mut evaluation = Evaluation::new(context, items.len());
        let mut kept: BTreeMap<OwnedKey, usize> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            breathe(index).await;
            let key = match &key {
                Some(key) => evaluation.of(key, item, index)?,
                None => item.clone(),
            };
            let place = kept.entry(OwnedKey(key)).or_insert(index);
            if keeps_last {
                *place = index;
            }
        }
        let mut places: Vec<usize> = kept.into_values().collect();
        places.sort_unstable();
        Ok(done(places.into_iter().filter_map(|place| items.get(place)).cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn of_items_with_the_same_key_the_first_or_the_last_stays_in_its_place() {
        let input = json!([{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": 1.0, "v": "c"}, {"k": "1", "v": "d"}]);
        let first = output(&Dedupe, json!({"key": "{{ item.k }}"}), input.clone()).await;
        assert_eq!(first, json!([{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": "1", "v": "d"}]));
        let last = output(&Dedupe, json!({"key": "{{ item.k }}", "keep": "last"}), input).await;
        assert_eq!(last, json!([{"k": 2, "v": "b"}, {"k": 1.0, "v": "c"}, {"k": "1", "v": "d"}]));
    }

    #[tokio::test]
    async fn without_a_key_whole_items_are_compared_and_null_is_a_key_like_any_other() {
        let input = json!([{"a": 1}, null, {"a": 1.0}, [1], null, [1]]);
        assert_eq!(output(&Dedupe, json!({}), input).await, json!([{"a": 1}, null, [1]]));
        let keyed = output(&Dedupe, json!({"key": "{{ item.k }}"}), json!([{"n": 1}, {"n": 2}, {"k": 0}])).await;
        assert_eq!(keyed, json!([{"n": 1}, {"k": 0}]));
    }

    #[tokio::test]
    async fn what_cannot_be_looked_through_is_refused() {
        assert_eq!(fails(&Dedupe, json!({}), json!({})).await.code, "CONFIG_INVALID");
        let error = fails(&Dedupe, json!({"keep": "both"}), json!([])).await;
        assert_eq!(error.message, "config.keep is a text; expected one of first, last");
    }
}

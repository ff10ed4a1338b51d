//! `data.sort`: puts the items of a list in order.

use std::cmp::Ordering;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Map, Value, json};

use self::natural::natural;
use super::order::compare;
use crate::config::{Config, choice, invalid};
use crate::deferred::{Deferred, Evaluation, breathe};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

mod natural;

/// Puts the items of a list in order.
pub(crate) struct Sort;

/// Most keys to sort by.
const MOST_KEYS: usize = 10;

const DOCS: &str = "\
Puts the items of a list in order. `by` lists what to order by, the most important first; each is an expression over
`item` (and its place `index`) with a direction. Without `by` the items themselves are compared. Items that are equal in
all of it keep their order.

Numbers compare by what they are worth. Texts compare as people expect, `natural`: without regard to case and accents,
and with the numbers in them by what they are worth, so that `file 2` comes before `File 10`; `exact` compares code
points. Values of different kinds have the order false, true, numbers, texts, lists, objects. Null and what is missing
comes last in either direction, or first with `nulls: first`.

```yaml
type: data.sort@1
config:
  items: '{{ input.rows }}'
  by:
    - key: '{{ item.country }}'
    - key: '{{ item.population }}'
      direction: desc
      nulls: first
```

The output is the list in its new order.";

#[async_trait]
impl NodeType for Sort {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Sort",
            summary: "Puts the items of a list in order.",
            docs: DOCS,
            icon: "arrow-down-a-z",
            translations: &[crate::german::list::SORT],
            aliases: &["order", "order by", "rank", "ascending", "descending", "arrange"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, PortType::list())],
            for_each: true,
            ..NodeDescriptor::new("data.sort", 1, NodeCategory::Data)
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
        let keys = keys(&config)?;
        let mut evaluation = Evaluation::new(context, items.len());
        let mut rows: Vec<(Vec<Value>, &Value)> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            breathe(index).await;
            let values = keys.iter().map(|key| match &key.of {
                Some(of) => evaluation.of(of, item, index),
                None => Ok(item.clone()),
            });
            rows.push((values.collect::<Result<_, _>>()?, item));
        }
        rows.sort_by(|(left, _), (right, _)| {
            let pairs = keys.iter().zip(left.iter().zip(right));
            pairs
                .map(|(key, (left, right))| key.compare(left, right))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        Ok(done(rows.into_iter().map(|(_, item)| item.clone()).collect()))
    }
}

/// One thing to order by.
struct Key {
    /// The item itself when there is no expression.
    of: Option<Deferred>,
    descends: bool,
    nulls_first: bool,
    is_exact: bool,
}

impl Key {
    fn compare(&self, left: &Value, right: &Value) -> Ordering {
        match (left.is_null(), right.is_null()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if self.nulls_first { Ordering::Less } else { Ordering::Greater },
            (false, true) => return if self.nulls_first { Ordering::Greater } else { Ordering::Less },
            (false, false) => {}
        }
        let order = match (left, right) {
            (Value::String(left), Value::String(right)) if !self.is_exact => natural(left, right),
            _ => compare(left, right),
        };
        if self.descends { order.reverse() } else { order }
    }
}

fn keys(config: &Config<'_>) -> Result<Vec<Key>, ErrorInfo> {
    let Some(list) = config.list("by")?.filter(|list| !list.is_empty()) else {
        return Ok(vec![Key { of: None, descends: false, nulls_first: false, is_exact: false }]);
    };
    if list.len() > MOST_KEYS {
        let message = format!("config.by has {} entries; at most {MOST_KEYS} are taken", list.len());
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    list.iter().enumerate().map(|(index, entry)| key(index, entry)).collect()
}

fn key(index: usize, entry: &Value) -> Result<Key, ErrorInfo> {
    let path = format!("by[{index}]");
    let fields: &Map<String, Value> = entry.as_object().ok_or_else(|| invalid(&path, entry, "an object"))?;
    let of = fields.get("key").map(|key| Deferred::compile(&format!("{path}.key"), key)).transpose()?;
    Ok(Key {
        of,
        descends: choice(fields, &path, "direction", &["asc", "desc"])? == 1,
        nulls_first: choice(fields, &path, "nulls", &["last", "first"])? == 1,
        is_exact: choice(fields, &path, "text", &["natural", "exact"])? == 1,
    })
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "items": {
                "x-order": 1,
                "x-widget": "expression",
                "title": "Items",
                "description": "The list to put in order; the node's input when absent.",
                "type": "array",
                "default": "{{ input }}",
            },
            "by": {
                "x-order": 2,
                "title": "By",
                "description": "What to order by, the most important first; the items themselves when absent.",
                "type": "array",
                "maxItems": MOST_KEYS,
                "items": {
                    "title": "Key",
                    "description": "One thing to order by.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["key"],
                    "properties": {
                        "key": {
                            "x-order": 1,
                            "x-widget": "expression",
                            "title": "Key",
                            "description": "Evaluated once per item, as `item` with its place `index`.",
                            "x-deferred": true,
                            "x-item-of": "items",
                        },
                        "direction": {
                            "x-order": 2,
                            "x-widget": "select",
                            "title": "Direction",
                            "description": "The smallest first, or the largest.",
                            "enum": ["asc", "desc"],
                            "default": "asc",
                        },
                        "nulls": {
                            "x-order": 3,
                            "x-widget": "select",
                            "title": "Nulls",
                            "description": "Where items go whose key is null, in either direction.",
                            "enum": ["last", "first"],
                            "default": "last",
                        },
                        "text": {
                            "x-order": 4,
                            "x-widget": "select",
                            "title": "Texts",
                            "description": "How texts compare: as people expect, or by code points.",
                            "enum": ["natural", "exact"],
                            "default": "natural",
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
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn several_keys_order_one_after_another_and_equal_items_keep_their_order() {
        let config = json!({"by": [{"key": "{{ item.c }}"}, {"key": "{{ item.n }}", "direction": "desc"}]});
        let input = json!([
            {"c": "b", "n": 1, "i": 0}, {"c": "a", "n": 1, "i": 1}, {"c": "a", "n": 10, "i": 2},
            {"c": "a", "n": 1.0, "i": 3}, {"c": "b", "n": 2, "i": 4}
        ]);
        let sorted = output(&Sort, config, input).await;
        let places: Vec<_> = sorted.as_array().unwrap().iter().map(|item| item["i"].as_u64().unwrap()).collect();
        assert_eq!(places, [2, 1, 3, 4, 0]);
    }

    #[tokio::test]
    async fn nulls_and_what_is_missing_go_where_the_author_says_in_either_direction() {
        let input = json!([{"n": 2}, {}, {"n": null}, {"n": 1}]);
        for (direction, nulls, expected) in [
            ("asc", "last", json!([{"n": 1}, {"n": 2}, {}, {"n": null}])),
            ("desc", "last", json!([{"n": 2}, {"n": 1}, {}, {"n": null}])),
            ("asc", "first", json!([{}, {"n": null}, {"n": 1}, {"n": 2}])),
            ("desc", "first", json!([{}, {"n": null}, {"n": 2}, {"n": 1}])),
        ] {
            let config = json!({"by": [{"key": "{{ item.n }}", "direction": direction, "nulls": nulls}]});
            assert_eq!(output(&Sort, config, input.clone()).await, expected, "{direction} {nulls}");
        }
    }

    #[tokio::test]
    async fn without_keys_the_items_themselves_are_compared() {
        let sorted = output(&Sort, json!({}), json!(["b", 10, null, 9, "A", true])).await;
        assert_eq!(sorted, json!([true, 9, 10, "A", "b", null]));
        assert_eq!(output(&Sort, json!({"items": [3, 1, 2], "by": []}), json!(0)).await, json!([1, 2, 3]));
    }

    #[tokio::test]
    async fn texts_compare_as_people_expect_unless_told_otherwise() {
        let input = json!(["File 10", "file 2", "Zoo", "ähre", "apfel"]);
        let natural = output(&Sort, json!({"by": [{"key": "{{ item }}"}]}), input.clone()).await;
        assert_eq!(natural, json!(["ähre", "apfel", "file 2", "File 10", "Zoo"]));
        let exact = output(&Sort, json!({"by": [{"key": "{{ item }}", "text": "exact"}]}), input).await;
        assert_eq!(exact, json!(["File 10", "Zoo", "apfel", "file 2", "ähre"]));
    }

    #[tokio::test]
    async fn what_is_no_key_is_refused_by_its_place() {
        for (config, place) in [
            (json!({"by": [{"key": "{{ item }}", "direction": "up"}]}), "config.by[0].direction"),
            (json!({"by": [{"key": "{{ item }}"}, 3]}), "config.by[1]"),
            (json!({"by": [{"key": "{{ item. }}"}]}), "config.by[0].key"),
            (json!({"by": 3}), "config.by"),
            (json!({"items": {"a": 1}}), "config.items"),
        ] {
            let error = fails(&Sort, config.clone(), json!([1])).await;
            assert!(error.message.starts_with(place), "{config}: {error}");
        }
    }
}

//! `flow.merge`: brings several ways together.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, IN, NodeCategory, NodeDescriptor, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Map, Value, json};

use crate::config::{Config, invalid, kind};
use crate::data::order::Key;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Makes one value of what several nodes gave.
pub(crate) struct Merge;

const MODES: [&str; 5] = ["object", "append", "zip", "join_by_key", "first"];

const DOCS: &str = "\
Takes any number of edges and makes one value of what arrives. Sources that were skipped are left out. Sources have an
order: those in `order` first, as listed there, then the others by node key.

| mode | expects | gives |
|---|---|---|
| `object` (default) | anything | an object: node key → value |
| `append` | lists | one list: the items of the first source, then of the next |
| `zip` | lists of equal length | a list of objects: item `i` is node key → item `i` of that source |
| `join_by_key` | lists of objects | one list: objects with the same value in the field `key` become one |
| `first` | anything | the value of the first source that arrived |

`join_by_key` starts from the items of the first source. From each further source, an item's fields are put over those
of every item so far with an equal key; an item without a partner is added at the end. Keys are equal as numbers (1 and
1.0) or as texts, never across. In the first source a key may repeat; repeated in a further one it is an error
(`MERGE_KEY_REPEATED`), and so is an item whose key is missing or null. What has another shape than expected is the
error `MERGE_SHAPE`, which names source and index.

```yaml
type: flow.merge@1
config:
  mode: join_by_key
  key: customer_id
  order: [orders, customers]
```

`orders` `[{\"customer_id\": 1, \"total\": 5}]` and `customers` `[{\"customer_id\": 1, \"name\": \"Ada\"}]` give
`[{\"customer_id\": 1, \"name\": \"Ada\", \"total\": 5}]`.";

#[async_trait]
impl NodeType for Merge {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Merge",
            summary: "Makes one value of what several nodes gave.",
            docs: DOCS,
            icon: "merge",
            translations: &[crate::german::flow::MERGE],
            aliases: &["join", "combine", "append", "union", "zip", "concat", "collect", "lookup"],
            config_schema: config_schema(),
            inputs: vec![Port::many(IN)],
            ..NodeDescriptor::new("flow.merge", 1, NodeCategory::Flow)
        }
    }

    fn output(&self, _port: &str, shape: &Shape<'_>) -> Option<PortType> {
        let mode = shape.config.get("mode").map_or(Some("object"), Value::as_str)?;
        match (mode, shape.input) {
            ("object", sources) => Some(sources.clone()),
            ("first", PortType::Object { fields, open: false }) => {
                Some(PortType::union(fields.values().cloned().map(PortType::without_null)))
            }
            ("append" | "zip" | "join_by_key", _) => Some(PortType::list()),
            _ => None,
        }
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let Some(input) = attempt.input.as_object() else {
            return Err(shape(format!("the input is {}; expected an object of sources", kind(&attempt.input))));
        };
        let sources = ordered(&config, input)?;
        let output = match config.text("mode")?.unwrap_or("object") {
            "object" => Value::Object(input.clone()),
            "append" => append(&sources)?,
            "zip" => zip(&sources)?,
            "join_by_key" => join_by_key(&sources, config.required_text("key")?)?,
            "first" => {
                sources.first().map(|(_, value)| Value::clone(value)).ok_or_else(|| shape("no source arrived"))?
            }
            other => {
                let expected = format!("one of {}", MODES.join(", "));
                return Err(invalid("mode", &Value::from(other), &expected));
            }
        };
        Ok(done(output))
    }
}

type Source<'a> = (&'a str, &'a Value);

fn shape(message: impl Into<String>) -> ErrorInfo {
    ErrorInfo::permanent("MERGE_SHAPE", message)
}

/// The sources that arrived, those in `order` first.
fn ordered<'a>(config: &Config<'_>, input: &'a Map<String, Value>) -> Result<Vec<Source<'a>>, ErrorInfo> {
    let mut sources: Vec<Source<'a>> = Vec::with_capacity(input.len());
    for (index, key) in config.list("order")?.into_iter().flatten().enumerate() {
        let field = format!("order[{index}]");
        let key = key.as_str().ok_or_else(|| invalid(&field, key, "the key of a node"))?;
        let repeated = sources.iter().any(|(seen, _)| *seen == key);
        // A key without a value is a source that was skipped.
        if let Some((key, value)) = input.get_key_value(key).filter(|_| !repeated) {
            sources.push((key, value));
        }
    }
    let named = sources.len();
    for (key, value) in input {
        if !sources.iter().take(named).any(|(seen, _)| seen == key) {
            sources.push((key, value));
        }
    }
    Ok(sources)
}

fn list<'a>((key, value): &Source<'a>) -> Result<&'a [Value], ErrorInfo> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| shape(format!("source `{key}` is {}; expected a list", kind(value))))
}

fn append(sources: &[Source<'_>]) -> Result<Value, ErrorInfo> {
    let mut items = Vec::new();
    for source in sources {
        items.extend_from_slice(list(source)?);
    }
    Ok(Value::Array(items))
}

fn zip(sources: &[Source<'_>]) -> Result<Value, ErrorInfo> {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for (position, source) in sources.iter().enumerate() {
        let (key, items) = (source.0, list(source)?);
        if position == 0 {
            rows.resize_with(items.len(), Map::new);
        } else if items.len() != rows.len() {
            let (n, first, n_first) = (items.len(), sources.first().map_or("", |(key, _)| key), rows.len());
            return Err(shape(format!(
                "source `{key}` has {n} items and `{first}` {n_first}; zip expects equally many"
            )));
        }
        for (row, item) in rows.iter_mut().zip(items) {
            row.insert(key.to_owned(), item.clone());
        }
    }
    Ok(Value::Array(rows.into_iter().map(Value::Object).collect()))
}

fn join_by_key(sources: &[Source<'_>], field: &str) -> Result<Value, ErrorInfo> {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    // The rows of each key; borrows from the sources, never from the rows, whose key fields are equal.
    let mut rows_of: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
    for (position, source) in sources.iter().enumerate() {
        let mut seen = BTreeMap::new();
        for (index, item) in list(source)?.iter().enumerate() {
            let (object, key) = keyed(source.0, index, item, field)?;
            if position > 0
                && let Some(before) = seen.insert(key, index)
            {
                let message = format!(
                    "source `{}` has the same `{field}` in the items {before} and {index}; \
                     only the first source may repeat one",
                    source.0
                );
                return Err(ErrorInfo::permanent("MERGE_KEY_REPEATED", message));
            }
            let partners = rows_of.entry(key).or_default();
            if position == 0 || partners.is_empty() {
                partners.push(rows.len());
                rows.push(object.clone());
                continue;
            }
            for partner in partners {
                if let Some(row) = rows.get_mut(*partner) {
                    row.extend(object.iter().map(|(name, value)| (name.clone(), value.clone())));
                }
            }
        }
    }
    Ok(Value::Array(rows.into_iter().map(Value::Object).collect()))
}

fn keyed<'a>(
    source: &str,
    index: usize,
    item: &'a Value,
    field: &str,
) -> Result<(&'a Map<String, Value>, Key<'a>), ErrorInfo> {
    let object = item
        .as_object()
        .ok_or_else(|| shape(format!("item {index} of source `{source}` is {}; expected an object", kind(item))))?;
    match object.get(field) {
        Some(key @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => Ok((object, Key(key))),
        other => {
            let came = other.map_or("missing".to_owned(), kind);
            let message =
                format!("`{field}` of item {index} of source `{source}` is {came}; expected a text or a number");
            Err(shape(message))
        }
    }
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "if": { "required": ["mode"], "properties": { "mode": { "const": "join_by_key" } } },
        "then": { "required": ["key"] },
        "properties": {
            "mode": {
                "x-order": 1,
                "x-widget": "select",
                "title": "Mode",
                "description": "How the sources become one value.",
                "enum": MODES,
                "default": "object",
            },
            "key": {
                "x-order": 2,
                "title": "Key",
                "description": "For `join_by_key`: the field whose value objects of several sources share.",
                "type": "string",
                "minLength": 1,
            },
            "order": {
                "x-order": 3,
                "title": "Order",
                "description": "Keys of nodes that come first, in this order; the others follow by their keys.",
                "type": "array",
                "items": { "type": "string" },
            },
        },
    })
}

#[cfg(test)]
mod tests;

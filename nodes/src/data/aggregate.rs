//! `data.aggregate`: sums up a list.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use serde_json::{Map, Value, json};

use self::accumulator::{Accumulator, Op};
use super::order::OwnedKey;
use crate::config::{Config, invalid, missing};
use crate::deferred::{Deferred, Evaluation, breathe};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

mod accumulator;

/// Sums up a list, as a whole or by groups.
pub(crate) struct Aggregate;

const DOCS: &str = "\
Computes values over a list: one object over all items, or with `group_by` a list of objects `{group, …values}`, one
per distinct value of that expression. Groups are sorted: null, false, true, numbers by worth, texts by code points,
lists, objects; 1 and 1.0 are one group.

Each of `values` has an operation `op` and an expression `of` that is evaluated per item as `item`, with its place as
`index`:

| op | gives | of no values |
|---|---|---|
| `count` | how many items; with `of`, how many values | 0 |
| `count_distinct` | how many different values | 0 |
| `sum` | exact over integers that fit 64 bits, else a double | null |
| `avg` | the sum by the count | null |
| `min`, `max` | the least or greatest of numbers, or of texts | null |
| `first`, `last` | by the order of the list | null |
| `list` | all values in order | `[]` |

Null is no value: every operation passes over it, as SQL does.

```yaml
type: data.aggregate@1
config:
  items: '{{ input.rows }}'
  group_by: '{{ item.country }}'
  values:
    cities: { op: count }
    people: { op: sum, of: '{{ item.population }}' }
    largest: { op: max, of: '{{ item.population }}' }
```

gives `[{\"group\": \"Austria\", \"cities\": 5, \"largest\": 1973403, \"people\": 2900000}, …]`.";

#[async_trait]
impl NodeType for Aggregate {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Aggregate",
            summary: "Counts, sums and groups the items of a list.",
            docs: DOCS,
            icon: "sigma",
            translations: &[crate::german::data::AGGREGATE],
            aliases: &["group by", "sum", "count", "average", "summarize", "pivot", "statistics", "reduce", "distinct"],
            config_schema: config_schema(),
            for_each: true,
            ..NodeDescriptor::new("data.aggregate", 1, NodeCategory::Data)
        }
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
        let group_by = config.value("group_by").map(|value| Deferred::compile("group_by", value)).transpose()?;
        let columns = columns(&config, group_by.is_some())?;
        let mut evaluation = Evaluation::new(context, items.len().saturating_mul(columns.len() + 1));
        let mut groups: BTreeMap<OwnedKey, Vec<Accumulator>> = BTreeMap::new();
        let fresh = || columns.iter().map(|column| Accumulator::new(column.op)).collect::<Vec<_>>();
        if group_by.is_none() {
            groups.insert(OwnedKey(Value::Null), fresh());
        }
        for (index, item) in items.iter().enumerate() {
            breathe(index).await;
            let group = match &group_by {
                Some(group_by) => evaluation.of(group_by, item, index)?,
                None => Value::Null,
            };
            let accumulators = groups.entry(OwnedKey(group)).or_insert_with(fresh);
            for (column, accumulator) in columns.iter().zip(accumulators) {
                let value = match &column.of {
                    Some(of) => evaluation.of(of, item, index)?,
                    // Only `count` goes without: any value but null counts the item.
                    None => Value::Bool(true),
                };
                accumulator.add(value).map_err(|error| error.at(column.name, index))?;
            }
        }
        let mut rows = Vec::with_capacity(groups.len());
        for (OwnedKey(group), accumulators) in groups {
            let mut row = Map::new();
            if group_by.is_some() {
                row.insert("group".to_owned(), group);
            }
            for (column, accumulator) in columns.iter().zip(accumulators) {
                let value = accumulator.finish().map_err(|error| error.at_end(column.name))?;
                row.insert(column.name.to_owned(), value);
            }
            rows.push(Value::Object(row));
        }
        let output = if group_by.is_some() { Value::Array(rows) } else { rows.pop().unwrap_or(Value::Null) };
        Ok(done(output))
    }
}

/// One of `values`.
struct Column<'a> {
    name: &'a str,
    op: Op,
    of: Option<Deferred>,
}

fn columns<'a>(config: &Config<'a>, grouped: bool) -> Result<Vec<Column<'a>>, ErrorInfo> {
    let values = config.object("values")?.ok_or_else(|| missing("values", "an object of names and operations"))?;
    let mut columns = Vec::with_capacity(values.len());
    for (name, value) in values {
        let field = format!("values.{name}");
        if grouped && name == "group" {
            let message = "config.values.group is not possible with config.group_by: the group stands there";
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
        let entry = value.as_object().ok_or_else(|| invalid(&field, value, "an object with `op` and `of`"))?;
        let op = entry.get("op").unwrap_or(&Value::Null);
        let op = op.as_str().and_then(Op::of_name).ok_or_else(|| {
            invalid(&format!("{field}.op"), op, &format!("one of {}, as a constant", Op::NAMES.join(", ")))
        })?;
        let of_field = format!("{field}.of");
        let of = entry.get("of").map(|of| Deferred::compile(&of_field, of)).transpose()?;
        if of.is_none() && op != Op::Count {
            return Err(missing(&of_field, "an expression; only `count` goes without"));
        }
        columns.push(Column { name, op, of });
    }
    Ok(columns)
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["values"],
        "properties": {
            "items": {
                "x-order": 1,
                "x-widget": "expression",
                "title": "Items",
                "description": "The list to sum up; the node's input when absent.",
                "type": "array",
                "default": "{{ input }}",
            },
            "group_by": {
                "x-order": 2,
                "x-widget": "expression",
                "title": "Group by",
                "description": "Evaluated once per item, as `item` with its place `index`; items with equal values \
                                form a group. All items are one group when absent.",
                "x-deferred": true,
                "x-item-of": "items",
            },
            "values": {
                "x-order": 3,
                "x-widget": "key-value",
                "title": "Values",
                "description": "What to compute, by the names the results shall have.",
                "type": "object",
                "x-deferred": true,
                "x-item-of": "items",
                "additionalProperties": {
                    "title": "Value",
                    "description": "One result: an operation and what it is taken of.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["op"],
                    "if": { "not": { "properties": { "op": { "const": "count" } } } },
                    "then": { "required": ["of"] },
                    "properties": {
                        "op": {
                            "x-order": 1,
                            "title": "Operation",
                            "description": "How the values of the items become one. A constant.",
                            "enum": Op::NAMES,
                        },
                        "of": {
                            "x-order": 2,
                            "title": "Of",
                            "description": "Evaluated once per item, as `item` with its place `index`; null is passed \
                                            over. `count` without it counts items.",
                        },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests;

//! The language of `{{ … }}`, as the table beside this file, the guide and hostile inputs see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use engine::expression::{
    Budget, DEFAULT_BYTES, DEFAULT_STEPS, Expression, ExpressionError, ExpressionErrorCode, Extent, ItemScope,
    MAX_DEPTH, MAX_NESTING, MAX_TOKENS, SOURCE_LIMIT, Scope, Template, functions,
};
use serde_json::{Value, json};

/// The values that the table is about.
struct Names(Value);

impl Scope for Names {
    fn root(&self, name: &str) -> Option<&Value> {
        self.0.get("roots")?.get(name)
    }

    fn node_output(&self, key: &str) -> Option<&Value> {
        self.0.get("nodes")?.get(key)
    }
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    Names(json!({
        "roots": {
            "input": {
                "name": "Ada Lovelace", "email": "ADA@Example.org", "price": 19.99, "qty": 3, "active": true,
                "note": null, "tags": ["new", "vip"], "empty": [], "first name": "Ada", "x-y": 1,
                "items": [
                    { "sku": "A-1", "price": 10, "qty": 2 },
                    { "sku": "B-2", "price": 2.5, "qty": 4 },
                    { "sku": "C-3", "price": 100, "qty": 1 },
                ],
                "address": { "city": "Köln", "zip": "50667" },
                "created_at": "2026-01-31T23:30:00+01:00", "big": 9_007_199_254_740_993_i64,
                "json": "{\"a\":[1,2]}", "count": "42", "template": "{{ 1 + 1 }}",
            },
            "run": { "input": { "order_id": 7 } },
            "trigger": {
                "body": { "event": "paid" },
                "headers": { "content-type": "application/json" },
                "query": { "page": "2" },
            },
            "vars": { "region": "eu", "limit": 5 },
            "item": { "id": 1 },
            "index": 4,
        },
        "nodes": {
            "fetch": { "status": 200, "body": { "users": [{ "name": "Grace" }, { "name": "Alan" }] } },
        },
    }))
});

fn evaluated(source: &str, budget: &mut Budget) -> Result<Value, ExpressionError> {
    Expression::compile(source)?.evaluate(&*NAMES, budget)
}

/// The same with names that stand for no more than what the expression reads of them.
fn evaluated_of_parts(source: &str, budget: &mut Budget) -> Result<Value, ExpressionError> {
    let expression = Expression::compile(source)?;
    let read = |whole: &Value, extents: &BTreeMap<String, Extent>| {
        let names = whole.as_object().into_iter().flatten();
        let nothing = Extent::NOTHING;
        let parts = names.map(|(name, value)| {
            let extent = extents.get(name).unwrap_or(&nothing);
            let read = extent.read(value.to_string().as_bytes());
            (name.clone(), read.unwrap_or_else(|error| json!(error.to_string())))
        });
        Value::Object(parts.collect())
    };
    let references = expression.references();
    let parts = Names(json!({
        "roots": read(&NAMES.0["roots"], &references.roots),
        "nodes": read(&NAMES.0["nodes"], &references.nodes),
    }));
    expression.evaluate(&parts, budget)
}

fn rendered(template: Value) -> Result<Value, ExpressionError> {
    Template::compile(&template)?.render(&*NAMES, &mut Budget::default())
}

/// Lines of the table: where, expression, expectation.
fn table() -> impl Iterator<Item = (usize, &'static str, &'static str)> {
    let lines = include_str!("expressions.tsv").lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(index, line)| {
        let (source, expected) = line.split_once('\t').unwrap_or((line, "nothing: the tab is missing"));
        (index + 1, source, expected)
    })
}

mod check;
mod limit;
mod property;
mod table;
mod template;

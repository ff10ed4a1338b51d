//! Objects. Their keys are always sorted.

use serde_json::{Map, Value, json};

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::value::{CELL, Val, View};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("keys", "object", keys, "Its keys, sorted."),
    function("values", "object", values, "Its values, in the order of their keys."),
    function("entries", "object", entries, "A list of `{\"key\": …, \"value\": …}`, in the order of the keys."),
    function("fromEntries", "list", from_entries, "The object of such a list; a later key wins."),
    function(
        "merge",
        "object, …",
        merge,
        "One object with the members of all; a later one wins, null counts as empty.",
    ),
    function("pick", "object, keys", pick, "Only the members with these keys."),
    function("omit", "object, keys", omit, "Without the members with these keys."),
];

fn object(arguments: &mut Arguments<'_>, index: usize, budget: &mut Budget) -> Result<Map<String, Value>, Fault> {
    if !matches!(arguments.get(index).map(Val::view), Some(View::Object(_))) {
        return Err(arguments.unfit(index, "an object"));
    }
    match arguments.take(index).into_value(budget)? {
        Value::Object(object) => Ok(object),
        _ => Ok(Map::new()),
    }
}

fn keys<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let Some(View::Object(object)) = arguments.get(0).map(Val::view) else {
        return Err(arguments.unfit(0, "an object"));
    };
    let mut keys = Vec::with_capacity(object.len());
    for key in object.keys() {
        keys.push(Val::text(key.clone(), budget)?);
    }
    Val::list(keys, budget)
}

fn values<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let elements = match arguments.take(0) {
        Val::Ref(Value::Object(object)) => object.values().map(Val::Ref).collect(),
        Val::Owned(Value::Object(object)) => object.into_iter().map(|(_, value)| Val::Owned(value)).collect(),
        other => {
            let came = other.type_name();
            return Err(Fault::argument(format!("`values` wants an object, not {came}")));
        }
    };
    Val::list(elements, budget)
}

fn entries<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let object = object(&mut arguments, 0, budget)?;
    budget.bytes(object.len() * 2 * CELL)?;
    let entries = object.into_iter().map(|(key, value)| Val::Owned(json!({ "key": key, "value": value })));
    Val::list(entries.collect(), budget)
}

fn from_entries<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let mut object = Map::new();
    for entry in arguments.elements(0, budget)? {
        let mut entry = match entry.into_value(budget)? {
            Value::Object(entry) => entry,
            _ => Map::new(),
        };
        match (entry.remove("key"), entry.remove("value")) {
            (Some(Value::String(key)), value) => object.insert(key, value.unwrap_or_default()),
            _ => return Err(Fault::argument("an entry is an object with a text as `key` and a `value`")),
        };
    }
    Ok(Val::Owned(Value::Object(object)))
}

fn merge<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let mut merged = Map::new();
    for index in 0..arguments.values.len() {
        if arguments.get(index).is_some_and(Val::is_null) {
            continue;
        }
        merged.extend(object(&mut arguments, index, budget)?);
    }
    Ok(Val::Owned(Value::Object(merged)))
}

/// Argument 1 as a set of keys.
fn wanted(arguments: &mut Arguments<'_>, budget: &mut Budget) -> Result<Vec<String>, Fault> {
    let mut wanted = Vec::new();
    for key in arguments.elements(1, budget)? {
        let Some(key) = key.as_text() else {
            return Err(Fault::argument(format!("a key is text, not {}", key.type_name())));
        };
        budget.bytes(key.len())?;
        wanted.push(key.to_owned());
    }
    Ok(wanted)
}

fn pick<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let wanted = wanted(&mut arguments, budget)?;
    let mut object = object(&mut arguments, 0, budget)?;
    let picked = wanted.into_iter().filter_map(|key| object.remove(&key).map(|value| (key, value)));
    Ok(Val::Owned(Value::Object(picked.collect())))
}

fn omit<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let wanted = wanted(&mut arguments, budget)?;
    let mut object = object(&mut arguments, 0, budget)?;
    for key in &wanted {
        object.remove(key);
    }
    Ok(Val::Owned(Value::Object(object)))
}

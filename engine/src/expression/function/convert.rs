//! Types, and from one to another.

use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::number::Num;
use super::super::value::{Val, View, write_text};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("size", "value", size, "Characters of a text, elements of a list, members of an object."),
    function("isEmpty", "value", is_empty, "Whether it is null, an empty text, an empty list or an empty object."),
    function("type", "value", type_of, "`null`, `boolean`, `number`, `string`, `list` or `object`."),
    function("string", "value", string, "The text that the value becomes inside text; nothing for null."),
    function("number", "value", number, "The number that a text, a number or a boolean stands for."),
    function("double", "value", number, "The same as `number`."),
    function("int", "value", int, "The same, cut to an integer toward zero."),
    function("bool", "value", boolean, "The boolean that `true`, `false`, 1 or 0 stands for, as text or not."),
];

fn size<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match arguments.get(0).map(Val::view) {
        Some(View::Text(text)) => {
            budget.reading(text.len())?;
            Ok(Val::from(text.chars().count()))
        }
        Some(View::Array(elements)) => Ok(Val::from(elements.len())),
        Some(View::List(elements)) => Ok(Val::from(elements.len())),
        Some(View::Object(object)) => Ok(Val::from(object.len())),
        _ => Err(arguments.unfit(0, "text, a list or an object")),
    }
}

fn is_empty<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    Ok(Val::from(match arguments.get(0).map(Val::view) {
        Some(View::Null) | None => true,
        Some(View::Text(text)) => text.is_empty(),
        Some(View::Array(elements)) => elements.is_empty(),
        Some(View::List(elements)) => elements.is_empty(),
        Some(View::Object(object)) => object.is_empty(),
        Some(View::Bool(_) | View::Number(_)) => false,
    }))
}

fn type_of<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    Val::text(arguments.get(0).map_or("null", Val::type_name).to_owned(), budget)
}

fn string<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let value = arguments.take(0);
    if value.as_text().is_some() {
        return Ok(value);
    }
    let mut text = String::new();
    write_text(&mut text, &value, budget)?;
    Ok(Val::Owned(Value::String(text)))
}

/// A decimal number; the words for infinity and none that Rust also reads are no numbers here.
fn parsed(text: &str) -> Option<Num> {
    let text = text.trim();
    if let Ok(integer) = text.parse() {
        return Some(Num::Int(integer));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Num::Float)
}

fn as_number(arguments: &Arguments<'_>, budget: &mut Budget) -> Result<Num, Fault> {
    match arguments.get(0).map(Val::view) {
        Some(View::Number(number)) => Ok(number),
        Some(View::Bool(value)) => Ok(Num::Int(i64::from(value))),
        Some(View::Text(text)) => {
            budget.reading(text.len())?;
            parsed(text).ok_or_else(|| Fault::argument("the text is no number"))
        }
        _ => Err(arguments.unfit(0, "a number, text or a boolean")),
    }
}

fn number<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    as_number(&arguments, budget)?.into_value().map(Val::Owned)
}

fn int<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let whole = match as_number(&arguments, budget)? {
        Num::Float(float) => Num::Float(float.trunc()),
        integer @ Num::Int(_) => integer,
    };
    whole.into_value().map(Val::Owned)
}

fn boolean<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    let value = match arguments.get(0).map(Val::view) {
        Some(View::Bool(value)) => Some(value),
        Some(View::Text("true" | "1")) | Some(View::Number(Num::Int(1))) => Some(true),
        Some(View::Text("false" | "0")) | Some(View::Number(Num::Int(0))) => Some(false),
        _ => None,
    };
    value.map(Val::from).ok_or_else(|| arguments.unfit(0, "true, false, 1 or 0"))
}

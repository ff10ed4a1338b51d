//! Lists. Elements of the scope are passed on without a copy.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::value::{CELL, Val, View, write_text};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("first", "list", first, "The first element, null of none."),
    function("last", "list", last, "The last element, null of none."),
    function(
        "slice",
        "list, start, end?",
        slice,
        "The elements from `start` up to before `end`; negative places count from the end.",
    ),
    function("sort", "list", sort, "The numbers, texts or booleans in order, null last."),
    function("reverse", "value", reverse, "The list or the text from its end."),
    function("distinct", "list", distinct, "Each element once, at its first place; 1 and 1.0 are one."),
    function("flatten", "list, depth?", flatten, "With lists inside it opened, one level deep unless more is given."),
    function("chunk", "list, size", chunk, "The elements in lists of at most this size."),
    function(
        "range",
        "start, end?, step?",
        range,
        "The integers from 0 up to before the one argument, or from `start` up to before `end`.",
    ),
];

fn first<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    Ok(arguments.elements(0, budget)?.into_iter().next().unwrap_or(Val::NULL))
}

fn last<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    Ok(arguments.elements(0, budget)?.pop().unwrap_or(Val::NULL))
}

/// A place that may count from the end, cut to what is there.
fn place(at: i64, len: usize) -> usize {
    let magnitude = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
    if at < 0 { len.saturating_sub(magnitude) } else { magnitude.min(len) }
}

fn slice<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (start, end) = (arguments.integer(1)?, arguments.integer_or(2, i64::MAX)?);
    let elements = arguments.elements(0, budget)?;
    let (start, end) = (place(start, elements.len()), place(end, elements.len()));
    Val::list(elements.into_iter().take(end).skip(start).collect(), budget)
}

fn sort<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let mut elements = arguments.elements(0, budget)?;
    charge_sort(&elements, |element| element, budget)?;
    elements.sort_by(order);
    Val::list(elements, budget)
}

/// The elements in the order of their keys.
pub(in super::super) fn sort_by_keys<'a>(
    mut keyed: Vec<(Val<'a>, Val<'a>)>,
    budget: &mut Budget,
) -> Result<Vec<Val<'a>>, Fault> {
    charge_sort(&keyed, |(key, _)| key, budget)?;
    keyed.sort_by(|(left, _), (right, _)| order(left, right));
    Ok(keyed.into_iter().map(|(_, element)| element).collect())
}

/// Refuses keys without a common order, and takes the steps of comparing them.
fn charge_sort<'v, 'a: 'v, T>(
    items: &'v [T],
    key: impl Fn(&'v T) -> &'v Val<'a>,
    budget: &mut Budget,
) -> Result<(), Fault> {
    let mut type_name = "null";
    let mut read = items.len();
    for item in items {
        let key = key(item);
        match (type_name, key.type_name()) {
            (_, "null") => {}
            (known, came) if known == came => {}
            ("null", came @ ("number" | "string" | "boolean")) => type_name = came,
            (known, came) => {
                let message = match known {
                    "null" => {
                        format!("a {came} has no order; sort by a number or a text in it, as in sortBy(x, x.name)")
                    }
                    known => format!("a {known} and a {came} have no common order"),
                };
                return Err(Fault::argument(message));
            }
        }
        read += key.as_text().map_or(0, |text| text.len() / 64);
    }
    let rounds = usize::BITS - items.len().leading_zeros();
    budget.steps((read as u64).saturating_mul(u64::from(rounds)))
}

fn order(left: &Val<'_>, right: &Val<'_>) -> Ordering {
    match (left.view(), right.view()) {
        (View::Number(left), View::Number(right)) => left.compare(right),
        (View::Text(left), View::Text(right)) => left.cmp(right),
        (View::Bool(left), View::Bool(right)) => left.cmp(&right),
        (View::Null, View::Null) => Ordering::Equal,
        (View::Null, _) => Ordering::Greater,
        (_, View::Null) => Ordering::Less,
        // Refused before sorting.
        _ => Ordering::Equal,
    }
}

/// The text that a group goes by.
pub(in super::super) fn group_key(key: &Val<'_>, budget: &mut Budget) -> Result<String, Fault> {
    match key.view() {
        View::Text(_) | View::Number(_) | View::Bool(_) => {
            let mut text = String::new();
            write_text(&mut text, key, budget)?;
            Ok(text)
        }
        View::Null => Err(Fault::argument("a group has a name; x.key.orValue(\"none\") gives one to what has no key")),
        _ => {
            Err(Fault::argument(format!("a group goes by a text, a number or a boolean, not by a {}", key.type_name())))
        }
    }
}

fn reverse<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    if let Some(text) = arguments.get(0).and_then(Val::as_text) {
        budget.reading(text.len())?;
        return Val::text(text.chars().rev().collect(), budget);
    }
    let mut elements = arguments.elements(0, budget)?;
    elements.reverse();
    Val::list(elements, budget)
}

fn distinct<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let elements = arguments.elements(0, budget)?;
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for element in elements {
        let mut identity = String::new();
        write_identity(&mut identity, &element, budget)?;
        if seen.insert(identity) {
            kept.push(element);
        }
    }
    Val::list(kept, budget)
}

/// A text that two values share exactly when they are equal.
fn write_identity(out: &mut String, value: &Val<'_>, budget: &mut Budget) -> Result<(), Fault> {
    budget.steps(1)?;
    let before = out.len();
    match value.view() {
        View::Null => out.push('n'),
        View::Bool(value) => out.push(if value { 't' } else { 'f' }),
        View::Number(number) => match number.as_integer() {
            Some(integer) => out.push_str(&format!("i{integer};")),
            None => out.push_str(&format!("d{:x};", number.as_f64().to_bits())),
        },
        View::Text(text) => {
            budget.bytes(text.len())?;
            out.push_str(&format!("s{}:{text}", text.len()));
            return Ok(());
        }
        View::Array(elements) => {
            out.push_str(&format!("[{}:", elements.len()));
            for element in elements {
                write_identity(out, &Val::Ref(element), budget)?;
            }
            return Ok(());
        }
        View::List(elements) => {
            out.push_str(&format!("[{}:", elements.len()));
            for element in elements {
                write_identity(out, element, budget)?;
            }
            return Ok(());
        }
        View::Object(object) => {
            out.push_str(&format!("{{{}:", object.len()));
            for (key, value) in object {
                budget.bytes(key.len())?;
                out.push_str(&format!("s{}:{key}", key.len()));
                write_identity(out, &Val::Ref(value), budget)?;
            }
            return Ok(());
        }
    }
    budget.bytes(out.len() - before)
}

fn flatten<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    fn open<'a>(list: Vec<Val<'a>>, depth: i64, out: &mut Vec<Val<'a>>, budget: &mut Budget) -> Result<(), Fault> {
        for element in list {
            budget.steps(1)?;
            if depth > 0 && element.is_list() {
                let inner = element.into_elements(budget)?.unwrap_or_default();
                open(inner, depth - 1, out, budget)?;
            } else {
                out.push(element);
            }
        }
        Ok(())
    }
    let depth = arguments.integer_or(1, 1)?;
    let elements = arguments.elements(0, budget)?;
    let mut out = Vec::new();
    open(elements, depth, &mut out, budget)?;
    Val::list(out, budget)
}

fn chunk<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let Some(size) = usize::try_from(arguments.integer(1)?).ok().filter(|size| *size > 0) else {
        return Err(Fault::argument("`chunk` wants a size of at least 1"));
    };
    let mut rest = arguments.elements(0, budget)?.into_iter();
    let mut chunks = Vec::new();
    loop {
        let chunk: Vec<_> = rest.by_ref().take(size).collect();
        if chunk.is_empty() {
            return Val::list(chunks, budget);
        }
        chunks.push(Val::list(chunk, budget)?);
    }
}

fn range<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let one = arguments.integer(0)?;
    let (start, end) = if arguments.values.len() == 1 { (0, one) } else { (one, arguments.integer(1)?) };
    let step = arguments.integer_or(2, 1)?;
    if step == 0 {
        return Err(Fault::argument("`range` wants a step that is not 0"));
    }
    let (start, end, step) = (i128::from(start), i128::from(end), i128::from(step));
    let span = if step > 0 { end - start } else { start - end };
    let count = if span <= 0 { 0 } else { (span - 1) / step.abs() + 1 };
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    budget.steps(count)?;
    budget.bytes(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(CELL))?;
    let integers = (0..i128::from(count)).filter_map(|index| i64::try_from(start + index * step).ok());
    Ok(Val::List(integers.map(|integer| Val::Owned(Value::from(integer))).collect()))
}

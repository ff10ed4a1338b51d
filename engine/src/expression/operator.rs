//! What the operators do.

use std::cmp::Ordering;

use super::budget::Budget;
use super::error::Fault;
use super::tree::Operator;
use super::value::{Val, View, compare, equal, write_text};

/// `left operator right`, both already evaluated.
pub(super) fn apply<'a>(
    operator: Operator,
    left: Val<'a>,
    right: Val<'a>,
    budget: &mut Budget,
) -> Result<Val<'a>, Fault> {
    let ordered = |accept: fn(Ordering) -> bool, budget: &mut Budget| match compare(&left, &right, budget)? {
        Some(ordering) => Ok(Val::from(accept(ordering))),
        None => Err(mismatch("compared", &left, &right)),
    };
    match operator {
        Operator::Add => add(left, right, budget),
        Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Modulo => {
            arithmetic(operator, &left, &right)
        }
        Operator::Equal => equal(&left, &right, budget).map(Val::from),
        Operator::NotEqual => equal(&left, &right, budget).map(|equal| Val::from(!equal)),
        Operator::Less => ordered(Ordering::is_lt, budget),
        Operator::LessOrEqual => ordered(Ordering::is_le, budget),
        Operator::Greater => ordered(Ordering::is_gt, budget),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge, budget),
        Operator::In => contained(&left, &right, budget).map(Val::from),
    }
}

fn arithmetic<'a>(operator: Operator, left: &Val<'_>, right: &Val<'_>) -> Result<Val<'a>, Fault> {
    let (Some(first), Some(second)) = (left.as_num(), right.as_num()) else {
        let verb = match operator {
            Operator::Subtract => "subtracted",
            Operator::Multiply => "multiplied",
            _ => "divided",
        };
        return Err(mismatch(verb, left, right));
    };
    match operator {
        Operator::Subtract => first.minus(second),
        Operator::Multiply => first.times(second),
        Operator::Divide => first.divided_by(second),
        _ => first.modulo(second),
    }
    .map(Val::Owned)
}

/// Numbers add up, lists are joined, and text takes anything.
fn add<'a>(left: Val<'a>, right: Val<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    if let (Some(left), Some(right)) = (left.as_num(), right.as_num()) {
        return left.plus(right).map(Val::Owned);
    }
    if left.as_text().is_some() || right.as_text().is_some() {
        return concatenated(left, &right, budget);
    }
    if left.is_list() && right.is_list() {
        let mut elements = left.into_elements(budget)?.unwrap_or_default();
        elements.extend(right.into_elements(budget)?.unwrap_or_default());
        return Val::list(elements, budget);
    }
    if matches!((left.view(), right.view()), (View::Object(_), View::Object(_))) {
        return Err(Fault::mistyped("objects cannot be added; write merge(a, b)"));
    }
    Err(mismatch("added", &left, &right))
}

/// Text made by an earlier `+` grows in place, so that a chain of them copies each part once.
fn concatenated<'a>(left: Val<'a>, right: &Val<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let mut text = match left {
        Val::Owned(serde_json::Value::String(text)) => text,
        other => {
            let mut text = String::new();
            write_text(&mut text, &other, budget)?;
            text
        }
    };
    write_text(&mut text, right, budget)?;
    Ok(Val::Owned(serde_json::Value::String(text)))
}

/// `left in right`: an element of a list, or a key of an object.
pub(super) fn contained(left: &Val<'_>, right: &Val<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    match right.view() {
        View::Array(elements) => {
            for element in elements {
                if equal(left, &Val::Ref(element), budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        View::List(elements) => {
            for element in elements {
                if equal(left, element, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        View::Object(object) => match left.as_text() {
            Some(key) => Ok(object.contains_key(key)),
            None => Err(Fault::mistyped(format!("`in` looks for a text among keys, not for a {}", left.type_name()))),
        },
        View::Text(_) => Err(Fault::mistyped("`in` does not look into text; write text.contains(part)")),
        _ => Err(Fault::mistyped(format!(
            "`in` looks into a list or an object, not into {}{}",
            right.type_name(),
            null_hint(right)
        ))),
    }
}

fn null_hint(value: &Val<'_>) -> &'static str {
    if value.is_null() { "; a missing member is null, and x.orValue(y) gives it a default" } else { "" }
}

fn mismatch(verb: &str, left: &Val<'_>, right: &Val<'_>) -> Fault {
    let hint = if left.is_null() { null_hint(left) } else { null_hint(right) };
    Fault::mistyped(format!("{} and {} cannot be {verb}{hint}", left.type_name(), right.type_name()))
}

//! Values on the way: borrowed from the scope as long as possible, owned once something was made of them.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::budget::Budget;
use super::error::{ExpressionErrorCode, Fault};
use super::number::{self, Num};

/// Deepest value an expression hands on. JSON readers, ours included, refuse more than 128.
pub(super) const MAX_VALUE_DEPTH: usize = 100;
/// Bytes charged for each element, entry or scalar beside its text: what it takes in memory.
pub(super) const CELL: usize = 32;

/// A value during evaluation. A list of [`Val`] lets filter, map and sort pass large elements on without copying them.
#[derive(Debug)]
pub(super) enum Val<'a> {
    Ref(&'a Value),
    Owned(Value),
    List(Vec<Val<'a>>),
}

/// A look at a value, whatever holds it.
pub(super) enum View<'v, 'a> {
    Null,
    Bool(bool),
    Number(Num),
    Text(&'v str),
    Array(&'v [Value]),
    List(&'v [Val<'a>]),
    Object(&'v Map<String, Value>),
}

fn view_of<'v, 'a>(value: &'v Value) -> View<'v, 'a> {
    match value {
        Value::Null => View::Null,
        Value::Bool(value) => View::Bool(*value),
        Value::Number(number) => View::Number(Num::of(number)),
        Value::String(text) => View::Text(text),
        Value::Array(elements) => View::Array(elements),
        Value::Object(object) => View::Object(object),
    }
}

impl From<bool> for Val<'_> {
    fn from(value: bool) -> Self {
        Self::Owned(Value::Bool(value))
    }
}

impl From<usize> for Val<'_> {
    fn from(value: usize) -> Self {
        Self::Owned(Value::from(value))
    }
}

impl<'a> Val<'a> {
    pub(super) const NULL: Self = Self::Owned(Value::Null);

    /// New text, charged.
    pub(super) fn text(text: String, budget: &mut Budget) -> Result<Self, Fault> {
        budget.bytes(text.len() + CELL)?;
        Ok(Self::Owned(Value::String(text)))
    }

    /// A new list, charged for its cells.
    pub(super) fn list(elements: Vec<Self>, budget: &mut Budget) -> Result<Self, Fault> {
        budget.items(elements.len())?;
        budget.bytes(elements.len() * CELL)?;
        Ok(Self::List(elements))
    }

    pub(super) fn view(&self) -> View<'_, 'a> {
        match self {
            Self::Ref(value) => view_of(value),
            Self::Owned(value) => view_of(value),
            Self::List(elements) => View::List(elements),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Ref(Value::Null) | Self::Owned(Value::Null))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Ref(Value::String(text)) => Some(text),
            Self::Owned(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_num(&self) -> Option<Num> {
        match self {
            Self::Ref(Value::Number(number)) => Some(Num::of(number)),
            Self::Owned(Value::Number(number)) => Some(Num::of(number)),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Ref(Value::Bool(value)) => Some(*value),
            Self::Owned(Value::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// The word for its type, as `type(x)` gives it and messages name it.
    pub(super) fn type_name(&self) -> &'static str {
        match self.view() {
            View::Null => "null",
            View::Bool(_) => "boolean",
            View::Number(_) => "number",
            View::Text(_) => "string",
            View::Array(_) | View::List(_) => "list",
            View::Object(_) => "object",
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.view(), View::Array(_) | View::List(_))
    }

    /// The elements of a list; elements of the scope stay borrowed. `None` when it is no list.
    pub(super) fn into_elements(self, budget: &mut Budget) -> Result<Option<Vec<Val<'a>>>, Fault> {
        let elements: Vec<Val<'a>> = match self {
            Self::Ref(Value::Array(elements)) => {
                budget.items(elements.len())?;
                elements.iter().map(Val::Ref).collect()
            }
            Self::Owned(Value::Array(elements)) => {
                budget.items(elements.len())?;
                elements.into_iter().map(Val::Owned).collect()
            }
            Self::List(elements) => elements,
            Self::Ref(_) | Self::Owned(_) => return Ok(None),
        };
        Ok(Some(elements))
    }

    /// A copy for a name that is read again. What the scope holds is not copied.
    pub(super) fn copied(&self, budget: &mut Budget) -> Result<Val<'a>, Fault> {
        budget.steps(1)?;
        match self {
            Self::Ref(value) => Ok(Self::Ref(value)),
            Self::Owned(value) => {
                charge(value, budget, 0)?;
                Ok(Self::Owned(value.clone()))
            }
            Self::List(elements) => {
                budget.bytes(elements.len() * CELL)?;
                let copies = elements.iter().map(|element| element.copied(budget));
                Ok(Self::List(copies.collect::<Result<_, _>>()?))
            }
        }
    }

    /// The JSON value; only now is what the scope holds copied.
    pub(super) fn into_value(self, budget: &mut Budget) -> Result<Value, Fault> {
        self.into_value_below(budget, 0)
    }

    fn into_value_below(self, budget: &mut Budget, depth: usize) -> Result<Value, Fault> {
        match self {
            Self::Ref(value) => {
                charge(value, budget, depth)?;
                Ok(value.clone())
            }
            Self::Owned(value) => Ok(value),
            Self::List(elements) => {
                check_depth(depth)?;
                budget.items(elements.len())?;
                let values = elements.into_iter().map(|element| element.into_value_below(budget, depth + 1));
                Ok(Value::Array(values.collect::<Result<_, _>>()?))
            }
        }
    }
}

fn check_depth(depth: usize) -> Result<(), Fault> {
    if depth > MAX_VALUE_DEPTH {
        let message = format!("the value is nested more than {MAX_VALUE_DEPTH} deep");
        return Err(Fault::new(ExpressionErrorCode::TooDeep, message));
    }
    Ok(())
}

/// Charges a copy of `value`, and refuses one too deep to be written and read again.
pub(super) fn charge(value: &Value, budget: &mut Budget, depth: usize) -> Result<(), Fault> {
    each_part(value, depth, &mut |bytes| {
        budget.steps(1)?;
        budget.bytes(bytes)
    })
}

/// The same for a value that an expression only names.
pub(super) fn hand_on(value: &Value, budget: &mut Budget) -> Result<(), Fault> {
    each_part(value, 0, &mut |bytes| budget.handing_on(bytes))
}

/// Calls `take` with the bytes that a copy of each part occupies: the value itself, and all that is in it.
fn each_part(value: &Value, depth: usize, take: &mut impl FnMut(usize) -> Result<(), Fault>) -> Result<(), Fault> {
    check_depth(depth)?;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => take(CELL),
        Value::String(text) => take(text.len() + CELL),
        Value::Array(elements) => {
            take(CELL)?;
            elements.iter().try_for_each(|element| each_part(element, depth + 1, take))
        }
        Value::Object(object) => {
            take(CELL + object.keys().map(String::len).sum::<usize>())?;
            object.values().try_for_each(|value| each_part(value, depth + 1, take))
        }
    }
}

/// Refuses a value that nests too deeply; for what was made of owned parts.
pub(super) fn check_made(value: &Value, budget: &mut Budget) -> Result<(), Fault> {
    fn below(value: &Value, budget: &mut Budget, depth: usize) -> Result<(), Fault> {
        check_depth(depth)?;
        match value {
            Value::Array(elements) => {
                budget.items(elements.len())?;
                elements.iter().try_for_each(|element| below(element, budget, depth + 1))
            }
            Value::Object(object) => {
                budget.items(object.len())?;
                object.values().try_for_each(|value| below(value, budget, depth + 1))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }
    below(value, budget, 0)
}

/// Deep equality over JSON; 1 equals 1.0.
pub(super) fn equal(left: &Val<'_>, right: &Val<'_>, budget: &mut Budget) -> Result<bool, Fault> {
    budget.steps(1)?;
    Ok(match (left.view(), right.view()) {
        (View::Array(left), View::Array(right)) => return equal_arrays(left, right, budget),
        (View::Array(values), View::List(elements)) | (View::List(elements), View::Array(values)) => {
            if values.len() != elements.len() {
                return Ok(false);
            }
            for (value, element) in values.iter().zip(elements) {
                if !equal(&Val::Ref(value), element, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (View::List(left), View::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if !equal(left, right, budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (View::Object(left), View::Object(right)) => return equal_objects(left, right, budget),
        (View::Null, View::Null) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Number(left), View::Number(right)) => left.compare(right) == Ordering::Equal,
        (View::Text(left), View::Text(right)) => {
            budget.reading(left.len().min(right.len()))?;
            left == right
        }
        _ => false,
    })
}

fn equal_arrays(left: &[Value], right: &[Value], budget: &mut Budget) -> Result<bool, Fault> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right) {
        if !equal(&Val::Ref(left), &Val::Ref(right), budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_objects(left: &Map<String, Value>, right: &Map<String, Value>, budget: &mut Budget) -> Result<bool, Fault> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for ((left_key, left), (right_key, right)) in left.iter().zip(right) {
        budget.reading(left_key.len().min(right_key.len()))?;
        if left_key != right_key || !equal(&Val::Ref(left), &Val::Ref(right), budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers, two texts (by code point) or two booleans; `None` for anything else.
pub(super) fn compare(left: &Val<'_>, right: &Val<'_>, budget: &mut Budget) -> Result<Option<Ordering>, Fault> {
    Ok(match (left.view(), right.view()) {
        (View::Number(left), View::Number(right)) => Some(left.compare(right)),
        (View::Text(left), View::Text(right)) => {
            budget.reading(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        (View::Bool(left), View::Bool(right)) => Some(left.cmp(&right)),
        _ => None,
    })
}

/// Appends the text that a value becomes inside text: nothing for null, text and numbers as they are, lists and
/// objects as compact JSON.
pub(super) fn write_text(out: &mut String, value: &Val<'_>, budget: &mut Budget) -> Result<(), Fault> {
    match value {
        Val::Ref(value) => write_value(out, value, budget),
        Val::Owned(value) => write_value(out, value, budget),
        Val::List(_) => {
            let json = to_json(value, budget)?;
            out.push_str(&json);
            Ok(())
        }
    }
}

fn write_value(out: &mut String, value: &Value, budget: &mut Budget) -> Result<(), Fault> {
    let before = out.len();
    match value {
        Value::Null => {}
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number::to_text(number)),
        Value::String(text) => {
            budget.bytes(text.len())?;
            budget.reading(text.len())?;
            out.push_str(text);
            return Ok(());
        }
        Value::Array(_) | Value::Object(_) => out.push_str(&to_json(&Val::Ref(value), budget)?),
    }
    budget.bytes(out.len() - before)
}

/// Compact JSON with sorted keys.
pub(super) fn to_json(value: &Val<'_>, budget: &mut Budget) -> Result<String, Fault> {
    match value {
        Val::Ref(value) => json_of(value, budget),
        Val::Owned(value) => json_of(value, budget),
        Val::List(elements) => {
            let mut out = String::from("[");
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                budget.bytes(1)?;
                out.push_str(&to_json(element, budget)?);
            }
            out.push(']');
            Ok(out)
        }
    }
}

/// Charged before it is written, so that nothing large is written in vain. Escapes are charged after.
fn json_of(value: &Value, budget: &mut Budget) -> Result<String, Fault> {
    charge(value, budget, 0)?;
    let json = serde_json::to_string(value).map_err(|_| Fault::argument("the value has no JSON form"))?;
    budget.reading(json.len())?;
    Ok(json)
}

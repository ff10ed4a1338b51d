//! Text. Places count characters (Unicode scalar values) from 0.

use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::value::{Val, View, write_text};
use super::super::{operator, value};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("contains", "value, part", contains, "Whether the text has the part, or the list the element."),
    function("startsWith", "text, part", starts_with, "Whether the text begins with the part."),
    function("endsWith", "text, part", ends_with, "Whether the text ends with the part."),
    function("lower", "text", lower, "In small letters, of any script."),
    function("upper", "text", upper, "In capital letters, of any script."),
    function("lowerAscii", "text", lower_ascii, "The letters A to Z made small, others as they are."),
    function("upperAscii", "text", upper_ascii, "The letters a to z made capital, others as they are."),
    function("trim", "text", trim, "Without blanks at both ends."),
    function(
        "split",
        "text, separator, limit?",
        split,
        "The parts between separators, at most `limit`; every character for an empty separator.",
    ),
    function("join", "list, separator?", join, "The texts of the elements, with the separator between them."),
    function("replace", "text, from, to, limit?", replace, "With each `from` replaced, at most `limit` times."),
    function(
        "substring",
        "text, start, end?",
        substring,
        "The characters from `start` up to before `end`, cut to what is there.",
    ),
    function("charAt", "text, place", char_at, "The character at the place, an empty text beyond the end."),
    function(
        "indexOf",
        "value, part, from?",
        index_of,
        "The first place of the part in a text or of the element in a list, -1 when absent.",
    ),
    function("lastIndexOf", "text, part", last_index_of, "The last place of the part, -1 when absent."),
    function(
        "padStart",
        "text, size, fill?",
        pad_start,
        "Filled up at the start to this many characters, with blanks if nothing else is given.",
    ),
    function("padEnd", "text, size, fill?", pad_end, "The same at the end."),
    function("repeat", "text, times", repeat, "The text this many times."),
];

fn contains<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match (arguments.get(0), arguments.get(1)) {
        (Some(list), Some(element)) if list.is_list() => operator::contained(element, list, budget).map(Val::from),
        _ => {
            let (text, part) = (arguments.text(0)?, arguments.text(1)?);
            budget.reading(text.len() + part.len())?;
            Ok(Val::from(text.contains(part)))
        }
    }
}

fn starts_with<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, part) = (arguments.text(0)?, arguments.text(1)?);
    budget.reading(part.len())?;
    Ok(Val::from(text.starts_with(part)))
}

fn ends_with<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, part) = (arguments.text(0)?, arguments.text(1)?);
    budget.reading(part.len())?;
    Ok(Val::from(text.ends_with(part)))
}

/// Charges `text` as read before `change` makes another of it.
fn changed<'a>(
    arguments: &Arguments<'a>,
    budget: &mut Budget,
    change: impl Fn(&str) -> String,
) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    budget.reading(text.len())?;
    if budget.bytes_left() < text.len() as u64 {
        budget.bytes(text.len())?;
    }
    Val::text(change(text), budget)
}

fn lower<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    changed(&arguments, budget, str::to_lowercase)
}

fn upper<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    changed(&arguments, budget, str::to_uppercase)
}

fn lower_ascii<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    changed(&arguments, budget, str::to_ascii_lowercase)
}

fn upper_ascii<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    changed(&arguments, budget, str::to_ascii_uppercase)
}

fn trim<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    changed(&arguments, budget, |text| text.trim().to_owned())
}

fn split<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, separator) = (arguments.text(0)?, arguments.text(1)?);
    let limit = usize::try_from(arguments.integer_or(2, i64::MAX)?).unwrap_or(0);
    budget.reading(text.len())?;
    let mut parts = Vec::new();
    if separator.is_empty() {
        for character in text.chars().take(limit) {
            budget.steps(1)?;
            parts.push(Val::text(character.to_string(), budget)?);
        }
    } else if limit > 0 {
        for part in text.splitn(limit, separator) {
            budget.steps(1)?;
            parts.push(Val::text(part.to_owned(), budget)?);
        }
    }
    Val::list(parts, budget)
}

fn join<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let elements = arguments.elements(0, budget)?;
    let separator = arguments.text_or(1, "")?;
    let mut text = String::new();
    for (index, element) in elements.iter().enumerate() {
        budget.steps(1)?;
        if index > 0 {
            budget.bytes(separator.len())?;
            text.push_str(separator);
        }
        write_text(&mut text, element, budget)?;
    }
    Ok(Val::Owned(Value::String(text)))
}

fn replace<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, from, to) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let limit = usize::try_from(arguments.integer_or(3, i64::MAX)?).unwrap_or(0);
    if from.is_empty() {
        return Err(Fault::argument("`replace` wants something to look for"));
    }
    budget.reading(text.len())?;
    let found = text.matches(from).take(limit).count();
    budget.items(found)?;
    budget.bytes(found.saturating_mul(to.len()).saturating_add(text.len()))?;
    Ok(Val::Owned(Value::String(text.replacen(from, to, limit))))
}

fn place(place: i64) -> usize {
    usize::try_from(place).unwrap_or(0)
}

fn substring<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let start = place(arguments.integer(1)?);
    let end = place(arguments.integer_or(2, i64::MAX)?);
    budget.reading(text.len())?;
    Val::text(text.chars().skip(start).take(end.saturating_sub(start)).collect(), budget)
}

fn char_at<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let at = usize::try_from(arguments.integer(1)?).ok();
    budget.reading(text.len())?;
    let character = at.and_then(|at| text.chars().nth(at));
    Val::text(character.map(String::from).unwrap_or_default(), budget)
}

/// Characters before byte `at`, as a place; -1 for none.
fn place_of(text: &str, at: Option<usize>) -> Val<'static> {
    match at.and_then(|at| text.get(..at)) {
        Some(before) => Val::from(before.chars().count()),
        None => Val::Owned(Value::from(-1)),
    }
}

fn index_of<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let from = place(arguments.integer_or(2, 0)?);
    if let (Some(list), Some(wanted)) = (arguments.get(0), arguments.get(1))
        && list.is_list()
    {
        let elements = list.copied(budget)?.into_elements(budget)?.unwrap_or_default();
        for (index, element) in elements.iter().enumerate().skip(from) {
            if value::equal(element, wanted, budget)? {
                return Ok(Val::from(index));
            }
        }
        return Ok(Val::Owned(Value::from(-1)));
    }
    let (text, part) = (arguments.text(0)?, arguments.text(1)?);
    budget.reading(text.len() + part.len())?;
    let begin = text.char_indices().nth(from).map_or(text.len(), |(at, _)| at);
    let found = text.get(begin..).and_then(|rest| rest.find(part)).map(|at| begin + at);
    Ok(place_of(text, found))
}

fn last_index_of<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, part) = (arguments.text(0)?, arguments.text(1)?);
    budget.reading(text.len() + part.len())?;
    Ok(place_of(text, text.rfind(part)))
}

/// The fill that brings the text of argument 0 to its size.
fn padding(arguments: &Arguments<'_>, budget: &mut Budget) -> Result<(String, String), Fault> {
    let mut text = String::new();
    match arguments.get(0) {
        Some(value) if matches!(value.view(), View::Text(_) | View::Number(_)) => write_text(&mut text, value, budget)?,
        _ => return Err(arguments.unfit(0, "text")),
    }
    let fill = arguments.text_or(2, " ")?;
    let missing = place(arguments.integer(1)?).saturating_sub(text.chars().count());
    if fill.is_empty() {
        return Ok((text, String::new()));
    }
    budget.items(missing)?;
    budget.bytes(missing.saturating_mul(4))?;
    Ok((text, fill.chars().cycle().take(missing).collect()))
}

fn pad_start<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, fill) = padding(&arguments, budget)?;
    Ok(Val::Owned(Value::String(fill + &text)))
}

fn pad_end<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let (text, fill) = padding(&arguments, budget)?;
    Ok(Val::Owned(Value::String(text + &fill)))
}

fn repeat<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let text = arguments.text(0)?;
    let times = place(arguments.integer(1)?);
    budget.bytes(text.len().saturating_mul(times).saturating_add(times))?;
    Ok(Val::Owned(Value::String(text.repeat(times))))
}

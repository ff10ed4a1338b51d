//! Numbers.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::number::Num;
use super::super::value::{Val, compare};
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function("abs", "number", abs, "Without its sign."),
    function("ceil", "number", ceil, "The next integer up."),
    function("floor", "number", floor, "The next integer down."),
    function(
        "round",
        "number, digits?",
        round,
        "Rounded to this many decimal digits (0 to 15), halves away from zero.",
    ),
    function("intDiv", "number, divisor", int_div, "The quotient cut to an integer toward zero."),
    function("sum", "list", sum, "The sum of the numbers, 0 of none."),
    function("avg", "list", avg, "The mean of the numbers, null of none."),
    function("min", "value, …", min, "The smallest number or text of a list or of the arguments, null of none."),
    function("max", "value, …", max, "The largest number or text of a list or of the arguments, null of none."),
    function(
        "formatNumber",
        "number, digits?, group?, point?",
        format_number,
        "With this many decimal digits, a text between thousands (none) and a decimal point.",
    ),
];

fn abs<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    let number = arguments.num(0)?;
    let negative = number.compare(Num::Int(0)) == Ordering::Less;
    if negative { number.negated() } else { number.into_value() }.map(Val::Owned)
}

/// Integers stay as they are.
fn whole<'a>(number: Num, cut: fn(f64) -> f64) -> Result<Val<'a>, Fault> {
    match number {
        Num::Int(_) => number.into_value(),
        Num::Float(float) => Num::Float(cut(float)).into_value(),
    }
    .map(Val::Owned)
}

fn ceil<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    whole(arguments.num(0)?, f64::ceil)
}

fn floor<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    whole(arguments.num(0)?, f64::floor)
}

fn digits(arguments: &Arguments<'_>) -> Result<i32, Fault> {
    match i32::try_from(arguments.integer_or(1, 0)?) {
        Ok(digits @ 0..=15) => Ok(digits),
        _ => Err(Fault::argument(format!("`{}` takes 0 to 15 digits", arguments.name))),
    }
}

fn rounded(number: Num, digits: i32) -> Num {
    let Num::Float(float) = number else { return number };
    let scale = 10_f64.powi(digits);
    let scaled = (float * scale).round() / scale;
    Num::Float(if scaled.is_finite() { scaled } else { float })
}

fn round<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    rounded(arguments.num(0)?, digits(&arguments)?).into_value().map(Val::Owned)
}

fn int_div<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    arguments.num(0)?.int_divided_by(arguments.num(1)?).map(Val::Owned)
}

/// The sum of a list and how many numbers it has.
fn total(arguments: &mut Arguments<'_>, budget: &mut Budget) -> Result<(Num, usize), Fault> {
    let elements = arguments.elements(0, budget)?;
    let mut total = Num::Int(0);
    for element in &elements {
        let Some(number) = element.as_num() else {
            let message = format!("`{}` adds numbers, and the list holds {}", arguments.name, element.type_name());
            return Err(Fault::argument(message));
        };
        total = match total.plus(number)? {
            Value::Number(number) => Num::of(&number),
            _ => total,
        };
    }
    Ok((total, elements.len()))
}

fn sum<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    total(&mut arguments, budget)?.0.into_value().map(Val::Owned)
}

fn avg<'a>(mut arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    match total(&mut arguments, budget)? {
        (_, 0) => Ok(Val::NULL),
        (total, n) => total.divided_by(Num::Int(i64::try_from(n).unwrap_or(i64::MAX))).map(Val::Owned),
    }
}

fn extreme<'a>(mut arguments: Arguments<'a>, wanted: Ordering, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let single = arguments.values.len() == 1 && arguments.get(0).is_some_and(Val::is_list);
    let candidates = if single { arguments.elements(0, budget)? } else { std::mem::take(&mut arguments.values) };
    budget.items(candidates.len())?;
    let mut best: Option<Val<'a>> = None;
    for candidate in candidates {
        let reference = best.as_ref().unwrap_or(&candidate);
        let fits = candidate.as_num().is_some() || candidate.as_text().is_some();
        match compare(&candidate, reference, budget)? {
            Some(ordering) if fits => {
                if best.is_none() || ordering == wanted {
                    best = Some(candidate);
                }
            }
            _ => {
                let message = format!("`{}` compares numbers or texts, not {}", arguments.name, candidate.type_name());
                return Err(Fault::argument(message));
            }
        }
    }
    Ok(best.unwrap_or(Val::NULL))
}

fn min<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    extreme(arguments, Ordering::Less, budget)
}

fn max<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    extreme(arguments, Ordering::Greater, budget)
}

fn format_number<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let places = digits(&arguments)?;
    let width = usize::try_from(places).unwrap_or(0);
    let plain = match rounded(arguments.num(0)?, places) {
        Num::Int(integer) if width == 0 => integer.to_string(),
        Num::Int(integer) => format!("{integer}.{}", "0".repeat(width)),
        Num::Float(float) => format!("{:.width$}", float + 0.0),
    };
    let (group, point) = (arguments.text_or(2, "")?, arguments.text_or(3, ".")?);
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    budget.bytes(whole.len().saturating_mul(group.len() + 1).saturating_add(point.len()))?;
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push_str(group);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push_str(point);
        text.push_str(fraction);
    }
    Val::text(text, budget)
}

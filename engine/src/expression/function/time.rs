//! Times that come as text, never from a clock. A time is RFC 3339 text in UTC; a length of time is seconds.

use serde_json::Value;

use crate::time::parse_duration;

use super::super::budget::Budget;
use super::super::error::Fault;
use super::super::number::Num;
use super::super::value::Val;
use super::{Arguments, Function, function};

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "timestamp",
        "time",
        timestamp,
        "The time in UTC, as `2026-01-31T12:00:00Z`; takes RFC 3339 text or a date alone.",
    ),
    function("duration", "text", duration, "The seconds of `1h30m`, `250ms`, `2d` or `-5m`."),
    function(
        "addDuration",
        "time, duration",
        add_duration,
        "The time later by a duration, given as such text or in seconds.",
    ),
    function(
        "secondsBetween",
        "start, end",
        seconds_between,
        "The seconds from one time to another, negative when it lies before.",
    ),
    function("epochSeconds", "time", epoch_seconds, "The seconds since 1970-01-01 UTC."),
    function("fromEpoch", "seconds", from_epoch, "The time that many seconds after 1970-01-01 UTC."),
    function(
        "formatDate",
        "time, pattern",
        format_date,
        "The time in UTC by a pattern of YYYY, YY, MM, DD, HH, mm, ss and SSS; text in [brackets] stays as it is.",
    ),
    function("weekday", "time", weekday, "1 for Monday to 7 for Sunday, in UTC."),
];

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The years 0000 to 9999, which four digits can write, in microseconds.
const FIRST: i64 = -62_167_219_200 * SECOND;
const END: i64 = 253_402_300_800 * SECOND;

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (the algorithm of Howard Hinnant).
fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Reads `n` digits off the front.
fn digits(text: &mut &str, n: usize) -> Option<i64> {
    let (front, rest) = text.split_at_checked(n)?;
    *text = rest;
    front.bytes().all(|byte| byte.is_ascii_digit()).then(|| front.parse().ok()).flatten()
}

fn skip(text: &mut &str, any_of: &[char]) -> Option<char> {
    let first = text.chars().next().filter(|first| any_of.contains(first))?;
    *text = text.get(first.len_utf8()..)?;
    Some(first)
}

/// Microseconds since 1970 of RFC 3339 text, a leap second being the one after it, or of a date.
fn parse(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let year = digits(&mut rest, 4)?;
    skip(&mut rest, &['-'])?;
    let month = digits(&mut rest, 2)?;
    skip(&mut rest, &['-'])?;
    let day = digits(&mut rest, 2)?;
    let days = days_from_date(year, month, day);
    if date_from_days(days) != (year, month, day) {
        return None;
    }
    let midnight = days * DAY;
    if rest.is_empty() {
        return Some(midnight);
    }
    skip(&mut rest, &['T', 't', ' '])?;
    let hour = digits(&mut rest, 2)?;
    skip(&mut rest, &[':'])?;
    let minute = digits(&mut rest, 2)?;
    skip(&mut rest, &[':'])?;
    let second = digits(&mut rest, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if skip(&mut rest, &['.']).is_some() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let fraction: String = rest.get(..end)?.chars().chain("000000".chars()).take(6).collect();
        micros = fraction.parse().ok().filter(|_| end > 0)?;
        rest = rest.get(end..)?;
    }
    let offset = match skip(&mut rest, &['Z', 'z', '+', '-'])? {
        'Z' | 'z' => 0,
        sign => {
            let hours = digits(&mut rest, 2)?;
            skip(&mut rest, &[':'])?;
            let minutes = digits(&mut rest, 2)?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if sign == '-' { -60 } else { 60 }
        }
    };
    let time = midnight + (hour * 3_600 + minute * 60 + second - offset) * SECOND + micros;
    (rest.is_empty() && (FIRST..END).contains(&time)).then_some(time)
}

fn time_at(arguments: &Arguments<'_>, index: usize) -> Result<i64, Fault> {
    parse(arguments.text(index)?).ok_or_else(|| {
        Fault::argument(format!("`{}` wants a time such as 2026-01-31T12:00:00Z, or a date", arguments.name))
    })
}

/// Seconds as microseconds.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked, and what is below a microsecond is dropped")]
fn micros(seconds: Num) -> Option<i64> {
    match seconds {
        Num::Int(seconds) => seconds.checked_mul(SECOND),
        Num::Float(seconds) => {
            let micros = (seconds * 1e6).round();
            (micros.abs() < 9e18).then_some(micros as i64)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of ten thousand years have 59 bits; seconds keep 53")]
fn seconds<'a>(micros: i64) -> Result<Val<'a>, Fault> {
    let value = if micros % SECOND == 0 { Num::Int(micros / SECOND) } else { Num::Float(micros as f64 / 1e6) };
    value.into_value().map(Val::Owned)
}

fn written<'a>(time: Option<i64>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let Some(time) = time.filter(|time| (FIRST..END).contains(time)) else {
        return Err(Fault::argument("the time lies outside the years 0000 to 9999"));
    };
    let (year, month, day) = date_from_days(time.div_euclid(DAY));
    let of_day = time.rem_euclid(DAY);
    let (second, micros) = (of_day / SECOND, of_day % SECOND);
    let fraction = match micros {
        0 => String::new(),
        micros if micros % 1_000 == 0 => format!(".{:03}", micros / 1_000),
        micros => format!(".{micros:06}"),
    };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    Val::text(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"), budget)
}

fn timestamp<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    written(Some(time_at(&arguments, 0)?), budget)
}

/// Microseconds of text such as `-1h30m`.
fn length(text: &str) -> Result<i64, Fault> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let length = parse_duration(rest).ok().and_then(|length| i64::try_from(length.as_micros()).ok());
    let wrong = || Fault::argument("a duration is numbers with units, such as 1h30m, 250ms, 2d or -5m, up to 10 years");
    length.map(|micros| sign * micros).ok_or_else(wrong)
}

fn duration<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    seconds(length(arguments.text(0)?)?)
}

fn add_duration<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let time = time_at(&arguments, 0)?;
    let by = match arguments.get(1).and_then(Val::as_num) {
        Some(seconds) => micros(seconds),
        None => Some(length(arguments.text(1)?)?),
    };
    written(by.and_then(|by| time.checked_add(by)), budget)
}

fn seconds_between<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    seconds(time_at(&arguments, 1)? - time_at(&arguments, 0)?)
}

fn epoch_seconds<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    seconds(time_at(&arguments, 0)?)
}

fn from_epoch<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    written(micros(arguments.num(0)?), budget)
}

fn format_date<'a>(arguments: Arguments<'a>, budget: &mut Budget) -> Result<Val<'a>, Fault> {
    let time = time_at(&arguments, 0)?;
    let (year, month, day) = date_from_days(time.div_euclid(DAY));
    let of_day = time.rem_euclid(DAY);
    let fields = [
        ("YYYY", format!("{year:04}")),
        ("YY", format!("{:02}", year % 100)),
        ("MM", format!("{month:02}")),
        ("DD", format!("{day:02}")),
        ("HH", format!("{:02}", of_day / (3_600 * SECOND))),
        ("mm", format!("{:02}", of_day / (60 * SECOND) % 60)),
        ("SSS", format!("{:03}", of_day / 1_000 % 1_000)),
        ("ss", format!("{:02}", of_day / SECOND % 60)),
    ];
    let mut rest = arguments.text(1)?;
    budget.reading(rest.len())?;
    let mut text = String::new();
    while let Some(next) = rest.chars().next() {
        let field = fields.iter().find(|(name, _)| rest.starts_with(name));
        let literal = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'));
        if let Some((name, value)) = field {
            text.push_str(value);
            rest = rest.get(name.len()..).unwrap_or_default();
        } else if let Some((literal, after)) = literal {
            text.push_str(literal);
            rest = after;
        } else {
            text.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    Val::text(text, budget)
}

fn weekday<'a>(arguments: Arguments<'a>, _: &mut Budget) -> Result<Val<'a>, Fault> {
    let days = time_at(&arguments, 0)?.div_euclid(DAY);
    // 1970-01-01 was a Thursday.
    Ok(Val::Owned(Value::from((days + 3).rem_euclid(7) + 1)))
}

//! Numbers of a spreadsheet, which are also its dates and times: only how they look tells.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::Number;

use super::super::record::Cell;

/// Integers up to here are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;
const DAY_IN_MS: f64 = 86_400_000.0;

/// How a number looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// As a number; a stretch of time is one, too, in days.
    #[default]
    Number,
    /// As a date, a time, or both.
    Time,
}

impl Look {
    /// Of a format that every spreadsheet knows.
    pub(super) fn of_id(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Time,
            _ => Self::Number,
        }
    }

    /// Of a format that the author made, such as `dd.mm.yyyy` or `#,##0.00 "€"`.
    pub(super) fn of_format(format: &str) -> Self {
        let (mut chars, mut found) = (format.chars(), false);
        while let Some(c) = chars.next() {
            match c {
                // What is shown as it is written.
                '\\' | '_' | '*' => {
                    chars.next();
                }
                '"' => while chars.next().is_some_and(|c| c != '"') {},
                '[' => {
                    let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let is_stretch =
                        !inner.is_empty() && inner.chars().all(|c| matches!(c, 'h' | 'm' | 's' | 'H' | 'M' | 'S'));
                    if is_stretch {
                        return Self::Number;
                    }
                }
                ';' => break,
                'y' | 'Y' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'm' | 'M' => found = true,
                'G' | 'g' if chars.as_str().to_ascii_lowercase().starts_with("eneral") => return Self::Number,
                _ => {}
            }
        }
        if found { Self::Time } else { Self::Number }
    }
}

/// The cell of a number as it stands in the sheet; none where it is empty. What is no number stays a text.
pub(super) fn cell(text: &str, look: Look, is_1904: bool) -> Option<Cell> {
    if text.is_empty() {
        return None;
    }
    let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Some(Cell::Text(text.to_owned()));
    };
    if look == Look::Time
        && let Some(time) = time(number, is_1904)
    {
        return Some(Cell::Text(time));
    }
    // Written as `0.10000000000000001` is 0.1.
    #[expect(clippy::cast_possible_truncation, reason = "it is integral and exact")]
    let written = match number.fract() == 0.0 && number.abs() < EXACT {
        true => (number as i64).to_string(),
        false => Number::from_f64(number).map_or_else(|| text.to_owned(), |number| number.to_string()),
    };
    Some(Cell::Json(written))
}

/// Days since the beginning as ISO 8601: a date, a time of day, or both.
fn time(days: f64, is_1904: bool) -> Option<String> {
    // The first spreadsheets took 1900 for a leap year: the days before its 1 March are one less.
    let first = match (is_1904, days < 60.0) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
        (false, true) => NaiveDate::from_ymd_opt(1899, 12, 31),
        (false, false) => NaiveDate::from_ymd_opt(1899, 12, 30),
    };
    // The year 10000 begins at 2958466.
    let known = (0.0..2_958_466.0).contains(&days);
    let ms = (days * DAY_IN_MS).round();
    #[expect(clippy::cast_possible_truncation, reason = "it is in the bounds of years that are known")]
    let ms = known.then_some(ms as i64)?;
    let at: NaiveDateTime = first?.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::milliseconds(ms))?;
    let clock = |at: NaiveDateTime| match at.and_utc().timestamp_subsec_millis() {
        0 => at.format("%H:%M:%S").to_string(),
        _ => at.format("%H:%M:%S%.3f").to_string(),
    };
    Some(match (days < 1.0 && !is_1904, ms.rem_euclid(86_400_000)) {
        (true, _) => clock(at),
        (false, 0) => at.format("%Y-%m-%d").to_string(),
        (false, _) => format!("{}T{}", at.format("%Y-%m-%d"), clock(at)),
    })
}

/// Characters that a spreadsheet writes as `_x000D_`.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        out.push_str(before);
        let code = after.get(..4).filter(|_| after.as_bytes().get(4) == Some(&b'_'));
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)) {
            Some(c) => {
                out.push(c);
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                out.push_str("_x");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_dates_are_told_from_those_of_numbers() {
        for format in ["yyyy-mm-dd", "dd.mm.yyyy", "[$-407]d. mmmm yyyy", "h:mm AM/PM", "[Red]dd/mm", "mm:ss.0"] {
            assert_eq!(Look::of_format(format), Look::Time, "{format}");
        }
        for format in
            ["General", "0.00", "#,##0.00 \"days\"", "0.0E+00", "[Red]-0", "[h]:mm", "@", "0\\d", "\"m\"0", ""]
        {
            assert_eq!(Look::of_format(format), Look::Number, "{format}");
        }
        assert_eq!((Look::of_id(14), Look::of_id(2), Look::of_id(46)), (Look::Time, Look::Number, Look::Number));
    }

    #[test]
    fn days_are_dates_in_both_calendars() {
        for (days, is_1904, text) in [
            (45_292.0, false, "2024-01-01"),
            (45_292.5, false, "2024-01-01T12:00:00"),
            (45_292.000_011_574, false, "2024-01-01T00:00:01"),
            (0.75, false, "18:00:00"),
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (61.0, false, "1900-03-01"),
            (43_830.0, true, "2024-01-01"),
            (2_958_465.0, false, "9999-12-31"),
        ] {
            assert_eq!(time(days, is_1904).as_deref(), Some(text), "{days}");
        }
        assert_eq!((time(-1.0, false), time(3e9, false), time(f64::MAX, true)), (None, None, None));
    }

    #[test]
    fn numbers_are_shortest_and_whole_ones_have_no_point() {
        let number = |text: &str| cell(text, Look::Number, false);
        let json = |text: &str| Some(Cell::Json(text.to_owned()));
        assert_eq!(number("0.10000000000000001"), json("0.1"));
        assert_eq!((number("3.0"), number("1E3"), number("-2")), (json("3"), json("1000"), json("-2")));
        assert_eq!((number("NaN"), number("")), (Some(Cell::Text("NaN".to_owned())), None));
    }

    #[test]
    fn escaped_characters_are_themselves() {
        assert_eq!(unescaped("a_x000D_b_x005F_x"), "a\rb_x");
        for text in ["_x", "_x00", "_xZZZZ_", "_xD800_", "_x000D", "ä_xä"] {
            assert_eq!(unescaped(text), text);
        }
    }
}

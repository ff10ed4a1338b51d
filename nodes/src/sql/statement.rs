//! What a statement may be, as far as it can be told from its words.

use engine::error::ErrorInfo;

/// First words of statements that would end the transaction, or reach what is not the connection's database.
const REFUSED: [&str; 17] = [
    "abort",
    "attach",
    "begin",
    "commit",
    "copy",
    "detach",
    "end",
    "load",
    "lock",
    "pragma",
    "prepare",
    "release",
    "rollback",
    "savepoint",
    "start",
    "use",
    "vacuum",
];
/// First words of statements that only read.
const READING: [&str; 8] = ["desc", "describe", "explain", "select", "show", "table", "values", "with"];

/// Checks a statement: one, and none that ends the transaction around it.
pub(super) fn check(path: &str, text: &str, read_only: bool) -> Result<(), ErrorInfo> {
    let wrong = |what: &str| Err(ErrorInfo::permanent("CONFIG_INVALID", format!("config.{path} {what}")));
    if text.contains('\0') {
        return wrong("holds a NUL character");
    }
    let (first, statements) = words(text);
    match first.as_str() {
        "" => wrong("has no statement"),
        word if !word.starts_with(char::is_alphabetic) => wrong("does not begin with a word"),
        _ if statements > 1 => wrong("has several statements; list them in config.statements"),
        word if REFUSED.contains(&word) => {
            wrong(&format!("begins with {}, which has no place inside a transaction of its own", word.to_uppercase()))
        }
        word if read_only && !READING.contains(&word) => wrong(&format!(
            "begins with {}, which is more than reading; config.read_only forbids that",
            word.to_uppercase()
        )),
        _ => Ok(()),
    }
}

/// The first word in lower case, and how many statements there are. Texts, names in quotes and comments are passed over
/// as the databases do it; where they differ, a `;` counts rather than not.
fn words(text: &str) -> (String, usize) {
    let (mut first, mut statements) = (String::new(), 0);
    let mut is_inside = false;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '-' if rest.starts_with("--") => length = rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") && !rest.starts_with("/*!") && !rest.starts_with("/*M!") => {
                length = rest.get(2..).and_then(|rest| rest.find("*/")).map_or(rest.len(), |end| end + 4);
            }
            ';' => is_inside = false,
            c if c.is_whitespace() => {}
            c => {
                if !is_inside {
                    is_inside = true;
                    statements += 1;
                }
                if first.is_empty() {
                    length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len()).max(length);
                    first = rest.get(..length).unwrap_or_default().to_lowercase();
                    // A statement may stand in parentheses.
                    if first == "(" {
                        first.clear();
                    }
                } else if matches!(c, '\'' | '"' | '`') {
                    let inside = rest.get(length..).unwrap_or_default();
                    length += inside.find(c).map_or(inside.len(), |end| end + 1);
                }
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    (first, statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_is_told_from_several() {
        for (text, first, statements) in [
            ("select 1", "select", 1),
            ("  -- a; b\n /* c; */ SELECT ';' as \";\";  \n-- end", "select", 1),
            ("select 'it''s; one'", "select", 1),
            ("(select 1) union (select 2);", "select", 1),
            ("select 1; drop table a", "select", 2),
            ("select 1;;; select 2;", "select", 2),
            ("select 'a' ; attach 'b' as c", "select", 2),
            ("/*! drop table a */", "/", 1),
            ("", "", 0),
            (";", "", 0),
            ("-- nothing", "", 0),
            ("/* never closed", "", 0),
        ] {
            assert_eq!(words(text), (first.to_owned(), statements), "{text}");
        }
    }

    #[test]
    fn statements_that_leave_the_transaction_or_change_what_is_only_read_are_refused() {
        for text in [
            "commit",
            "ROLLBACK",
            "attach 'x' as y",
            "pragma journal_mode=off",
            "select 1; select 2",
            "",
            "a\0b",
            "/*! */ attach 'x' as y",
            "\u{feff}attach",
        ] {
            assert!(check("statement", text, false).is_err(), "{text}");
        }
        for text in ["insert into a values (1)", "delete from a", "set transaction read write", "call x()", "/*!1*/"] {
            assert!(check("statement", text, true).is_err(), "{text}");
        }
        for text in ["select 1", "with a as (select 1) select * from a", "EXPLAIN select 1", "values (1)"] {
            assert!(check("statement", text, true).is_ok(), "{text}");
        }
        assert!(check("statement", "insert into a values (1)", false).is_ok());
    }
}

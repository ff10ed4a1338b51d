//! What a GraphQL document asks for, as far as the rules for repeats need to know.

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Query,
    Mutation,
    Subscription,
}

/// The operations of a document: the words that stand outside of all braces and parentheses. Strings and comments are
/// passed over. What is no document has none, or some; the server says what is wrong with it.
pub(super) fn operations(document: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    // Whether the braces that open next belong to a definition that has been seen.
    let mut named = false;
    let mut rest = document;
    while let Some(next) = rest.chars().next() {
        let mut length = next.len_utf8();
        match next {
            '#' => length = rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => length = string(rest),
            '{' | '(' | '[' => {
                if next == '{' && depth == 0 && !std::mem::take(&mut named) {
                    found.push(Operation::Query);
                }
                depth += 1;
            }
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            c if c.is_ascii_alphabetic() || c == '_' => {
                length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                if depth == 0 && !named {
                    named = true;
                    found.extend(match rest.get(..length) {
                        Some("query") => Some(Operation::Query),
                        Some("mutation") => Some(Operation::Mutation),
                        Some("subscription") => Some(Operation::Subscription),
                        _ => None,
                    });
                }
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// The length of the string that a text begins with, in bytes.
fn string(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(end) = block.get(from..).and_then(|rest| rest.find("\"\"\"")) {
            let end = from + end;
            if !block.get(..end).is_some_and(|before| before.ends_with('\\')) {
                return end + 6;
            }
            from = end + 3;
        }
        return text.len();
    }
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' | '\n' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_found_outside_of_braces_strings_and_comments() {
        use Operation::{Mutation, Query, Subscription};
        for (document, expected) in [
            ("{ a }", vec![Query]),
            ("query { mutation }", vec![Query]),
            ("query mutation($a: [Int] = [1]) @x(y: \"}\") { a }", vec![Query]),
            ("# mutation\nquery A { a } mutation B { b }", vec![Query, Mutation]),
            ("fragment mutation on Query { a } { ...mutation }", vec![Query]),
            ("query A { a(x: \"mutation { \\\" }\") } subscription B { b }", vec![Query, Subscription]),
            ("query A { a(x: \"\"\"} \\\"\"\" mutation {\"\"\") } ", vec![Query]),
            ("mutation{a}", vec![Mutation]),
            ("", vec![]),
            ("\"never closed", vec![]),
            ("}}}} mutation { a }", vec![Mutation]),
        ] {
            assert_eq!(operations(document), expected, "{document}");
        }
    }
}

//! The one byte form of a document (RFC 8785) and its hash. Two documents that mean the same JSON have the same hash,
//! on every database and every release.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::value::Digest;

/// Largest integer that every JSON reader keeps exactly (2^53).
const EXACT: u64 = 1 << 53;

/// The document's bytes by RFC 8785.
///
/// Numbers are doubles there, so call [`inexact_numbers`] first where exactness matters.
pub fn canonical_bytes(document: &Value) -> Vec<u8> {
    // Serializing a `Value` to memory has no way to fail: its keys are strings and its numbers are finite.
    serde_json_canonicalizer::to_vec(document).unwrap_or_default()
}

/// SHA-256 of [`canonical_bytes`]: what a version is known by.
pub fn hash(document: &Value) -> Digest {
    Digest(Sha256::digest(canonical_bytes(document)).into())
}

/// The JSON pointers of the numbers that RFC 8785 would round, at most this many.
pub fn inexact_numbers(document: &Value, most: usize) -> Vec<String> {
    fn below(value: &Value, path: &mut String, most: usize, found: &mut Vec<String>) {
        if found.len() >= most {
            return;
        }
        let here = path.len();
        match value {
            Value::Number(number) => {
                let inexact = number.as_u64().is_some_and(|n| n > EXACT)
                    || number.as_i64().is_some_and(|n| n.unsigned_abs() > EXACT);
                if inexact {
                    found.push(path.clone());
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("/{index}"));
                    below(item, path, most, found);
                    path.truncate(here);
                }
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    path.push('/');
                    path.push_str(&escape(key));
                    below(field, path, most, found);
                    path.truncate(here);
                }
            }
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    below(document, &mut String::new(), most, &mut found);
    found
}

/// A key as one segment of a JSON pointer (RFC 6901).
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_and_number_spelling_do_not_change_the_hash() {
        let left: Value = serde_json::from_str(r#"{"b": 1.0, "a": [1e2, "ä"]}"#).unwrap();
        let right: Value = serde_json::from_str(r#"{"a":[100,"\u00e4"],"b":1}"#).unwrap();
        assert_eq!(hash(&left), hash(&right));
        assert_eq!(String::from_utf8(canonical_bytes(&left)).unwrap(), r#"{"a":[100,"ä"],"b":1}"#);
    }

    #[test]
    fn a_number_that_would_be_rounded_is_found() {
        let document = json!({"a": [1, {"b/c": 9_007_199_254_740_993_u64}, -9_007_199_254_740_993_i64]});
        assert_eq!(inexact_numbers(&document, 9), ["/a/1/b~1c", "/a/2"]);
        assert_eq!(inexact_numbers(&document, 1), ["/a/1/b~1c"]);
        assert_eq!(inexact_numbers(&json!([9_007_199_254_740_992_u64, -1, 0.1]), 9), Vec::<String>::new());
    }
}

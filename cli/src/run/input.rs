//! JSON from an argument, a file or standard input.

use std::io::Read as _;

use serde_json::Value;

use crate::exit::Failure;

/// Reads JSON as written, from a file (`@path`), or from standard input (`-`).
pub(crate) fn json(argument: &str, option: &str) -> Result<Value, Failure> {
    let wrong = |why: String| Failure::usage(format!("{option}: {why}"));
    let text = match (argument, argument.strip_prefix('@')) {
        ("-", _) => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
            text
        }
        (_, Some(path)) => std::fs::read_to_string(path).map_err(|error| wrong(format!("{path}: {error}")))?,
        (text, None) => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| wrong(format!("not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_comes_from_the_argument_or_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.json");
        std::fs::write(&file, "[1, 2]").unwrap();
        assert_eq!(json(r#"{"a": -1}"#, "--input").unwrap(), json!({ "a": -1 }));
        assert_eq!(json(&format!("@{}", file.display()), "--input").unwrap(), json!([1, 2]));
    }

    #[test]
    fn what_is_no_json_is_told_with_the_option() {
        for wrong in ["{", "@/nowhere/at/all.json", ""] {
            let failure = json(wrong, "--payload").unwrap_err();
            assert!(failure.message.starts_with("--payload: "), "{failure}");
        }
    }
}

//! What files are by their names: the types that endings stand for.

use engine::error::ErrorInfo;

/// Longest type that is kept, in bytes.
const LONGEST: usize = 200;

/// Endings and the types that they stand for; of several endings of a type the first is its own.
const KNOWN: [(&str, &str); 23] = [
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("json", "application/json"),
    ("jsonl", "application/jsonl"),
    ("ndjson", "application/x-ndjson"),
    ("xml", "application/xml"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("zip", "application/zip"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("svg", "image/svg+xml"),
];

/// The part after the last dot, in lower case.
pub(super) fn ending(name: &str) -> Option<String> {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase())
}

/// The media type that a name's ending stands for.
pub fn of_name(name: &str) -> Option<&'static str> {
    let ending = ending(name)?;
    KNOWN.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type)
}

/// Whether a text is a media type, with or without parameters, of at most 200 characters. It stands in a header of every
/// download.
pub fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    let fits = text.len() <= LONGEST && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    fits && essence.split_once('/').is_some_and(|(main, sub)| is_token(main) && is_token(sub))
}

/// The type that an author wrote in `config.media_type`.
///
/// # Errors
/// When it is none.
pub(super) fn checked(text: &str) -> Result<String, ErrorInfo> {
    if is_media_type(text) {
        return Ok(text.to_owned());
    }
    let message = format!(
        "config.media_type is no media type; expected one such as `text/csv` or `text/plain; charset=utf-8`, of at most \
         {LONGEST} characters"
    );
    Err(ErrorInfo::permanent("CONFIG_INVALID", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_says_what_a_file_is() {
        assert_eq!(of_name("a.b.CSV"), Some("text/csv"));
        assert_eq!(of_name("csv"), None);
        assert_eq!(of_name("a.unheard"), None);
    }

    #[test]
    fn what_is_no_media_type_makes_no_header() {
        for text in ["text/csv", "text/plain; charset=utf-8", "application/vnd.x+json"] {
            assert_eq!(checked(text).unwrap(), text);
        }
        for text in ["", "csv", "text/", "/csv", "a b/c", "text/csv\r\nset-cookie: a=b", "ä/b", &"a/b".repeat(100)] {
            assert_eq!(checked(text).unwrap_err().code, "CONFIG_INVALID", "{text}");
        }
    }
}

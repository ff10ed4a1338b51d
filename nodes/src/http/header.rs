//! Headers that an author wrote.

use engine::error::ErrorInfo;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::config::Config;

/// Headers that frame a message. Whoever sets them by hand makes one that its receivers cut up differently.
pub(crate) const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn wrong(message: String) -> ErrorInfo {
    ErrorInfo::permanent("CONFIG_INVALID", message)
}

/// A header's name, in lower case.
pub(super) fn name(field: &str, text: &str) -> Result<HeaderName, ErrorInfo> {
    let name = HeaderName::try_from(text).map_err(|_| {
        wrong(format!("config.{field} holds {text:.80?}, which is no header name; expected letters, digits and dashes"))
    })?;
    if FRAMING.contains(&name.as_str()) {
        return Err(wrong(format!("config.{field} holds `{name}`, which is set by the server itself; leave it out")));
    }
    Ok(name)
}

/// The object in `field` as headers. Values are not repeated in messages: they may be secrets.
pub(super) fn headers(config: &Config<'_>, field: &str) -> Result<HeaderMap, ErrorInfo> {
    let mut headers = HeaderMap::new();
    for (text, value) in config.scalars(field)? {
        let name = name(field, text)?;
        let value = HeaderValue::try_from(value).map_err(|_| {
            wrong(format!(
                "config.{field}.{name} has a line break or another control character; a header cannot hold it"
            ))
        })?;
        if headers.insert(name.clone(), value).is_some() {
            return Err(wrong(format!("config.{field} has `{name}` twice, in different case")));
        }
    }
    Ok(headers)
}

/// Headers as an object: names in lower case, several values of one name joined by a comma and a space. Bytes that are
/// no UTF-8 are replaced.
pub(super) fn to_object(headers: &HeaderMap) -> Map<String, Value> {
    let mut object = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        object.insert(name.as_str().to_owned(), Value::from(values.join(", ")));
    }
    object
}

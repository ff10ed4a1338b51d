//! Reading a rendered config. Every complaint names the field, what came and what is expected; none repeats a value,
//! because a value may be a secret.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::error::ErrorInfo;
use engine::time::parse_duration;
use serde_json::{Map, Value};

use crate::Attempt;

/// The fields of an attempt's config. A field that is null counts as absent, since an expression over a missing member
/// gives null; [`Config::raw`] tells the two apart.
pub(crate) struct Config<'a> {
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Config<'a> {
    /// The config of this attempt; null reads as no fields.
    pub(crate) fn of(attempt: &'a Attempt) -> Result<Self, ErrorInfo> {
        match &attempt.config {
            Value::Null => Ok(Self { fields: None }),
            Value::Object(fields) => Ok(Self { fields: Some(fields) }),
            other => {
                Err(ErrorInfo::permanent("CONFIG_INVALID", format!("config is {}; expected an object", kind(other))))
            }
        }
    }

    /// All fields, as they stand.
    pub(crate) fn fields(&self) -> &'a Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.fields.unwrap_or_else(|| &NONE)
    }

    /// The field as it stands, null included.
    pub(crate) fn raw(&self, field: &str) -> Option<&'a Value> {
        self.fields.and_then(|fields| fields.get(field))
    }

    /// The field, unless it is null.
    pub(crate) fn value(&self, field: &str) -> Option<&'a Value> {
        self.raw(field).filter(|value| !value.is_null())
    }

    /// A text.
    pub(crate) fn text(&self, field: &str) -> Result<Option<&'a str>, ErrorInfo> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| invalid(field, value, "a text"))
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, field: &str) -> Result<&'a str, ErrorInfo> {
        self.text(field)?.ok_or_else(|| missing(field, "a text"))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, field: &str) -> Result<Option<bool>, ErrorInfo> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| invalid(field, value, "true or false"))
    }

    /// A number without fraction between two others.
    pub(crate) fn integer(&self, field: &str, least: u64, most: u64) -> Result<Option<u64>, ErrorInfo> {
        let Some(value) = self.value(field) else { return Ok(None) };
        let fits = value.as_u64().filter(|number| (least..=most).contains(number));
        fits.map(Some).ok_or_else(|| invalid(field, value, &format!("an integer from {least} to {most}")))
    }

    /// A list.
    pub(crate) fn list(&self, field: &str) -> Result<Option<&'a [Value]>, ErrorInfo> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_array().map(|items| Some(items.as_slice())).ok_or_else(|| invalid(field, value, "a list"))
    }

    /// An object.
    pub(crate) fn object(&self, field: &str) -> Result<Option<&'a Map<String, Value>>, ErrorInfo> {
        let Some(value) = self.value(field) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| invalid(field, value, "an object"))
    }

    /// A duration such as `30s`.
    pub(crate) fn duration(&self, field: &str) -> Result<Option<Duration>, ErrorInfo> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let read = parse_duration(text).map(Some);
        read.map_err(|error| ErrorInfo::permanent("CONFIG_INVALID", format!("config.{field}: {error}")))
    }

    /// An object of names and scalars, as texts; nulls are left out.
    pub(crate) fn scalars(&self, field: &str) -> Result<BTreeMap<&'a str, String>, ErrorInfo> {
        let mut texts = BTreeMap::new();
        for (name, value) in self.object(field)?.into_iter().flatten() {
            if value.is_null() {
                continue;
            }
            let path = format!("{field}.{name}");
            let text = scalar(value).ok_or_else(|| invalid(&path, value, "a text, a number or a boolean"))?;
            texts.insert(name.as_str(), text);
        }
        Ok(texts)
    }

    /// The list in `field`, or the node's input where the config has none.
    pub(crate) fn items(&self, field: &str, attempt: &'a Attempt) -> Result<&'a [Value], ErrorInfo> {
        if let Some(value) = self.raw(field) {
            return value.as_array().map(Vec::as_slice).ok_or_else(|| invalid(field, value, "a list"));
        }
        attempt.input.as_array().map(Vec::as_slice).ok_or_else(|| {
            let came = kind(&attempt.input);
            let message =
                format!("the input is {came}; expected a list, or config.{field} that says where the list is");
            ErrorInfo::permanent("CONFIG_INVALID", message)
        })
    }
}

/// Which of these words stands in `field` of an object that stands in the config at `path`; the first when none does.
pub(crate) fn choice(object: &Map<String, Value>, path: &str, field: &str, words: &[&str]) -> Result<usize, ErrorInfo> {
    let Some(value) = object.get(field).filter(|value| !value.is_null()) else { return Ok(0) };
    let known = value.as_str().and_then(|text| words.iter().position(|word| *word == text));
    let path = if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") };
    known.ok_or_else(|| invalid(&path, value, &format!("one of {}", words.join(", "))))
}

/// A text, number or boolean as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `CONFIG_INVALID` for a field that holds something else than expected.
pub(crate) fn invalid(field: &str, came: &Value, expected: &str) -> ErrorInfo {
    ErrorInfo::permanent("CONFIG_INVALID", format!("config.{field} is {}; expected {expected}", kind(came)))
}

/// `CONFIG_INVALID` for a field that is not there.
pub(crate) fn missing(field: &str, expected: &str) -> ErrorInfo {
    ErrorInfo::permanent("CONFIG_INVALID", format!("config.{field} is missing or null; expected {expected}"))
}

/// What a value is, in words for a message. A number is shown, because it is what people look for; a text is not.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

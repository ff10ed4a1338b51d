//! One thing to do with a text.

use engine::error::ErrorInfo;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::config::{choice, invalid, kind, missing};

/// What a step can be told to do, in the order of [`Action::read`].
pub(super) const NAMES: [&str; 13] = [
    "trim",
    "collapse",
    "upper",
    "lower",
    "title",
    "replace",
    "regex_replace",
    "regex_extract",
    "regex_extract_all",
    "split",
    "lines",
    "join",
    "truncate",
];

/// Longest regular expression, in bytes.
const LONGEST_PATTERN: usize = 1_000;
/// Largest program that a regular expression may become, in bytes.
const LARGEST_PROGRAM: usize = 1024 * 1024;
/// Most bytes of a text that a step makes, and most parts of a list.
const LARGEST_TEXT: usize = 8 * 1024 * 1024;
const MOST_PARTS: usize = 100_000;

/// One thing to do.
pub(super) struct Step(Action);

enum Action {
    Trim,
    Collapse,
    Upper,
    Lower,
    Title,
    Replace { find: String, with: String },
    RegexReplace { find: Regex, with: String },
    Extract { find: Regex, all: bool },
    Split { find: Option<String> },
    Lines,
    Join { with: String },
    Truncate { length: usize },
}

impl Step {
    /// Reads the step at this place of the list.
    pub(super) fn read(index: usize, written: &Value) -> Result<Self, ErrorInfo> {
        let path = format!("steps[{index}]");
        let fields = written.as_object().ok_or_else(|| invalid(&path, written, "an object"))?;
        Action::read(fields, &path).map(Self)
    }

    /// The value after this step.
    pub(super) fn apply(&self, index: usize, value: Value) -> Result<Value, ErrorInfo> {
        match (&self.0, value) {
            (Action::Join { with }, Value::Array(items)) => join(&items, with),
            (Action::Join { .. }, other) => Err(shape(index, &other, "a list of texts")),
            (_, Value::Null) => Ok(Value::Null),
            (action, Value::String(text)) => action.apply(&text),
            (action, Value::Array(_)) if action.makes_a_list() => {
                Err(shape(index, &Value::Array(Vec::new()), "a single text, because it gives a list itself"))
            }
            (action, Value::Array(items)) => {
                let each = items.into_iter().map(|item| match item {
                    Value::String(text) => action.apply(&text),
                    Value::Null => Ok(Value::Null),
                    other => Err(shape(index, &other, "texts")),
                });
                let done: Vec<Value> = each.collect::<Result<_, _>>()?;
                if done.iter().filter_map(Value::as_str).map(str::len).sum::<usize>() > LARGEST_TEXT {
                    return Err(too_large());
                }
                Ok(Value::Array(done))
            }
            (_, other) => Err(shape(index, &other, "a text")),
        }
    }
}

impl Action {
    fn read(fields: &Map<String, Value>, path: &str) -> Result<Self, ErrorInfo> {
        if fields.get("do").is_none_or(Value::is_null) {
            return Err(missing(&format!("{path}.do"), "what to do"));
        }
        let text = |name: &str| -> Result<Option<String>, ErrorInfo> {
            let Some(value) = fields.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
            let text = value.as_str().ok_or_else(|| invalid(&format!("{path}.{name}"), value, "a text"))?;
            Ok(Some(text.to_owned()))
        };
        let find = || {
            let found = text("find")?.filter(|find| !find.is_empty());
            found.ok_or_else(|| missing(&format!("{path}.find"), "a text that is not empty"))
        };
        let with = || Ok::<_, ErrorInfo>(text("with")?.unwrap_or_default());
        Ok(match choice(fields, path, "do", &NAMES)? {
            0 => Self::Trim,
            1 => Self::Collapse,
            2 => Self::Upper,
            3 => Self::Lower,
            4 => Self::Title,
            5 => Self::Replace { find: find()?, with: with()? },
            6 => Self::RegexReplace { find: pattern(&find()?, path)?, with: with()? },
            7 => Self::Extract { find: pattern(&find()?, path)?, all: false },
            8 => Self::Extract { find: pattern(&find()?, path)?, all: true },
            9 => Self::Split { find: text("find")?.filter(|find| !find.is_empty()) },
            10 => Self::Lines,
            11 => Self::Join { with: with()? },
            _ => {
                let length = fields.get("length").filter(|length| !length.is_null());
                let path = format!("{path}.length");
                let length = length.ok_or_else(|| missing(&path, "a number of characters"))?;
                let read = length.as_u64().and_then(|length| usize::try_from(length).ok());
                Self::Truncate { length: read.ok_or_else(|| invalid(&path, length, "a number of characters"))? }
            }
        })
    }

    fn makes_a_list(&self) -> bool {
        matches!(self, Self::Extract { all: true, .. } | Self::Split { .. } | Self::Lines)
    }

    fn apply(&self, text: &str) -> Result<Value, ErrorInfo> {
        let changed = match self {
            Self::Trim => text.trim().to_owned(),
            Self::Collapse => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Title => title(text),
            Self::Replace { find, with } => {
                let grows = text.matches(find.as_str()).count().saturating_mul(with.len());
                if text.len().saturating_add(grows) > LARGEST_TEXT.saturating_mul(2) {
                    return Err(too_large());
                }
                text.replace(find.as_str(), with)
            }
            Self::RegexReplace { find, with } => replace(find, text, with)?,
            Self::Extract { find, all: false } => {
                let found = find.captures(text);
                return Ok(found
                    .and_then(|found| found.get(1).or(found.get(0)))
                    .map_or(Value::Null, |m| m.as_str().into()));
            }
            Self::Extract { find, all: true } => {
                let found = find.captures_iter(text).filter_map(|found| found.get(1).or(found.get(0)));
                return parts(found.map(|found| found.as_str()));
            }
            Self::Split { find: Some(find) } => return parts(text.split(find.as_str())),
            Self::Split { find: None } => return parts(text.split_whitespace()),
            Self::Lines => return parts(text.lines()),
            Self::Truncate { length } => text.chars().take(*length).collect(),
            Self::Join { .. } => text.to_owned(),
        };
        if changed.len() > LARGEST_TEXT { Err(too_large()) } else { Ok(Value::String(changed)) }
    }
}

fn pattern(text: &str, path: &str) -> Result<Regex, ErrorInfo> {
    let wrong = |why: String| {
        ErrorInfo::permanent(
            "TEXT_PATTERN_INVALID",
            format!("config.{path}.find is no regular expression to use: {why}"),
        )
    };
    if text.len() > LONGEST_PATTERN {
        return Err(wrong(format!("it has over {LONGEST_PATTERN} bytes")));
    }
    let built = RegexBuilder::new(text).size_limit(LARGEST_PROGRAM).dfa_size_limit(LARGEST_PROGRAM).build();
    built.map_err(|error| wrong(error.to_string()))
}

/// Stops before a replacement has grown too large, which a group repeated in `with` makes quickly.
fn replace(find: &Regex, text: &str, with: &str) -> Result<String, ErrorInfo> {
    let mut changed = String::new();
    let mut end = 0;
    for found in find.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        changed.push_str(text.get(end..whole.start()).unwrap_or_default());
        found.expand(with, &mut changed);
        end = whole.end();
        if changed.len() > LARGEST_TEXT {
            return Err(too_large());
        }
    }
    changed.push_str(text.get(end..).unwrap_or_default());
    Ok(changed)
}

fn title(text: &str) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut inside = false;
    for letter in text.chars() {
        if inside {
            changed.extend(letter.to_lowercase());
        } else {
            changed.extend(letter.to_uppercase());
        }
        inside = letter.is_alphanumeric() || (inside && letter == '\'');
    }
    changed
}

fn parts<'t>(parts: impl Iterator<Item = &'t str>) -> Result<Value, ErrorInfo> {
    let list: Vec<Value> = parts.take(MOST_PARTS + 1).map(Value::from).collect();
    if list.len() > MOST_PARTS {
        let message = format!("a step of config.steps gives more than {MOST_PARTS} parts");
        return Err(ErrorInfo::permanent("TEXT_TOO_LARGE", message));
    }
    Ok(Value::Array(list))
}

fn join(items: &[Value], with: &str) -> Result<Value, ErrorInfo> {
    let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    let separators = texts.len().saturating_mul(with.len());
    if texts.iter().map(|text| text.len()).sum::<usize>().saturating_add(separators) > LARGEST_TEXT {
        return Err(too_large());
    }
    Ok(Value::String(texts.join(with)))
}

fn shape(index: usize, came: &Value, expected: &str) -> ErrorInfo {
    let message = format!("config.steps[{index}] gets {}; it takes {expected}", kind(came));
    ErrorInfo::permanent("TEXT_SHAPE", message)
}

fn too_large() -> ErrorInfo {
    ErrorInfo::permanent("TEXT_TOO_LARGE", format!("a step of config.steps makes over {LARGEST_TEXT} bytes of text"))
}

//! What a config asks for.

use engine::error::ErrorInfo;
use serde_json::{Map, Value};

use super::charset;
use super::csv::Dialect;
use super::format::{Format, SOURCES, TARGETS, Target};
use super::xlsx::SheetChoice;
use super::xml::Convention;
use super::zip::{self, Bounds};
use crate::config::{Config, invalid};
use crate::file::{FileName, media, read, write};

/// A conversion.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The format that the author says it is in.
    pub(super) from: Option<Format>,
    pub(super) to: Target,
    pub(super) name: Option<FileName>,
    pub(super) media_type: Option<String>,
    pub(super) charset: Option<&'static encoding_rs::Encoding>,
    /// Longest value, as JSON in bytes.
    pub(super) max_bytes: u64,
    pub(super) csv: Dialect,
    /// Whether the author says how fields are told apart.
    pub(super) has_delimiter: bool,
    pub(super) xlsx: SheetChoice,
    pub(super) xml: Convention,
    pub(super) zip: Bounds,
}

impl Plan {
    pub(super) fn of(config: &Config<'_>) -> Result<Self, ErrorInfo> {
        let charset = match config.text("charset")? {
            None | Some("auto") => None,
            Some(name) => Some(charset::named(name).ok_or_else(|| {
                let message =
                    "config.charset names no encoding; expected one such as `utf-8`, `utf-16le` or `windows-1252`";
                ErrorInfo::permanent("CONFIG_INVALID", message)
            })?),
        };
        let (csv, has_delimiter) = dialect(&Part::of(config, "csv")?)?;
        Ok(Self {
            from: from(config)?,
            to: to(config)?,
            name: config.text("name")?.map(write::name).transpose()?,
            media_type: config.text("media_type")?.map(media::checked).transpose()?,
            charset,
            max_bytes: read::max_bytes(config)?,
            csv,
            has_delimiter,
            xlsx: sheet(&Part::of(config, "xlsx")?)?,
            xml: convention(&Part::of(config, "xml")?)?,
            zip: bounds(&Part::of(config, "zip")?)?,
        })
    }
}

fn from(config: &Config<'_>) -> Result<Option<Format>, ErrorInfo> {
    let Some(word) = config.text("from")?.filter(|word| *word != "auto") else { return Ok(None) };
    let known = SOURCES.iter().find(|(known, _)| *known == word).map(|(_, format)| Some(*format));
    let words = || SOURCES.map(|(word, _)| word).join(", ");
    known.ok_or_else(|| invalid("from", &Value::from(word), &format!("`auto` or one of {}", words())))
}

fn to(config: &Config<'_>) -> Result<Target, ErrorInfo> {
    let word = config.text("to")?.unwrap_or("value");
    let known = TARGETS.iter().find(|(known, _)| *known == word).map(|(_, target)| *target);
    let words = || TARGETS.map(|(word, _)| word).join(", ");
    known.ok_or_else(|| invalid("to", &Value::from(word), &format!("one of {}", words())))
}

/// The options of one format.
struct Part<'a> {
    name: &'static str,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Part<'a> {
    fn of(config: &Config<'a>, name: &'static str) -> Result<Self, ErrorInfo> {
        Ok(Self { name, fields: config.object(name)? })
    }

    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields?.get(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, came: &Value, expected: &str) -> ErrorInfo {
        invalid(&format!("{}.{field}", self.name), came, expected)
    }

    fn flag(&self, field: &str, usual: bool) -> Result<bool, ErrorInfo> {
        let Some(value) = self.get(field) else { return Ok(usual) };
        value.as_bool().ok_or_else(|| self.wrong(field, value, "true or false"))
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, ErrorInfo> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(field, value, "a text"))
    }

    fn texts(&self, field: &str) -> Result<Option<Vec<String>>, ErrorInfo> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let texts =
            value.as_array().and_then(|items| items.iter().map(|item| Some(item.as_str()?.to_owned())).collect());
        texts.map(Some).ok_or_else(|| self.wrong(field, value, "a list of texts"))
    }

    fn number(&self, field: &str, most: u64) -> Result<Option<u64>, ErrorInfo> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let number = value.as_u64().filter(|number| (1..=most).contains(number));
        number.map(Some).ok_or_else(|| self.wrong(field, value, &format!("an integer from 1 to {most}")))
    }

    /// One character that stands between others.
    fn sign(&self, field: &str) -> Result<Option<u8>, ErrorInfo> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let sign = match value.as_str() {
            Some("tab" | "\\t") => Some(b'\t'),
            Some(text) => match text.as_bytes() {
                [sign] if sign.is_ascii() && !matches!(sign, b'\r' | b'\n' | 0) => Some(*sign),
                _ => None,
            },
            None => None,
        };
        sign.map(Some).ok_or_else(|| self.wrong(field, value, "one character such as `;`, or `tab`"))
    }
}

fn dialect(part: &Part<'_>) -> Result<(Dialect, bool), ErrorInfo> {
    let usual = Dialect::default();
    let delimiter = part.sign("delimiter")?;
    let dialect = Dialect {
        delimiter: delimiter.unwrap_or(usual.delimiter),
        quote: part.sign("quote")?.unwrap_or(usual.quote),
        header: part.flag("header", usual.header)?,
        trim: part.flag("trim", usual.trim)?,
        columns: part.texts("columns")?,
        escape_formulas: part.flag("escape_formulas", usual.escape_formulas)?,
        bom: part.flag("bom", usual.bom)?,
    };
    if dialect.delimiter == dialect.quote {
        let message = "config.csv has the same character as `delimiter` and `quote`; expected two";
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    Ok((dialect, delimiter.is_some()))
}

fn sheet(part: &Part<'_>) -> Result<SheetChoice, ErrorInfo> {
    Ok(SheetChoice {
        name: part.text("sheet")?.map(str::to_owned),
        header: part.flag("header", true)?,
        header_row: part.number("header_row", 1_048_576)?,
    })
}

fn convention(part: &Part<'_>) -> Result<Convention, ErrorInfo> {
    let usual = Convention::default();
    let or = |field: &str, usual: String| Ok::<_, ErrorInfo>(part.text(field)?.map_or(usual, str::to_owned));
    Ok(Convention {
        attribute_prefix: or("attribute_prefix", usual.attribute_prefix)?,
        text_key: or("text_key", usual.text_key)?,
        lists: part.texts("lists")?.unwrap_or_default(),
        root: part.text("root")?.map(str::to_owned),
        item: or("item", usual.item)?,
    })
}

fn bounds(part: &Part<'_>) -> Result<Bounds, ErrorInfo> {
    let (usual, most) = (zip::USUAL, zip::MOST);
    Ok(Bounds {
        members: part.number("max_members", most.members)?.unwrap_or(usual.members),
        bytes: part.number("max_bytes", most.bytes)?.unwrap_or(usual.bytes),
        ratio: part.number("max_ratio", most.ratio)?.unwrap_or(usual.ratio),
    })
}

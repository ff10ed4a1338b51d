//! A value as XML.

use std::io::{self, Write};

use engine::error::ErrorInfo;
use quick_xml::escape::escape;
use serde_json::{Map, Value};

use super::super::pipe::unwritten;
use super::Convention;

/// Writes a value as a document.
pub(in crate::file::convert) fn written(
    value: &Value,
    convention: &Convention,
    out: &mut impl Write,
) -> Result<(), ErrorInfo> {
    let mut only = value.as_object().into_iter().flatten();
    let (name, inner) = match (&convention.root, only.next(), only.next()) {
        (Some(root), ..) => (root, value),
        (None, Some((name, inner)), None) if !inner.is_array() => (name, inner),
        _ => {
            let what = crate::config::kind(value);
            return Err(shape(format!(
                "the value is {what}; expected an object with one member, which becomes the outermost element. Or name that \
                 element in config.xml.root"
            )));
        }
    };
    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    let mut writer = Writer { convention, out };
    match inner {
        Value::Array(items) => writer.listed(name, items)?,
        inner => writer.element(name, inner)?,
    }
    put(writer.out, "\n")
}

fn put(out: &mut impl Write, text: &str) -> Result<(), ErrorInfo> {
    out.write_all(text.as_bytes()).map_err(|error: io::Error| unwritten(&error))
}

struct Writer<'a, W> {
    convention: &'a Convention,
    out: &'a mut W,
}

impl<W: Write> Writer<'_, W> {
    /// A list in an element of its own.
    fn listed(&mut self, name: &str, items: &[Value]) -> Result<(), ErrorInfo> {
        check_name(name)?;
        put(self.out, &format!("<{name}>"))?;
        for item in items {
            self.element(&self.convention.item, item)?;
        }
        put(self.out, &format!("</{name}>"))
    }

    fn element(&mut self, name: &str, value: &Value) -> Result<(), ErrorInfo> {
        check_name(name)?;
        match value {
            Value::Object(members) => self.object(name, members),
            Value::Array(items) => self.listed(name, items),
            scalar => match text(name, scalar)? {
                empty if empty.is_empty() => put(self.out, &format!("<{name}/>")),
                text => put(self.out, &format!("<{name}>{text}</{name}>")),
            },
        }
    }

    fn object(&mut self, name: &str, members: &Map<String, Value>) -> Result<(), ErrorInfo> {
        let Convention { attribute_prefix: prefix, text_key, .. } = self.convention;
        let attribute = |key: &str| if prefix.is_empty() { None } else { key.strip_prefix(prefix).map(str::to_owned) };
        put(self.out, &format!("<{name}"))?;
        for (key, value) in members {
            let Some(attribute) = attribute(key) else { continue };
            check_name(&attribute)?;
            if value.is_array() || value.is_object() {
                let what = crate::config::kind(value);
                return Err(shape(format!(
                    "the attribute `{attribute:.100}` of `{name:.100}` is {what}; expected a text"
                )));
            }
            // Otherwise whoever reads it makes spaces of them.
            let text = text(&attribute, value)?.replace('\n', "&#10;").replace('\t', "&#9;");
            put(self.out, &format!(" {attribute}=\"{text}\""))?;
        }
        if members.keys().all(|key| attribute(key).is_some()) {
            return put(self.out, "/>");
        }
        put(self.out, ">")?;
        for (key, value) in members.iter().filter(|(key, _)| attribute(key).is_none()) {
            match value {
                scalar if key == text_key => put(self.out, &text(name, scalar)?)?,
                Value::Array(items) => {
                    for item in items {
                        self.element(key, item)?;
                    }
                }
                value => self.element(key, value)?,
            }
        }
        put(self.out, &format!("</{name}>"))
    }
}

/// A scalar as it stands in XML.
fn text(name: &str, value: &Value) -> Result<String, ErrorInfo> {
    let text = match value {
        Value::Null => return Ok(String::new()),
        other => crate::config::scalar(other),
    };
    let Some(text) = text else {
        let what = crate::config::kind(value);
        return Err(shape(format!("the text of `{name:.100}` is {what}; expected a text, a number or a boolean")));
    };
    let is_known =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    if let Some(c) = text.chars().find(|c| !is_known(*c)) {
        let code = u32::from(c);
        return Err(shape(format!("the text of `{name:.100}` has the character U+{code:04X}, which XML cannot have")));
    }
    Ok(escape(text.as_str()).into_owned())
}

fn check_name(name: &str) -> Result<(), ErrorInfo> {
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if begins && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')) {
        return Ok(());
    }
    Err(shape(format!(
        "`{name:.100}` is no name of an element or attribute: it begins with a letter or `_`, and goes on with letters, \
         digits, `-`, `.`, `_` and `:`"
    )))
}

fn shape(why: String) -> ErrorInfo {
    ErrorInfo::permanent("XML_SHAPE", why)
}

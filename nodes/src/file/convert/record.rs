//! Records: what tables and lists are made of, whatever they are written in.

use std::io::{self, Write};
use std::sync::Arc;

use engine::error::ErrorInfo;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json;

/// Records as they come.
pub(super) trait Records {
    /// The next one; `None` after the last.
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo>;

    /// Whether the one that came is all there is, and no list of one. Known once it came.
    fn is_alone(&self) -> bool {
        false
    }
}

/// One place in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// Anything else, as JSON.
    Json(String),
}

/// The names of the columns; none where there is no header.
pub(super) type Names = Option<Arc<[String]>>;

/// One record.
#[derive(Debug, Clone)]
pub(super) enum Record {
    /// A row of a table; without names its cells are a list.
    Row(Names, Vec<Cell>),
    /// JSON that was checked, without spaces.
    Json(String),
}

impl Record {
    /// The record as JSON.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let put = |out: &mut dyn Write, text: &str| serde_json::to_writer(out, text).map_err(io::Error::from);
        match self {
            Self::Json(text) => out.write_all(text.as_bytes()),
            Self::Row(names, cells) => {
                let (open, close) = if names.is_some() { ("{", "}") } else { ("[", "]") };
                out.write_all(open.as_bytes())?;
                for (index, cell) in cells.iter().enumerate() {
                    if index > 0 {
                        out.write_all(b",")?;
                    }
                    if let Some(name) = names.as_ref().and_then(|names| names.get(index)) {
                        put(out, name)?;
                        out.write_all(b":")?;
                    }
                    match cell {
                        Cell::Text(text) => put(out, text)?,
                        Cell::Json(text) => out.write_all(text.as_bytes())?,
                    }
                }
                out.write_all(close.as_bytes())
            }
        }
    }

    /// The record as a value.
    pub(super) fn value(self) -> Result<Value, ErrorInfo> {
        match self {
            Self::Json(text) => json::parsed(&text),
            Self::Row(None, cells) => cells.into_iter().map(Cell::value).collect(),
            Self::Row(Some(names), cells) => {
                let fields = names.iter().zip(cells).map(|(name, cell)| Ok((name.clone(), cell.value()?)));
                fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    /// The record as a row, in the order in which its fields come; what it is where it is none.
    pub(super) fn row(self) -> Result<(Names, Vec<Cell>), &'static str> {
        let text = match self {
            Self::Row(names, cells) => return Ok((names, cells)),
            Self::Json(text) => text,
        };
        if text.starts_with('[') {
            let cells: Vec<&RawValue> = serde_json::from_str(&text).map_err(|_| "a list that cannot be read")?;
            return Ok((None, cells.into_iter().map(Cell::of).collect()));
        }
        let Fields(fields) = serde_json::from_str(&text).map_err(|_| match text.as_bytes().first() {
            Some(b'"') => "a text",
            Some(b'n') => "null",
            Some(b't' | b'f') => "a boolean",
            _ => "a number",
        })?;
        let (names, cells): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        Ok((Some(names.into()), cells))
    }
}

impl Cell {
    /// What stands in a record as this JSON.
    fn of(raw: &RawValue) -> Self {
        match serde_json::from_str(raw.get()) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Json(raw.get().to_owned()),
        }
    }

    fn value(self) -> Result<Value, ErrorInfo> {
        match self {
            Self::Text(text) => Ok(Value::String(text)),
            Self::Json(text) => json::parsed(&text),
        }
    }
}

/// The fields of an object in their order, each once.
struct Fields(Vec<(String, Cell)>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Ordered;
        impl<'de> Visitor<'de> for Ordered {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, cell)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, Cell::of(cell)));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Ordered)
    }
}

/// The records of a list that is in memory: written and read again, since they are few.
pub(super) struct Held(std::vec::IntoIter<Value>);

impl Held {
    pub(super) fn new(items: Vec<Value>) -> Self {
        Self(items.into_iter())
    }
}

impl Records for Held {
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo> {
        Ok(self.0.next().map(|item| Record::Json(item.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_object_in_the_order_of_its_columns() {
        let names: Arc<[String]> = ["z".to_owned(), "a".to_owned()].into();
        let row = Record::Row(Some(names), vec![Cell::Text("\"".to_owned()), Cell::Json("1".to_owned())]);
        let mut out = Vec::new();
        row.write(&mut out).unwrap();
        assert_eq!(out, br#"{"z":"\"","a":1}"#);
        assert_eq!(row.value().unwrap(), serde_json::json!({"z": "\"", "a": 1}));
    }

    #[test]
    fn an_object_is_a_row_in_its_order_with_numbers_as_written() {
        let (names, cells) = Record::Json(r#"{"z":"x","a":1.10,"n":null,"l":[1]}"#.to_owned()).row().unwrap();
        assert_eq!(*names.unwrap(), ["z", "a", "n", "l"]);
        let json = |text: &str| Cell::Json(text.to_owned());
        assert_eq!(cells, [Cell::Text("x".to_owned()), json("1.10"), json("null"), json("[1]")]);
        let what = |text: &str| Record::Json(text.to_owned()).row().unwrap_err();
        assert_eq!((what("1"), what("null"), what("\"a\"")), ("a number", "null", "a text"));
    }
}

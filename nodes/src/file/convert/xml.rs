//! XML as a value and back. Elements are members, attributes are members with a prefix, repeated elements are lists.

mod write;

use engine::error::ErrorInfo;
use quick_xml::errors::Error;
use quick_xml::escape::EscapeError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

pub(super) use self::write::written;

/// Deepest nesting of elements; each may be two levels of a value.
const DEPTH: usize = 56;
/// Most elements and attributes of a document.
const NODES: usize = 500_000;

/// How elements and attributes are called in a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::file) struct Convention {
    /// Before the names of attributes.
    pub(super) attribute_prefix: String,
    /// The text of an element that has more than text.
    pub(super) text_key: String,
    /// Elements that are lists even when there is one.
    pub(super) lists: Vec<String>,
    /// The outermost element that is written around a value.
    pub(super) root: Option<String>,
    /// The element of each item of a list that has no name of its own.
    pub(super) item: String,
}

impl Default for Convention {
    fn default() -> Self {
        Self {
            attribute_prefix: "@".to_owned(),
            text_key: "#text".to_owned(),
            lists: Vec::new(),
            root: None,
            item: "item".to_owned(),
        }
    }
}

/// The encoding that a document says it is in, where it has no mark of one.
pub(super) fn declared(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let head = head.strip_prefix(b"<?xml")?;
    let head = String::from_utf8_lossy(head.split(|byte| *byte == b'>').next().unwrap_or_default()).into_owned();
    let (_, rest) = head.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    super::charset::named(rest.get(1..)?.split(quote).next()?)
}

/// An element that is not closed yet.
struct Open {
    name: String,
    members: Map<String, Value>,
    text: String,
}

/// The value of a document.
pub(super) fn read(text: &str, convention: &Convention) -> Result<Value, ErrorInfo> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut document = Document { convention, open: Vec::new(), root: None, nodes: 0 };
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| refused(text, reader.error_position(), &error))?;
        let is_over = matches!(event, Event::Eof);
        document.take(event).map_err(|why| why.at(text, at))?;
        if is_over {
            break;
        }
    }
    match document.root {
        Some((name, value)) => Ok(Value::Object(Map::from_iter([(name, value)]))),
        None => Err(invalid("it has no element".to_owned())),
    }
}

struct Document<'a> {
    convention: &'a Convention,
    open: Vec<Open>,
    root: Option<(String, Value)>,
    nodes: usize,
}

/// What is wrong with a document, its place apart.
enum Wrong {
    Form(String),
    Entity(String),
    TooDeep,
    TooMany,
    Parser(Error),
}

impl Wrong {
    fn at(self, text: &str, offset: u64) -> ErrorInfo {
        let place = place(text, offset);
        match self {
            Self::Form(why) => invalid(format!("{why}, {place}")),
            Self::Entity(name) => entity(&name, &place),
            Self::TooDeep => {
                let message = format!("elements are nested deeper than {DEPTH}, which is the most, {place}");
                ErrorInfo::permanent("FILE_TOO_DEEP", message)
            }
            Self::TooMany => {
                let message = format!(
                    "the document has more than {NODES} elements and attributes, which is the most, {place}. Split it where it \
                     is made"
                );
                ErrorInfo::permanent("FILE_DOCUMENT_TOO_LARGE", message)
            }
            Self::Parser(error) => refused(text, offset, &error),
        }
    }
}

impl Document<'_> {
    fn take(&mut self, event: Event<'_>) -> Result<(), Wrong> {
        match event {
            Event::Start(start) => self.begin(&start),
            Event::Empty(start) => {
                self.begin(&start)?;
                self.end();
                Ok(())
            }
            Event::End(_) => {
                self.end();
                Ok(())
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(Wrong::Parser)?;
                let mut one = [0; 4];
                let known = match character {
                    Some(c) => Some(&*c.encode_utf8(&mut one)),
                    None => quick_xml::escape::resolve_predefined_entity(&reference),
                };
                match known {
                    Some(known) => self.text(known),
                    None => Err(Wrong::Entity(reference.to_string())),
                }
            }
            Event::DocType(declared) if declared.contains('[') => Err(Wrong::Entity(String::new())),
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => Ok(()),
            Event::Eof => match self.open.last() {
                Some(open) => Err(Wrong::Form(format!("the element `{:.100}` is not closed", open.name))),
                None => Ok(()),
            },
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Wrong> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(Wrong::Form("it has more than one outermost element".to_owned()));
        }
        if self.open.len() >= DEPTH {
            return Err(Wrong::TooDeep);
        }
        let name = start.name().as_ref().to_owned();
        if name.is_empty() {
            return Err(Wrong::Form("an element has no name".to_owned()));
        }
        self.count()?;
        let mut members = Map::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| Wrong::Parser(error.into()))?;
            self.count()?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(Wrong::Parser)?;
            let key = format!("{}{}", self.convention.attribute_prefix, attribute.key.as_ref());
            members.insert(key, Value::String(value.into_owned()));
        }
        self.open.push(Open { name, members, text: String::new() });
        Ok(())
    }

    fn count(&mut self) -> Result<(), Wrong> {
        self.nodes += 1;
        if self.nodes > NODES { Err(Wrong::TooMany) } else { Ok(()) }
    }

    fn text(&mut self, text: &str) -> Result<(), Wrong> {
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Wrong::Form("a text stands outside of the outermost element".to_owned())),
        }
        Ok(())
    }

    /// Closes the innermost element; that it is the right one was checked by the reader.
    fn end(&mut self) {
        let Some(Open { name, mut members, text }) = self.open.pop() else { return };
        let value = if members.is_empty() {
            Value::String(text)
        } else {
            let text = text.trim();
            if !text.is_empty() {
                members.insert(self.convention.text_key.clone(), Value::String(text.to_owned()));
            }
            Value::Object(members)
        };
        let is_list = self.convention.lists.contains(&name);
        match self.open.last_mut() {
            None => self.root = Some((name, value)),
            Some(parent) => match parent.members.get_mut(&name) {
                Some(Value::Array(items)) => items.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None if is_list => {
                    parent.members.insert(name, Value::Array(vec![value]));
                }
                None => {
                    parent.members.insert(name, value);
                }
            },
        }
    }
}

fn invalid(why: String) -> ErrorInfo {
    ErrorInfo::permanent("XML_INVALID", format!("the document is no XML that can be read: {why}"))
}

fn entity(name: &str, place: &str) -> ErrorInfo {
    let what = if name.is_empty() {
        "the document declares a type of its own".to_owned()
    } else {
        format!("the document uses an entity `&{name:.100};`")
    };
    let message = format!(
        "{what}, {place}. Only `&lt;`, `&gt;`, `&amp;`, `&quot;`, `&apos;` and numbered characters are put in: declared ones can \
         grow without end or reach for files. Let the document be made without them"
    );
    ErrorInfo::permanent("XML_ENTITY", message)
}

fn refused(text: &str, offset: u64, error: &Error) -> ErrorInfo {
    let place = place(text, offset);
    match error {
        Error::Escape(EscapeError::UnrecognizedEntity(_, name)) => entity(name, &place),
        other => invalid(format!("{other}, {place}")),
    }
}

/// A place as people count: lines and columns from 1.
fn place(text: &str, offset: u64) -> String {
    let before = text.get(..usize::try_from(offset).unwrap_or(usize::MAX).min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("in line {line}, column {column}")
}

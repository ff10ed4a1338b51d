//! The XML inside of a spreadsheet, as it comes.

use std::io::{BufReader, Read, Seek};

use engine::error::ErrorInfo;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::bound::{Metered, RECORD, unread};
use super::super::charset::Decoded;
use super::super::pipe::Trouble;
use super::super::zip::{Archive, Unpacked};
use super::invalid;

/// Deepest nesting of elements; spreadsheets have about ten.
const DEPTH: usize = 64;

/// XML that is read as it comes.
pub(super) struct Part<R: Read> {
    reader: Reader<BufReader<Metered<Decoded<R>>>>,
    buffer: Vec<u8>,
    depth: usize,
    name: String,
    attributes: Attributes,
}

/// What comes next in it. Names are without their prefix.
pub(super) enum Seen<'a> {
    Begin(&'a str, &'a Attributes),
    End(&'a str),
    Text(String),
    Other,
    Over,
}

/// The attributes of an element.
#[derive(Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of one, by its name without prefix.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Takes those of an element in place of those before.
    fn take(&mut self, start: &BytesStart<'_>) -> Result<(), ErrorInfo> {
        self.0.clear();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| invalid(error.to_string()))?;
            let value =
                attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| invalid(error.to_string()))?;
            self.0.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
        }
        Ok(())
    }
}

/// Opens a part of a spreadsheet that must be there.
pub(super) fn open<'a, R: Read + Seek>(
    archive: &'a mut Archive<R>,
    path: &str,
    trouble: &Trouble,
) -> Result<Part<Unpacked<'a, R>>, ErrorInfo> {
    maybe(archive, path, trouble)?.ok_or_else(|| invalid(format!("its part {path:?} is missing")))
}

/// Opens a part, where it is there.
pub(super) fn maybe<'a, R: Read + Seek>(
    archive: &'a mut Archive<R>,
    path: &str,
    trouble: &Trouble,
) -> Result<Option<Part<Unpacked<'a, R>>>, ErrorInfo> {
    let found = archive.members.iter().position(|member| member.path.eq_ignore_ascii_case(path));
    let Some(index) = found else { return Ok(None) };
    let bytes = archive.member(index, trouble)?;
    Ok(Some(Part::new(bytes, trouble)))
}

impl<R: Read> Part<R> {
    fn new(bytes: R, trouble: &Trouble) -> Self {
        let text = Metered::new(Decoded::new(bytes, None, trouble.clone()), too_long, trouble.clone());
        let mut reader = Reader::from_reader(BufReader::with_capacity(32 * 1024, text));
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Vec::new(), depth: 0, name: String::new(), attributes: Attributes::default() }
    }

    /// What comes next.
    pub(super) fn next(&mut self) -> Result<Seen<'_>, ErrorInfo> {
        self.buffer.clear();
        let place = self.reader.buffer_position();
        self.reader.get_mut().get_mut().begin(place);
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            Error::Io(error) => unread(&error),
            other => invalid(other.to_string()),
        })?;
        Ok(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > DEPTH {
                    let message = format!("the spreadsheet nests elements deeper than {DEPTH}, which is the most");
                    return Err(ErrorInfo::permanent("FILE_TOO_DEEP", message));
                }
                self.name.clear();
                self.name.push_str(start.local_name().as_ref());
                self.attributes.take(&start)?;
                Seen::Begin(&self.name, &self.attributes)
            }
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                self.name.clear();
                self.name.push_str(end.local_name().as_ref());
                Seen::End(&self.name)
            }
            Event::Text(text) => Seen::Text(text.xml10_content().into_owned()),
            Event::CData(text) => Seen::Text(text.xml10_content().into_owned()),
            Event::GeneralRef(reference) => {
                let one = reference.resolve_char_ref().map_err(|error| invalid(error.to_string()))?;
                let known = quick_xml::escape::resolve_predefined_entity(&reference);
                match one.map(String::from).or_else(|| known.map(str::to_owned)) {
                    Some(text) => Seen::Text(text),
                    None => return Err(invalid("it uses an entity, which no spreadsheet does".to_owned())),
                }
            }
            Event::DocType(_) => return Err(invalid("it declares a type, which no spreadsheet does".to_owned())),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Empty(_) => Seen::Other,
            Event::Eof => Seen::Over,
        })
    }

    /// Goes on behind the element that has begun.
    pub(super) fn skip(&mut self, name: &str) -> Result<(), ErrorInfo> {
        loop {
            match self.next()? {
                Seen::End(end) if end == name => return Ok(()),
                Seen::Over => return Err(invalid(format!("an element `{name}` is not closed"))),
                _ => {}
            }
        }
    }
}

fn too_long(_place: u64) -> ErrorInfo {
    let message = format!("the spreadsheet has an element of more than {RECORD} bytes, which is the most of one");
    ErrorInfo::permanent("RECORD_TOO_LARGE", message)
}

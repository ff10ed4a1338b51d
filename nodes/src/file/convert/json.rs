//! JSON lists and JSON lines, a record at a time. Numbers stay as they are written: a file that becomes a file loses no
//! digit.

use std::io::{BufRead, BufReader, Read};

use engine::error::ErrorInfo;
use serde_json::Value;
use serde_json::value::RawValue;

use super::bound::{DEPTH, RECORD, unread};
use super::record::{Record, Records};

/// The items of a JSON list, or the one document that is there instead.
pub(super) struct Items<R> {
    source: BufReader<R>,
    line: u64,
    state: State,
    is_alone: bool,
    most: u64,
    too_large: fn(u64) -> ErrorInfo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    First,
    Later,
    Over,
}

impl<R: Read> Items<R> {
    /// A document that is no list may have `most` bytes; else it is `too_large`.
    pub(super) fn new(source: R, most: u64, too_large: fn(u64) -> ErrorInfo) -> Self {
        let source = BufReader::with_capacity(64 * 1024, source);
        Self { source, line: 1, state: State::Start, is_alone: false, most, too_large }
    }

    /// The next byte that is not a space, left where it is.
    fn peek(&mut self) -> Result<Option<u8>, ErrorInfo> {
        loop {
            let Some(byte) = self.source.fill_buf().map_err(|error| unread(&error))?.first().copied() else {
                return Ok(None);
            };
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.line += u64::from(byte == b'\n');
            self.source.consume(1);
        }
    }

    fn expected(&self, what: &str) -> ErrorInfo {
        not_json(format!("in line {} stands something else than {what}", self.line))
    }

    /// All that is left.
    fn document(&mut self) -> Result<Record, ErrorInfo> {
        let bytes = super::bound::whole(&mut self.source, self.most, self.too_large)?;
        self.state = State::Over;
        self.is_alone = true;
        record(&bytes, self.line)
    }

    /// The bytes up to the comma or bracket after an item.
    fn item(&mut self) -> Result<Record, ErrorInfo> {
        let (began, mut bytes, mut scan) = (self.line, Vec::new(), Scan::default());
        loop {
            let line = self.line;
            let buffer = self.source.fill_buf().map_err(|error| unread(&error))?;
            if buffer.is_empty() {
                return Err(not_json(format!("the list is not closed; its last item began in line {began}")));
            }
            let end = buffer.iter().position(|byte| scan.ends(*byte));
            let count = end.unwrap_or(buffer.len());
            let taken = buffer.get(..count).unwrap_or_default();
            bytes.extend_from_slice(taken);
            self.line = line + taken.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.source.consume(count);
            if bytes.len() as u64 > RECORD {
                return Err(too_long(began));
            }
            if end.is_some() {
                return record(&bytes, began);
            }
        }
    }
}

impl<R: Read> Records for Items<R> {
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo> {
        if self.state == State::Over {
            return Ok(None);
        }
        let next = self.peek()?;
        if self.state == State::Start {
            match next {
                Some(b'[') => self.source.consume(1),
                Some(_) => return self.document().map(Some),
                None => return Err(not_json("it is empty".to_owned())),
            }
            self.state = State::First;
        }
        match (self.peek()?, self.state) {
            (Some(b']'), _) => {
                self.source.consume(1);
                self.state = State::Over;
                match self.peek()? {
                    None => Ok(None),
                    Some(_) => Err(self.expected("nothing after the list")),
                }
            }
            (_, State::First) => {
                self.state = State::Later;
                self.item().map(Some)
            }
            (Some(b','), _) => {
                self.source.consume(1);
                self.peek()?;
                self.item().map(Some)
            }
            (None, _) => Err(not_json(format!("the list is not closed; it ends in line {}", self.line))),
            (Some(_), _) => Err(self.expected("a comma or the end of the list")),
        }
    }

    fn is_alone(&self) -> bool {
        self.is_alone
    }
}

/// Where one is in JSON that is read byte by byte.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    is_escaped: bool,
}

impl Scan {
    /// Whether an item of a list is over before this byte.
    fn ends(&mut self, byte: u8) -> bool {
        if self.in_text {
            self.in_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b',' if self.depth == 0 => return true,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

/// JSON lines: a record in each line, empty lines between them.
pub(super) struct Lines<R> {
    source: BufReader<R>,
    line: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source: BufReader::with_capacity(64 * 1024, source), line: 0 }
    }
}

impl<R: Read> Records for Lines<R> {
    fn next(&mut self) -> Result<Option<Record>, ErrorInfo> {
        loop {
            self.line += 1;
            let mut line = Vec::new();
            let bounded = &mut (&mut self.source).take(RECORD + 1);
            let count = bounded.read_until(b'\n', &mut line).map_err(|error| unread(&error))?;
            if count as u64 > RECORD {
                return Err(too_long(self.line));
            }
            if count == 0 {
                return Ok(None);
            }
            if !line.trim_ascii().is_empty() {
                return record(line.trim_ascii_end(), self.line).map(Some);
            }
        }
    }
}

fn not_json(why: String) -> ErrorInfo {
    ErrorInfo::permanent("FILE_NOT_JSON", format!("the file is not JSON: {why}"))
}

fn too_long(line: u64) -> ErrorInfo {
    let message = format!(
        "the record that begins in line {line} has more than {RECORD} bytes, which is the most of one. Look whether the file is \
         of another format, or split the record where it is made"
    );
    ErrorInfo::permanent("RECORD_TOO_LARGE", message)
}

/// The record in these bytes, which begin in this line.
fn record(bytes: &[u8], line: u64) -> Result<Record, ErrorInfo> {
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| {
        let (text, at) = (error.to_string(), line + (error.line() as u64).saturating_sub(1));
        let why = text.split(" at line ").next().unwrap_or_default();
        not_json(format!("{why} in line {at}, column {}", error.column()))
    })?;
    compact(raw.get()).map(Record::Json).ok_or_else(|| too_deep(line))
}

fn too_deep(line: u64) -> ErrorInfo {
    let message = format!("the record that begins in line {line} is nested deeper than {DEPTH}, which is the most");
    ErrorInfo::permanent("FILE_TOO_DEEP", message)
}

/// The same JSON without spaces between; `None` when it is nested too deep.
fn compact(text: &str) -> Option<String> {
    let (mut out, mut scan) = (String::with_capacity(text.len()), Scan::default());
    for c in text.chars() {
        // Whatever is not ASCII stands in a text.
        scan.ends(u8::try_from(c).unwrap_or(b'x'));
        if scan.depth > DEPTH {
            return None;
        }
        if scan.in_text || !c.is_ascii_whitespace() {
            out.push(c);
        }
    }
    Some(out)
}

/// JSON that was checked, as a value.
pub(super) fn parsed(text: &str) -> Result<Value, ErrorInfo> {
    serde_json::from_str(text).map_err(|error| not_json(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::bound::{DOCUMENT, document_too_large};
    use super::*;

    fn items(text: &str) -> Result<(Vec<String>, bool), ErrorInfo> {
        let mut items = Items::new(text.as_bytes(), DOCUMENT, document_too_large);
        all(&mut items).map(|found| (found, items.is_alone()))
    }

    fn all(records: &mut dyn Records) -> Result<Vec<String>, ErrorInfo> {
        let mut found = Vec::new();
        while let Some(record) = records.next()? {
            let mut out = Vec::new();
            record.write(&mut out).unwrap();
            found.push(String::from_utf8(out).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn a_list_comes_item_by_item_as_it_is_written() {
        let text = " [ {\"a\" : \"x, ]\\\"\\\\\" } ,\n 12345678901234567890.10 , [1 , [ ]] , null , \"ü [\" ] \n";
        let wanted = [r#"{"a":"x, ]\"\\"}"#, "12345678901234567890.10", "[1,[]]", "null", "\"ü [\""];
        assert_eq!(items(text).unwrap(), (wanted.map(str::to_owned).to_vec(), false));
        assert_eq!(items("[]").unwrap(), (vec![], false));
        assert_eq!(items(" {\"a\": [1 , 2]}\n").unwrap(), (vec![r#"{"a":[1,2]}"#.to_owned()], true));
    }

    #[test]
    fn what_is_no_list_of_json_says_where() {
        for (text, says) in [
            ("", "it is empty"),
            ("[", "not closed"),
            ("[1", "not closed; its last item began in line 1"),
            ("[1,\n", "not closed"),
            ("[1,]", "line 1"),
            ("[,1]", "line 1"),
            ("[1\n 2]", "line 2, column 2"),
            ("[1}", "not closed"),
            ("[{\"a\":\n\n}]", "in line 3, column 1"),
            ("[1] 2", "in line 1 stands something else than nothing after the list"),
            ("[\"\\x\"]", "invalid escape"),
            ("{} {}", "trailing"),
            ("nul", "line 1"),
        ] {
            let error = items(text).unwrap_err();
            assert_eq!(error.code, "FILE_NOT_JSON", "{text}");
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn lines_are_records_and_a_wrong_one_is_named() {
        let read = |text: &str| all(&mut Lines::new(text.as_bytes()));
        assert_eq!(read("{\"a\": 1}\r\n\n [2]\n3").unwrap(), [r#"{"a":1}"#, "[2]", "3"]);
        assert_eq!(read("").unwrap(), [""; 0]);
        let error = read("1\n\n{\"a\":}\n").unwrap_err();
        assert!(error.code == "FILE_NOT_JSON" && error.message.contains("in line 3, column 6"), "{error}");
    }

    #[test]
    fn records_have_a_length_and_a_depth() {
        let long = format!("[\"{}\"]", "x".repeat(RECORD as usize));
        assert_eq!(items(&long).unwrap_err().code, "RECORD_TOO_LARGE");
        assert_eq!(all(&mut Lines::new(long.as_bytes())).unwrap_err().code, "RECORD_TOO_LARGE");
        for (depth, code) in [(DEPTH, None), (DEPTH + 1, Some("FILE_TOO_DEEP")), (500_000, Some("FILE_TOO_DEEP"))] {
            let deep = format!("[{}{}]", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(items(&deep).err().map(|error| error.code), code.map(str::to_owned), "{depth}");
        }
        let document = format!("\"{}\"", "x".repeat(100));
        let error = Items::new(document.as_bytes(), 50, document_too_large).next().unwrap_err();
        assert_eq!(error.code, "FILE_DOCUMENT_TOO_LARGE");
    }

    #[test]
    fn what_is_as_deep_as_allowed_can_be_read_back() {
        let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        assert!(parsed(&deep).is_ok());
    }
}

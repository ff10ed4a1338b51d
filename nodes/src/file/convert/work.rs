//! The work itself: from a source to what is asked for, on a thread that may wait.

use std::io::{self, BufReader, Read, Write};

use base64::read::DecoderReader;
use base64::write::EncoderWriter;
use engine::error::ErrorInfo;
use serde_json::{Map, Value, json};
use tempfile::SpooledTempFile;

use super::bound::{Allowance, Count, DOCUMENT, document_too_large, unread, value_too_large, whole};
use super::charset::Decoded;
use super::csv::{Rows, Table};
use super::format::{Format, Target};
use super::json::{Items, Lines};
use super::pipe::{Inputs, Outputs, Trouble, unwritten};
use super::plan::Plan;
use super::record::{Held, Records};
use super::xlsx::Sheet;
use super::xml;
use super::zip::{Archive, Packer};
use crate::file::{FileName, NewFile, base64 as lenient, media};

/// What a conversion reads.
pub(super) enum Source {
    /// A file, which comes through the pipe, in this format.
    File(Format, FileName),
    /// A text in a value, in this format.
    Text(Format, String),
    /// A value.
    Value(Value),
    /// Files that come through the pipe one after another, and where each is to stand in an archive.
    Pack(Vec<(String, u64)>),
}

/// What came of it, besides files.
pub(super) enum Made {
    /// A value.
    Value(Value),
    /// The paths of files, in the order in which they were made.
    Paths(Vec<String>),
    /// One file.
    File,
}

/// Converts.
pub(super) fn convert(
    source: Source,
    plan: &Plan,
    inputs: &mut Inputs,
    outputs: &mut Outputs,
) -> Result<Made, ErrorInfo> {
    let trouble = inputs.trouble();
    let new = new_file(&source, plan);
    match source {
        Source::Value(value) => of_value(value, plan, new, outputs),
        Source::Pack(members) => {
            outputs.begin(new).map_err(|error| unwritten(&error))?;
            pack(&members, inputs, outputs)?;
            ended(outputs)
        }
        Source::Text(format, text) => of_bytes(format, text.as_bytes(), plan, new, outputs, &trouble),
        Source::File(format @ (Format::Xlsx | Format::Zip), _) if !plan.to.takes_anything() => {
            let spool = inputs.spool()?;
            let mut archive = Archive::open(BufReader::new(spool), &plan.zip)?;
            match (format, plan.to) {
                (Format::Xlsx, _) => {
                    let mut sheet = Sheet::open(&mut archive, &plan.xlsx, &trouble)?;
                    of_records(&mut sheet, plan, new, outputs)
                }
                (_, Target::Files) => unpack(archive, outputs, &trouble).map(Made::Paths),
                _ => listed(&archive, plan),
            }
        }
        Source::File(format, name) => {
            let mut plan = plan.clone();
            if !plan.has_delimiter && media::ending(name.as_str()).as_deref() == Some("tsv") {
                plan.csv.delimiter = b'\t';
            }
            of_bytes(format, inputs, &plan, new, outputs, &trouble)
        }
    }
}

fn ended(outputs: &mut Outputs) -> Result<Made, ErrorInfo> {
    outputs.end().map_err(|error| unwritten(&error))?;
    Ok(Made::File)
}

/// How the file is called that is made of a source.
fn new_file(source: &Source, plan: &Plan) -> NewFile {
    let (ending, media_type) = plan.to.looks();
    let name = match (&plan.name, source) {
        (Some(name), _) => name.clone(),
        (None, Source::File(_, name)) => named_after(name.as_str(), plan.to, ending),
        (None, _) if ending.is_empty() => FileName::tame("file"),
        (None, _) => FileName::tame(&format!("file.{ending}")),
    };
    let media_type = match (&plan.media_type, plan.to) {
        (Some(media_type), _) => media_type.clone(),
        (None, Target::Bytes) => media::of_name(name.as_str()).unwrap_or(media_type).to_owned(),
        (None, _) => media_type.to_owned(),
    };
    NewFile { name, media_type }
}

fn named_after(name: &str, to: Target, ending: &str) -> FileName {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let text = match to {
        Target::File(Format::Base64) => format!("{name}.{ending}"),
        Target::File(Format::Text) => name.to_owned(),
        Target::Bytes | Target::Value | Target::Files => stem.to_owned(),
        Target::File(_) => format!("{stem}.{ending}"),
    };
    // What is too long loses its end, which says what it is; then it is called by that alone.
    match FileName::parse(&text) {
        Ok(name) => name,
        Err(_) => FileName::tame(&format!("file.{ending}")),
    }
}

/// Converts bytes that come.
fn of_bytes(
    format: Format,
    mut bytes: impl Read,
    plan: &Plan,
    new: NewFile,
    outputs: &mut Outputs,
    trouble: &Trouble,
) -> Result<Made, ErrorInfo> {
    match plan.to {
        Target::File(Format::Base64) => {
            outputs.begin(new).map_err(|error| unwritten(&error))?;
            let mut encoder = EncoderWriter::new(&mut *outputs, &lenient::LENIENT);
            copy(&mut bytes, &mut encoder)?;
            encoder.finish().map_err(|error| unwritten(&error))?;
            drop(encoder);
            return ended(outputs);
        }
        Target::Bytes => {
            outputs.begin(new).map_err(|error| unwritten(&error))?;
            let mut decoder = DecoderReader::new(Plain { bytes: BufReader::new(bytes) }, &lenient::LENIENT);
            decode(&mut decoder, outputs)?;
            return ended(outputs);
        }
        Target::File(Format::Text) => {
            outputs.begin(new).map_err(|error| unwritten(&error))?;
            copy(&mut Decoded::new(bytes, plan.charset, trouble.clone()), outputs)?;
            return ended(outputs);
        }
        _ => {}
    }
    if format == Format::Xml {
        return of_value(document(bytes, plan, trouble)?, plan, new, outputs);
    }
    let text = Decoded::new(bytes, plan.charset, trouble.clone());
    match (format, plan.to) {
        (Format::Text, _) => {
            let text = whole(text, plan.max_bytes, value_too_large)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            Allowance::new(plan.max_bytes).take(json_len(&Value::String(text.clone())))?;
            Ok(Made::Value(Value::String(text)))
        }
        (Format::Json, Target::File(Format::Xml)) => {
            let text = whole(text, DOCUMENT, document_too_large)?;
            let value = super::json::parsed(&String::from_utf8_lossy(&text))?;
            of_value(value, plan, new, outputs)
        }
        (Format::Json, to) => {
            let mut items = match to {
                Target::Value => Items::new(text, plan.max_bytes, value_too_large),
                _ => Items::new(text, DOCUMENT, document_too_large),
            };
            of_records(&mut items, plan, new, outputs)
        }
        (Format::JsonLines, _) => of_records(&mut Lines::new(text), plan, new, outputs),
        _ => of_records(&mut Rows::new(text, &plan.csv, trouble.clone()), plan, new, outputs),
    }
}

/// A document of XML as a value.
fn document(bytes: impl Read, plan: &Plan, trouble: &Trouble) -> Result<Value, ErrorInfo> {
    let bytes = whole(bytes, DOCUMENT, document_too_large)?;
    let charset = plan.charset.or_else(|| xml::declared(&bytes));
    let mut text = String::new();
    let mut decoded = Decoded::new(bytes.as_slice(), charset, trouble.clone());
    decoded.read_to_string(&mut text).map_err(|error| unread(&error))?;
    xml::read(&text, &plan.xml)
}

/// Converts records as they come.
fn of_records(records: &mut dyn Records, plan: &Plan, new: NewFile, outputs: &mut Outputs) -> Result<Made, ErrorInfo> {
    let to = match plan.to {
        Target::Value => return held(records, plan.max_bytes).map(Made::Value),
        to => to,
    };
    let written = |result: io::Result<()>| result.map_err(|error| unwritten(&error));
    written(outputs.begin(new))?;
    match to {
        Target::File(Format::Csv) => {
            let mut table = Table::new(&mut *outputs, &plan.csv)?;
            while let Some(record) = records.next()? {
                table.add(record)?;
            }
            table.end()?;
        }
        Target::File(Format::Json) => {
            let mut count = 0_u64;
            while let Some(record) = records.next()? {
                let before: &[u8] = if records.is_alone() {
                    b""
                } else if count == 0 {
                    b"[\n"
                } else {
                    b",\n"
                };
                written(outputs.write_all(before))?;
                written(record.write(outputs))?;
                count += 1;
            }
            let end: &[u8] = match (count, records.is_alone()) {
                (_, true) => b"\n",
                (0, _) => b"[]\n",
                _ => b"\n]\n",
            };
            written(outputs.write_all(end))?;
        }
        _ => {
            while let Some(record) = records.next()? {
                written(record.write(outputs))?;
                written(outputs.write_all(b"\n"))?;
            }
        }
    }
    ended(outputs)
}

/// Records as a value.
fn held(records: &mut dyn Records, most: u64) -> Result<Value, ErrorInfo> {
    let (mut items, mut allowance) = (Vec::new(), Allowance::new(most));
    // Two brackets, and a comma for each.
    allowance.take(2)?;
    while let Some(record) = records.next()? {
        let mut count = Count::default();
        record.write(&mut count).map_err(|error| unwritten(&error))?;
        allowance.take(count.0 + 1)?;
        let value = record.value()?;
        if records.is_alone() {
            return Ok(value);
        }
        items.push(value);
    }
    Ok(Value::Array(items))
}

fn json_len(value: &Value) -> u64 {
    let mut count = Count::default();
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => u64::MAX,
    }
}

/// Converts a value that is there.
fn of_value(value: Value, plan: &Plan, new: NewFile, outputs: &mut Outputs) -> Result<Made, ErrorInfo> {
    let written = |result: io::Result<()>| result.map_err(|error| unwritten(&error));
    match plan.to {
        Target::Value => {
            Allowance::new(plan.max_bytes).take(json_len(&value))?;
            return Ok(Made::Value(value));
        }
        Target::File(Format::Csv | Format::JsonLines) => {
            let Value::Array(items) = value else {
                let message = format!(
                    "config.value is {}; expected a list, whose items are the records",
                    crate::config::kind(&value)
                );
                return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
            };
            let mut plan = plan.clone();
            plan.csv.columns = plan.csv.columns.take().or_else(|| all_columns(&items));
            return of_records(&mut Held::new(items), &plan, new, outputs);
        }
        Target::File(Format::Xml) => {
            written(outputs.begin(new))?;
            xml::written(&value, &plan.xml, outputs)?;
        }
        Target::File(Format::Text) => {
            let Value::String(text) = value else {
                let message = format!("config.value is {}; expected a text", crate::config::kind(&value));
                return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
            };
            written(outputs.begin(new))?;
            written(outputs.write_all(text.as_bytes()))?;
        }
        _ => {
            written(outputs.begin(new))?;
            written(serde_json::to_writer(&mut *outputs, &value).map_err(io::Error::from))?;
            written(outputs.write_all(b"\n"))?;
        }
    }
    ended(outputs)
}

/// The fields of all records of a list, in the order in which they first come; none when some have no names.
fn all_columns(items: &[Value]) -> Option<Vec<String>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut columns = Vec::new();
    for item in items {
        for name in item.as_object()?.keys() {
            if seen.insert(name.as_str()) {
                columns.push(name.clone());
            }
        }
    }
    (!items.is_empty()).then_some(columns)
}

/// Copies; what cannot be read is told from what cannot be written.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), ErrorInfo> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).map_err(|error| unread(&error))?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default()).map_err(|error| unwritten(&error))?;
    }
}

/// Base64 as the standard alphabet has it, without what stands between.
struct Plain<R> {
    bytes: BufReader<R>,
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.bytes.read(buffer)?;
            let mut kept = 0;
            for at in 0..count {
                let Some(byte) = buffer.get(at).copied().and_then(lenient::standard) else { continue };
                if let Some(place) = buffer.get_mut(kept) {
                    *place = byte;
                    kept += 1;
                }
            }
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

fn decode(from: &mut impl Read, to: &mut Outputs) -> Result<(), ErrorInfo> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).map_err(|error| {
            let message = format!("the file is no Base64: {error}, not counting spaces and line breaks");
            ErrorInfo::permanent("FILE_NOT_BASE64", message)
        })?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..count).unwrap_or_default()).map_err(|error| unwritten(&error))?;
    }
}

/// Packs the files that come.
fn pack(members: &[(String, u64)], inputs: &mut Inputs, outputs: &mut Outputs) -> Result<(), ErrorInfo> {
    let mut packer = Packer::new(&mut *outputs);
    for (path, size) in members {
        inputs.next_file();
        let mut failed = None;
        let packed = packer.add(path, *size, |out| {
            let mut out = out;
            copy(inputs, &mut out).map_err(|error| {
                failed = Some(error);
                io::Error::other("not copied")
            })
        });
        packed.map_err(|error| failed.unwrap_or_else(|| unwritten(&error)))?;
    }
    packer.end().map_err(|error| unwritten(&error))
}

/// Unpacks an archive; the paths of the files, in their order.
fn unpack(
    mut archive: Archive<BufReader<SpooledTempFile>>,
    outputs: &mut Outputs,
    trouble: &Trouble,
) -> Result<Vec<String>, ErrorInfo> {
    let mut paths = Vec::new();
    for index in 0..archive.members.len() {
        let Some(member) = archive.members.get(index).filter(|member| !member.is_folder()) else { continue };
        let path = member.path.clone();
        let name = FileName::tame(&path);
        let media_type = media::of_name(name.as_str()).unwrap_or(crate::file::UNKNOWN_MEDIA_TYPE).to_owned();
        outputs.begin(NewFile { name, media_type }).map_err(|error| unwritten(&error))?;
        copy(&mut archive.member(index, trouble)?, outputs)?;
        outputs.end().map_err(|error| unwritten(&error))?;
        paths.push(path);
    }
    Ok(paths)
}

/// What an archive holds, as a value.
fn listed(archive: &Archive<impl Read>, plan: &Plan) -> Result<Made, ErrorInfo> {
    let files = archive.members.iter().filter(|member| !member.is_folder());
    let list: Value = files.map(|member| json!({ "path": member.path, "size": member.size })).collect();
    Allowance::new(plan.max_bytes).take(json_len(&list))?;
    Ok(Made::Value(list))
}

/// A file of an archive as later nodes get it.
pub(super) fn unpacked(path: String, file: Value) -> Value {
    Value::Object(Map::from_iter([("path".to_owned(), Value::String(path)), ("file".to_owned(), file)]))
}

//! `file.convert`: from one format to another, between files and values.

use std::sync::Arc;

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor, OUT, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Map, Value};

use self::format::{Format, SOURCES, TARGETS, Target, fault};
use self::plan::Plan;
use self::work::{Made, Source};
use super::{FileHandle, Files, in_config};
use crate::config::{Config, invalid, missing};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

mod bound;
mod charset;
mod csv;
mod format;
mod json;
mod pipe;
mod plan;
mod record;
mod schema;
mod work;
mod xlsx;
mod xml;
mod zip;

/// Converts files and values.
pub(crate) struct Convert;

const DOCS: &str = "\
Turns a file into a value or into another file, and a value into a file. `from` says what comes, `to` what is made of it;
without `from` the type of the file says it, or the ending of its name.

```yaml
type: file.convert@1
config:
  file: '{{ input.body }}'
  from: csv
  to: jsonl
  csv: { delimiter: ';', trim: true }
```

| from | to `value` | to files |
|---|---|---|
| `csv` | a list of objects, or of lists with `csv.header: false`; all fields are texts | `csv`, `json`, `jsonl` |
| `json`, `jsonl` | what it holds; lines are a list | `csv`, `json`, `jsonl`; a document of JSON also `xml` |
| `xlsx` | a list like that of CSV, with numbers, booleans, and dates as `2026-01-31` | `csv`, `json`, `jsonl` |
| `xml` | an object: `{order: {'@id': '7', line: [..]}}` | `xml`, `json` |
| `zip` | a list of `{path, size}` | `files`: a list of `{path, file}` |
| `text` | a text | `text` in UTF-8 |
| `base64` | | `bytes`: the file that it stands for |

Any file becomes `base64`, and one or a list of files `zip`: in `file` stand handles, or `{path, file}` for a place in
folders. Instead of `file`, `value` takes a value, for `csv`, `json`, `jsonl`, `xml` and `text`; or with `from` a text in that
format, such as the answer of a service.

The output is the value, or the handle of the file. It is called like the one that it was made of, with another ending,
or `name`.

**Size.** A value may have 1 MiB as JSON, or what `max_bytes` says, at most 16 MiB. From file to file CSV, JSON lists, JSON
lines, XLSX, text, Base64 and the members of archives go through as they come, at any size, with records of at most 1 MiB.
XML and JSON documents that are no list are read as a whole, at most 16 MiB. A spreadsheet and an archive that is unpacked
lie on the server's disk meanwhile.

**Archives.** Nothing is unpacked when a member's name would lead out of its folder, is a link or a device, is encrypted, shares
bytes with another, or when there are more than `zip.max_members` (1,000) or they unpack to more than `zip.max_bytes` (1 GiB)
or one to more than `zip.max_ratio` (200) times its size. Archives inside of an archive stay files.

**XML.** Entities that a document declares are refused, nothing outside is ever read, and elements nest at most 56 deep.
Attributes are members with `@` before their name, text beside other members is `#text`, repeated elements are lists; name those
in `xml.lists` that are to be lists also when there is one.

**CSV for people.** A text that a spreadsheet would compute, such as `=HYPERLINK(..)`, is written with `'` before it; signed numbers
and numbers of phones stay. For programs set `csv.escape_formulas: false`. Excel needs `csv.bom: true` to see that it is UTF-8.

Errors: `FILE_FORMAT_UNKNOWN`, `FILE_NOT_TEXT`, `FILE_NOT_JSON`, `FILE_NOT_BASE64`, `FILE_TOO_DEEP`, `FILE_VALUE_TOO_LARGE`,
`FILE_DOCUMENT_TOO_LARGE`, `RECORD_TOO_LARGE`, `CSV_INVALID` and `CSV_SHAPE`, `XML_INVALID`, `XML_ENTITY` and `XML_SHAPE`,
`XLSX_INVALID` and `XLSX_SHAPE`, `ZIP_INVALID`, `ZIP_DAMAGED`, `ZIP_UNSAFE_NAME`, `ZIP_UNSAFE_MEMBER`, `ZIP_TOO_LARGE`,
`ZIP_OVERLAP`, `ZIP_ENCRYPTED` and `ZIP_METHOD_UNSUPPORTED`; each says where and what to do.";

#[async_trait]
impl NodeType for Convert {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Convert a file",
            summary: "Turns files and values into one another: CSV, JSON, XML, XLSX, ZIP, text.",
            docs: DOCS,
            icon: "layers",
            translations: &[crate::german::convert::CONVERT],
            aliases: &["csv", "excel", "xlsx", "xml", "zip", "unzip", "json lines", "parse", "spreadsheet", "base64"],
            config_schema: schema::config(),
            for_each: true,
            ..NodeDescriptor::new("file.convert", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, config: &Value) -> EffectClass {
        match config.get("to") {
            None | Some(Value::Null) => EffectClass::Pure,
            Some(Value::String(word)) if word == Target::Value.word() => EffectClass::Pure,
            // Every time they are other files of the same bytes.
            Some(_) => EffectClass::Idempotent,
        }
    }

    fn output(&self, port: &str, shape: &Shape<'_>) -> Option<PortType> {
        let word = shape.config.get("to")?.as_str().filter(|_| port == OUT)?;
        let (_, target) = TARGETS.iter().find(|(known, _)| *known == word)?;
        match target {
            Target::Value => None,
            Target::Files => {
                Some(PortType::list_of(PortType::closed([("path", PortType::String), ("file", PortType::File)])))
            }
            Target::Bytes | Target::File(_) => Some(PortType::File),
        }
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        let word = |field: &str| config.get(field).and_then(Value::as_str);
        let known = |word: &str| TARGETS.iter().find(|(known, _)| *known == word).map(|(_, target)| *target);
        let from = word("from").and_then(|word| SOURCES.iter().find(|(known, _)| *known == word));
        let to = known(word("to").unwrap_or("value"));
        let written = |field: &str| config.get(field).is_some();
        if let (Some((_, from)), Some(to)) = (from, to)
            && let Some(message) = fault(*from, to)
        {
            let hint = "choose another `from` or `to`".to_owned();
            faults.push(Fault { path: "/to".to_owned(), message, hint });
        }
        if written("file") == written("value") {
            let message = "`file` and `value` both say what is converted; one of them has to".to_owned();
            let hint = "set `file` to a handle, such as `{{ input.body }}`, or `value` to a value".to_owned();
            faults.push(Fault { path: String::new(), message, hint });
        }
        faults
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let (plan, files) = (Plan::of(&config)?, context.files());
        let (source, handles) = source(&config, &plan, &files).await?;
        let work =
            move |inputs: &mut pipe::Inputs, outputs: &mut pipe::Outputs| work::convert(source, &plan, inputs, outputs);
        let (made, kept) = pipe::run(&files, &handles, work).await?;
        let mut kept = kept.into_iter().map(|file| file.value());
        Ok(done(match made {
            Made::Value(value) => value,
            Made::Paths(paths) => paths.into_iter().zip(kept).map(|(path, file)| work::unpacked(path, file)).collect(),
            Made::File => kept.next().unwrap_or_default(),
        }))
    }
}

/// What is converted, and the files that have to be read for it.
async fn source(
    config: &Config<'_>,
    plan: &Plan,
    files: &Arc<dyn Files>,
) -> Result<(Source, Vec<FileHandle>), ErrorInfo> {
    match (config.value("file"), config.raw("value")) {
        (Some(_), Some(_)) => {
            let message = "config has both `file` and `value`; expected one of them, which is converted";
            Err(ErrorInfo::permanent("CONFIG_INVALID", message))
        }
        (None, None) => Err(missing("file", "a file, such as another node's output gives, or config.value")),
        (None, Some(value)) => Ok((of_value(value, plan)?, Vec::new())),
        (Some(file), None) if plan.to == Target::File(Format::Zip) => members(file, files).await,
        (Some(file), None) => {
            let file = in_config(files, "file", file).await?;
            let from = format_of(&file, plan)?;
            Ok((Source::File(from, file.name.clone()), vec![file]))
        }
    }
}

fn of_value(value: &Value, plan: &Plan) -> Result<Source, ErrorInfo> {
    let Some(from) = plan.from else {
        let takes_values = matches!(
            plan.to,
            Target::File(Format::Csv | Format::Json | Format::JsonLines | Format::Xml | Format::Text)
        );
        if takes_values {
            return Ok(Source::Value(value.clone()));
        }
        let message = format!(
            "config.value cannot become {}; a value becomes csv, json, jsonl, xml or text. Where it is a text in some format, \
             say so in config.from",
            plan.to.word()
        );
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    };
    if !from.is_text() || plan.to == Target::File(Format::Zip) {
        let message = format!("config.value is no {}; expected config.file with the handle of one", from.word());
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    if let Some(message) = fault(from, plan.to) {
        return Err(ErrorInfo::permanent("CONFIG_INVALID", format!("config.to: {message}")));
    }
    let text = value.as_str().ok_or_else(|| invalid("value", value, "a text in the format that config.from says"))?;
    Ok(Source::Text(from, text.to_owned()))
}

/// The format that a file is read in.
fn format_of(file: &FileHandle, plan: &Plan) -> Result<Format, ErrorInfo> {
    let assumed = match plan.to {
        Target::Files => Some(Format::Zip),
        Target::Bytes => Some(Format::Base64),
        to if to.takes_anything() => Some(Format::Text),
        _ => None,
    };
    let told = || Format::of(file).or_else(|| (plan.to == Target::File(Format::Text)).then_some(Format::Text));
    let from = plan.from.or(assumed).or_else(told).ok_or_else(|| {
        let message = format!(
            "neither the type of the file `{}`, {:.100}, nor its name says what it is in. Set config.from to one of {}",
            file.name,
            file.media_type,
            SOURCES.map(|(word, _)| word).join(", ")
        );
        ErrorInfo::permanent("FILE_FORMAT_UNKNOWN", message)
    })?;
    match fault(from, plan.to) {
        None => Ok(from),
        Some(message) => Err(ErrorInfo::permanent("CONFIG_INVALID", format!("config.to: {message}"))),
    }
}

/// The files that an archive is made of: one, or a list of handles or of `{path, file}`.
async fn members(value: &Value, files: &Arc<dyn Files>) -> Result<(Source, Vec<FileHandle>), ErrorInfo> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let most = self::zip::MOST.members;
    if items.len() as u64 > most {
        let message = format!("config.file has {} entries; an archive is made of at most {most}", items.len());
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let (mut members, mut handles) = (Vec::new(), Vec::new());
    let mut paths = std::collections::BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let field = if value.is_array() { format!("file[{index}]") } else { "file".to_owned() };
        let (path, file) = place(item, &field)?;
        let file = in_config(files, &field, file).await?;
        let path = path.map_or_else(|| file.name.as_str().to_owned(), str::to_owned);
        let wrong = self::zip::fault(&path).or_else(|| path.ends_with('/').then_some("it is a folder"));
        if let Some(why) = wrong {
            let message = format!("config.{field}.path: {why}; expected one such as `reports/january.csv`");
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
        if !paths.insert(path.clone()) {
            let message = format!(
                "config.{field} is the second file called `{path:.200}`. Give files a place of their own as `{{path, file}}`"
            );
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
        members.push((path, file.size));
        handles.push(file);
    }
    Ok((Source::Pack(members), handles))
}

/// A file, and the place that it is to have.
fn place<'a>(item: &'a Value, field: &str) -> Result<(Option<&'a str>, &'a Value), ErrorInfo> {
    let Some((path, file)) =
        item.as_object().and_then(|entry: &Map<_, _>| Some((entry.get("path")?, entry.get("file")?)))
    else {
        return Ok((None, item));
    };
    let text = path.as_str().ok_or_else(|| invalid(&format!("{field}.path"), path, "a text"))?;
    Ok((Some(text), file))
}

#[cfg(test)]
mod tests;

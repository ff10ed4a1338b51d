//! `artifact.read`: a file as a value.

use std::sync::Arc;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{FileHandle, Files, base64, in_config};
use crate::config::{Config, choice, missing};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// A file as a value.
pub(crate) struct Read;

/// Longest file that becomes a value when the config does not say, in bytes.
pub(super) const USUAL_VALUE: u64 = 1024 * 1024;
/// The most that a config may ask for, in bytes: as much as a webhook takes as JSON.
pub(super) const LARGEST_VALUE: u64 = 16 * 1024 * 1024;
/// Bytes from which on a value is read apart, so that others on this thread go on.
const LARGE: usize = 256 * 1024;

const DOCS: &str = "\
Gives what a file holds as a value: as a text, as the JSON that it is, or as a text in Base64.

```yaml
type: artifact.read@1
config:
  file: '{{ input.body }}'
  as: json
```

A value is in memory as a whole and is kept with the run, so this is for small files: up to 1 MiB, or what `max_bytes`
says, at most 16 MiB. A larger file fails the node with `FILE_VALUE_TOO_LARGE` before anything of it is read. Large ones
stay files: `http.request` sends them on, and `file.convert` turns one file into another.

A text is UTF-8; a mark of that at its beginning is left out. Errors: `FILE_NOT_TEXT` when the bytes are no UTF-8, with
the place of the first that is not (`file.convert` reads other encodings), `FILE_NOT_JSON` with line and column,
`FILE_NOT_FOUND` for a handle that is not of this run.";

#[async_trait]
impl NodeType for Read {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Read a file",
            summary: "Gives what a file holds as a value.",
            docs: DOCS,
            icon: "scroll-text",
            translations: &[crate::german::file::READ],
            aliases: &["load", "open", "content", "file", "text", "json", "base64", "import"],
            config_schema: config_schema(),
            for_each: true,
            ..NodeDescriptor::new("artifact.read", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        // The bytes of a file never change.
        EffectClass::Pure
    }

    fn output(&self, port: &str, shape: &Shape<'_>) -> Option<PortType> {
        let is_json =
            matches!(shape.config.get("as"), Some(Value::String(word)) if word == "json" || word.contains("{{"));
        (port == OUT && !is_json).then_some(PortType::String)
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let wanted = choice(config.fields(), "", "as", &KINDS)?;
        let most = max_bytes(&config)?;
        let file =
            config.value("file").ok_or_else(|| missing("file", "a file, such as another node's output gives"))?;
        let files = context.files();
        let file = in_config(&files, "file", file).await?;
        let bytes = whole(&files, &file, most).await?;
        if bytes.len() <= LARGE {
            return value(&file, bytes, wanted).map(done);
        }
        let read = tokio::task::spawn_blocking(move || value(&file, bytes, wanted)).await;
        let broken = |error| ErrorInfo::permanent("FILE_UNREADABLE", format!("the file could not be read: {error}"));
        read.map_err(broken)?.map(done)
    }
}

/// How large a value `config.max_bytes` allows.
pub(super) fn max_bytes(config: &Config<'_>) -> Result<u64, ErrorInfo> {
    Ok(config.integer("max_bytes", 1, LARGEST_VALUE)?.unwrap_or(USUAL_VALUE))
}

/// The bytes of a small file.
async fn whole(files: &Arc<dyn Files>, file: &FileHandle, most: u64) -> Result<Vec<u8>, ErrorInfo> {
    if file.size > most {
        let message = format!(
            "the file `{}` has {} bytes, and a value is made of at most {most}. Set config.max_bytes, up to \
             {LARGEST_VALUE}, or leave it a file: http.request sends it on, file.convert turns it into another",
            file.name, file.size
        );
        return Err(ErrorInfo::permanent("FILE_VALUE_TOO_LARGE", message));
    }
    let mut pieces = files.read(file).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.size).unwrap_or_default());
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes)
}

fn value(file: &FileHandle, bytes: Vec<u8>, wanted: usize) -> Result<Value, ErrorInfo> {
    if wanted == 2 {
        return Ok(Value::String(base64::encoded(&bytes)));
    }
    let text = text(file, bytes)?;
    if wanted == 0 {
        return Ok(Value::String(text));
    }
    serde_json::from_str(&text).map_err(|error| {
        let message = format!(
            "the file `{}` is not JSON: {error}. Set config.as to `text` to take it as text; JSON lines are read by \
             file.convert",
            file.name
        );
        ErrorInfo::permanent("FILE_NOT_JSON", message)
    })
}

/// The bytes as text, without the mark that says UTF-8.
fn text(file: &FileHandle, bytes: Vec<u8>) -> Result<String, ErrorInfo> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let line = bytes.get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() + 1;
        let found = bytes.get(at).copied().unwrap_or_default();
        let message = format!(
            "the file `{}` is no text in UTF-8: byte 0x{found:02X} at offset {at}, in line {line}. Set config.as to \
             `base64`, or let file.convert read it with its charset",
            file.name
        );
        ErrorInfo::permanent("FILE_NOT_TEXT", message)
    })?;
    if text.starts_with('\u{FEFF}') {
        text.drain(..'\u{FEFF}'.len_utf8());
    }
    Ok(text)
}

/// What a file is given as, the first unless an author says otherwise.
const KINDS: [&str; 3] = ["text", "json", "base64"];

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["file"],
        "properties": {
            "file": {
                "x-order": 1,
                "title": "File",
                "description": "The file, such as `{{ input.body }}` after a webhook that takes files.",
            },
            "as": {
                "x-order": 2,
                "x-widget": "select",
                "title": "As",
                "description": "What to make of it: a text in UTF-8, the JSON that it holds, or a text in Base64 for any bytes.",
                "enum": KINDS,
                "default": "text",
            },
            "max_bytes": {
                "x-order": 3,
                "title": "Most bytes",
                "description": "How large the file may be; at most 16 MiB.",
                "type": "integer",
                "minimum": 1,
                "maximum": LARGEST_VALUE,
                "default": USUAL_VALUE,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Shelf, kept_by};

    async fn read(bytes: &[u8], config: Value) -> Result<Value, ErrorInfo> {
        let shelf = Shelf::default();
        let handle = shelf.put("a.txt", "text/plain", bytes);
        let mut config = config;
        config["file"] = handle.value();
        kept_by(&Read, &shelf, config, json!(null)).await
    }

    #[tokio::test]
    async fn a_file_is_a_text_or_json_or_base64() {
        assert_eq!(read("grüße\n".as_bytes(), json!({})).await.unwrap(), json!("grüße\n"));
        assert_eq!(read(b"\xEF\xBB\xBFa", json!({"as": "text"})).await.unwrap(), json!("a"));
        assert_eq!(read(b"\xEF\xBB\xBF {\"a\": [1]}\n", json!({"as": "json"})).await.unwrap(), json!({"a": [1]}));
        assert_eq!(read(&[0, 1, 255], json!({"as": "base64"})).await.unwrap(), json!("AAH/"));
        assert_eq!(read(b"", json!({})).await.unwrap(), json!(""));
        let large = vec![b'x'; LARGE + 1];
        assert_eq!(read(&large, json!({})).await.unwrap().as_str().map(str::len), Some(LARGE + 1));
    }

    #[tokio::test]
    async fn what_cannot_be_a_value_says_where_and_what_to_do() {
        for (bytes, config, code, says) in [
            (&b"ab\ncd\xFF"[..], json!({}), "FILE_NOT_TEXT", "byte 0xFF at offset 5, in line 2"),
            (b"ab\xC3", json!({"as": "json"}), "FILE_NOT_TEXT", "offset 2"),
            (b"{\n  \"a\": }", json!({"as": "json"}), "FILE_NOT_JSON", "line 2 column 8"),
            (b"", json!({"as": "json"}), "FILE_NOT_JSON", "line 1"),
            (b"{} {}", json!({"as": "json"}), "FILE_NOT_JSON", "trailing"),
            (b"abcd", json!({"max_bytes": 3}), "FILE_VALUE_TOO_LARGE", "has 4 bytes, and a value is made of at most 3"),
            (b"a", json!({"max_bytes": 0}), "CONFIG_INVALID", "config.max_bytes"),
            (b"a", json!({"max_bytes": 16_777_217}), "CONFIG_INVALID", "config.max_bytes"),
            (b"a", json!({"as": "yaml"}), "CONFIG_INVALID", "config.as"),
        ] {
            let error = read(bytes, config.clone()).await.unwrap_err();
            assert_eq!(error.code, code, "{config}");
            assert!(error.message.contains(says), "{config}: {error}");
        }
        let deep = "[".repeat(100_000);
        let error = read(deep.as_bytes(), json!({"as": "json"})).await.unwrap_err();
        assert!(error.code == "FILE_NOT_JSON" && error.message.contains("recursion limit"), "{error}");
    }

    #[tokio::test]
    async fn a_file_over_the_bound_is_refused_unread_and_one_of_nobody_is_not_found() {
        let shelf = Shelf::default();
        let handle = shelf.put("a.txt", "text/plain", &vec![b'x'; 1024 * 1024 + 1]);
        let config = |file: Value| json!({"file": file});
        let error = kept_by(&Read, &shelf, config(handle.value()), json!(null)).await.unwrap_err();
        assert_eq!((error.code.as_str(), shelf.reads()), ("FILE_VALUE_TOO_LARGE", 0));
        for file in [json!("a.txt"), json!({"$file": "/etc/passwd"}), json!(null)] {
            let error = kept_by(&Read, &shelf, config(file.clone()), json!(null)).await.unwrap_err();
            assert!(error.code == "CONFIG_INVALID" && error.message.starts_with("config.file"), "{file}: {error}");
        }
        let nobodys = json!({"$file": "art_01920000000070008000000000000099"});
        assert_eq!(kept_by(&Read, &shelf, config(nobodys), json!(null)).await.unwrap_err().code, "FILE_NOT_FOUND");
    }
}

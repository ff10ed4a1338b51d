//! `artifact.write`: makes a file of a value.

use async_trait::async_trait;
use bytes::Bytes;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{FileName, NewFile, UNKNOWN_MEDIA_TYPE, base64, media};
use crate::config::{Config, choice, invalid, kind};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Makes a file of a value.
pub(crate) struct Write;

const DOCS: &str = "\
Keeps a value as a file of the run. The output is the file's handle, which `http.request` sends on, `file.convert` and
`artifact.read` read, and people download.

```yaml
type: artifact.write@1
config:
  content: '{{ input.letter }}'
  name: 'letter-{{ input.id }}.txt'
```

With `encoding: text`, the default, a text becomes the file as it is, in UTF-8, and anything else is written as JSON.
`encoding: json` writes a text as JSON too, in quotes. With `encoding: base64` the content is a text in Base64, of either
alphabet and with or without line breaks, and the file is the bytes that it stands for.

Without `name` the file is called `file.txt`, `file.json` or `file`. Without `media_type` the ending of the name says
what it is.

Keeping it twice is as keeping it once, save that the run then lists it twice: after a crash it may be kept again. Errors:
`FILE_NOT_BASE64`, `FILE_TOO_LARGE`.";

/// The content as bytes, and what a file of it is called and is when nobody says.
struct Content {
    bytes: Vec<u8>,
    name: &'static str,
    media_type: &'static str,
}

#[async_trait]
impl NodeType for Write {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Write a file",
            summary: "Makes a file of a value.",
            docs: DOCS,
            icon: "pencil",
            translations: &[crate::german::file::WRITE],
            aliases: &["save", "store", "file", "attachment", "upload", "base64", "export"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, PortType::File)],
            for_each: true,
            ..NodeDescriptor::new("artifact.write", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, config: &Value) -> bool {
        config.get("content").is_none()
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        // Every time it is another file of the same bytes.
        EffectClass::Idempotent
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let content = content(&config, config.raw("content").unwrap_or(&attempt.input))?;
        let name = match config.text("name")? {
            Some(text) => name(text)?,
            None => FileName::tame(content.name),
        };
        let media_type = match config.text("media_type")? {
            Some(text) => media::checked(text)?,
            None => media::of_name(name.as_str()).unwrap_or(content.media_type).to_owned(),
        };
        let bytes = futures::stream::iter([Ok(Bytes::from(content.bytes))]).boxed();
        let kept = context.files().keep(NewFile { name, media_type }, bytes).await?;
        Ok(done(kept.value()))
    }
}

/// The name that stands in `config.name`.
pub(super) fn name(text: &str) -> Result<FileName, ErrorInfo> {
    FileName::parse(text).map_err(|error| ErrorInfo::permanent("CONFIG_INVALID", format!("config.name: {error}")))
}

fn content(config: &Config<'_>, value: &Value) -> Result<Content, ErrorInfo> {
    let text = |text: &str| Content { bytes: text.into(), name: "file.txt", media_type: "text/plain" };
    let as_json = || {
        let bytes = serde_json::to_vec(value).unwrap_or_default();
        Content { bytes, name: "file.json", media_type: "application/json" }
    };
    match (choice(config.fields(), "", "encoding", &ENCODINGS)?, value) {
        (0, Value::String(written)) => Ok(text(written)),
        (0 | 1, _) => Ok(as_json()),
        (_, Value::String(written)) => {
            let bytes = base64::decoded(written).map_err(|error| {
                let message =
                    format!("config.content is no Base64: {error}. Set config.encoding to `text` to keep it as it is");
                ErrorInfo::permanent("FILE_NOT_BASE64", message)
            })?;
            Ok(Content { bytes, name: "file", media_type: UNKNOWN_MEDIA_TYPE })
        }
        _ if config.raw("content").is_some() => Err(invalid("content", value, "a text in Base64")),
        _ => {
            let message =
                format!("the input is {}; expected a text in Base64, or config.content that gives it", kind(value));
            Err(ErrorInfo::permanent("CONFIG_INVALID", message))
        }
    }
}

/// How content is written, the first unless an author says otherwise.
const ENCODINGS: [&str; 3] = ["text", "json", "base64"];

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "content": {
                "x-order": 1,
                "x-widget": "json",
                "title": "Content",
                "description": "What the file holds; the node's input when absent.",
            },
            "encoding": {
                "x-order": 2,
                "x-widget": "select",
                "title": "Encoding",
                "description": "How the content is written: a text as it is and all else as JSON, always as JSON, or as the bytes that a text in Base64 stands for.",
                "enum": ENCODINGS,
                "default": "text",
            },
            "name": {
                "x-order": 3,
                "title": "Name",
                "description": "What the file is called, such as `report.csv`.",
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
            },
            "media_type": {
                "x-order": 4,
                "title": "Media type",
                "description": "What the file says it is, such as `text/csv`; what the ending of its name stands for when absent.",
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Shelf, fails, kept_by};

    #[tokio::test]
    async fn a_value_becomes_a_file_as_its_encoding_says() {
        for (config, input, bytes, name, media_type) in [
            (json!({"content": "grüße"}), json!(1), "grüße".as_bytes(), "file.txt", "text/plain"),
            (json!({}), json!("a\nb"), b"a\nb", "file.txt", "text/plain"),
            (json!({"content": {"b": 1}}), json!(1), br#"{"b":1}"#, "file.json", "application/json"),
            (json!({"content": null}), json!(1), b"null", "file.json", "application/json"),
            (json!({"content": "a", "encoding": "json"}), json!(1), br#""a""#, "file.json", "application/json"),
            (
                json!({"content": "AAH/", "encoding": "base64"}),
                json!(1),
                &[0, 1, 255],
                "file",
                "application/octet-stream",
            ),
            (json!({"content": "", "name": "a.CSV"}), json!(1), b"", "a.CSV", "text/csv"),
            (json!({"content": "x", "name": "a.csv", "media_type": "x/y"}), json!(1), b"x", "a.csv", "x/y"),
        ] {
            let shelf = Shelf::default();
            let output = kept_by(&Write, &shelf, config.clone(), input).await.unwrap();
            let (file, kept) = shelf.only();
            assert_eq!(kept, bytes, "{config}");
            assert_eq!((file.name.as_str(), file.media_type.as_str()), (name, media_type), "{config}");
            assert_eq!(output, file.value(), "{config}");
        }
    }

    #[tokio::test]
    async fn what_makes_no_file_is_named() {
        for (config, input, code, says) in [
            (json!({"content": "a!b", "encoding": "base64"}), json!(1), "FILE_NOT_BASE64", "offset 1"),
            (json!({"content": [1], "encoding": "base64"}), json!(1), "CONFIG_INVALID", "config.content is a list"),
            (json!({"encoding": "base64"}), json!({}), "CONFIG_INVALID", "the input is an object"),
            (json!({"encoding": "yaml"}), json!(1), "CONFIG_INVALID", "config.encoding"),
            (json!({"name": "../a"}), json!(1), "CONFIG_INVALID", "config.name: it is a path"),
            (json!({"media_type": "csv"}), json!(1), "CONFIG_INVALID", "config.media_type"),
        ] {
            let error = fails(&Write, config.clone(), input).await;
            assert_eq!(error.code, code, "{config}");
            assert!(error.message.contains(says), "{config}: {error}");
        }
    }

    #[test]
    fn a_crash_may_keep_it_again() {
        assert_eq!(Write.effect(&json!({})), EffectClass::Idempotent);
    }
}

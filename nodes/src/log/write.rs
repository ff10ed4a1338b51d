//! `log.write`: a line that stays with the run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::config::{Config, choice};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Writes a line that stays with the run.
pub(crate) struct Write;

const LEVELS: [&str; 4] = ["info", "debug", "warn", "error"];
/// Longest message, in bytes.
const LONGEST: usize = 16 * 1024;
/// Most characters that the server's own log takes of one.
const SHOWN: usize = 2_000;

const DOCS: &str = "\
Writes a line: level, message and fields. It stays with the run as the node's output `{level, message, fields, at}` and is
read where the outputs of a run are; `at` is the time of the attempt. The server also writes it to its own log, with the
ids of run and node, cut to 2,000 characters and without the fields; after a crash it may stand there twice. A message has
at most 16 KiB.

```yaml
type: log.write@1
config:
  level: warn
  message: 'Order {{ input.id }} has no address.'
  fields:
    customer: '{{ input.customer }}'
```

The input is not handed on: put the line on a way of its own, or let later nodes read `nodes.<key>.output` of the node
before.";

#[async_trait]
impl NodeType for Write {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let line = BTreeMap::from([
            field("level", PortType::String),
            field("message", PortType::String),
            field("fields", PortType::object()),
            field("at", PortType::String),
        ]);
        NodeDescriptor {
            title: "Log line",
            summary: "Writes a line that stays with the run.",
            docs: DOCS,
            icon: "scroll-text",
            translations: &[crate::german::flow::LOG],
            aliases: &["print", "debug", "trace", "note", "message", "console"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["message"],
                "properties": {
                    "level": {
                        "x-order": 2,
                        "x-widget": "select",
                        "title": "Level",
                        "description": "How much the line matters.",
                        "enum": ["debug", "info", "warn", "error"],
                        "default": "info",
                    },
                    "message": {
                        "x-order": 1,
                        "x-widget": "textarea",
                        "title": "Message",
                        "description": "The line, for people.",
                        "type": "string",
                    },
                    "fields": {
                        "x-order": 3,
                        "x-widget": "key-value",
                        "title": "Fields",
                        "description": "Values that belong to it, by name.",
                        "type": "object",
                    },
                },
            }),
            outputs: vec![Port::one(OUT, PortType::Object { fields: line, open: false })],
            for_each: true,
            ..NodeDescriptor::new("log.write", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    /// The line itself is the output; that a crash repeats it in the server's log does no harm.
    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let level = choice(config.fields(), "", "level", &LEVELS)?;
        let message = config.required_text("message")?;
        if message.len() > LONGEST {
            let message = format!("config.message has {} bytes; at most {LONGEST} are taken", message.len());
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
        let fields = config.object("fields")?.cloned().unwrap_or_default();
        let shown: String = message.chars().take(SHOWN).collect();
        let (run, node) = (attempt.run, attempt.node.as_str());
        // Escaped, so that no text from outside makes a second line that looks like one of ours.
        match level {
            1 => tracing::debug!(run.id = %run, node.key = node, "log line of {node}: {shown:?}"),
            2 => tracing::warn!(run.id = %run, node.key = node, "log line of {node}: {shown:?}"),
            3 => tracing::error!(run.id = %run, node.key = node, "log line of {node}: {shown:?}"),
            _ => tracing::info!(run.id = %run, node.key = node, "log line of {node}: {shown:?}"),
        }
        let at = chrono::DateTime::from_timestamp_micros(context.now().0).unwrap_or_default();
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        let level = LEVELS.get(level).copied().unwrap_or("info");
        Ok(done(json!({ "level": level, "message": message, "fields": fields, "at": at })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn the_line_is_the_output_with_the_time_of_the_attempt() {
        let config = json!({"level": "warn", "message": "no address", "fields": {"customer": {"id": 7}}});
        let line = output(&Write, config, json!({})).await;
        let at = "2026-01-01T00:00:00Z";
        let expected = json!({"level": "warn", "message": "no address", "fields": {"customer": {"id": 7}}, "at": at});
        assert_eq!(line, expected);
        assert_eq!(output(&Write, json!({"message": ""}), json!({})).await["level"], json!("info"));
    }

    #[tokio::test]
    async fn a_line_without_words_or_without_end_is_refused() {
        for config in [
            json!({}),
            json!({"message": 3}),
            json!({"message": "m", "level": "loud"}),
            json!({"message": "m", "fields": []}),
            json!({"message": "m".repeat(LONGEST + 1)}),
        ] {
            assert_eq!(fails(&Write, config, json!({})).await.code, "CONFIG_INVALID");
        }
    }
}

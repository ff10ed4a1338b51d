//! `http.respond`: the answer to the webhook call that started the run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use super::header::{headers, to_object};
use crate::config::Config;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Says what the caller of a webhook is answered.
pub(crate) struct Respond;

const DOCS: &str = "\
Answers the HTTP request that started the run. The node itself sends nothing: its output `{status, headers, body}` is
stored with the run, and the server that holds the caller's connection answers with it.

```yaml
type: http.respond@1
config:
  status: 201
  headers:
    Location: '/orders/{{ input.id }}'
  body:
    id: '{{ input.id }}'
    accepted: true
```

A text as `body` is sent as it is, anything else as JSON.";

#[async_trait]
impl NodeType for Respond {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let answer = BTreeMap::from([
            field("status", PortType::Integer),
            field("headers", PortType::object()),
            field("body", PortType::Any),
        ]);
        NodeDescriptor {
            title: "Respond",
            summary: "Answers the HTTP request that started the run.",
            docs: DOCS,
            icon: "reply",
            translations: &[crate::german::http::RESPOND],
            aliases: &["response", "reply", "answer", "webhook", "return", "status"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "status": {
                        "x-order": 1,
                        "title": "Status",
                        "description": "The HTTP status.",
                        "type": "integer",
                        "minimum": 200,
                        "maximum": 599,
                        "default": 200,
                    },
                    "headers": {
                        "x-order": 2,
                        "x-widget": "key-value",
                        "title": "Headers",
                        "description": "Names and values; a value of null is left out.",
                        "type": "object",
                        "additionalProperties": { "type": ["string", "number", "boolean", "null"] },
                    },
                    "body": {
                        "x-order": 3,
                        "x-widget": "json",
                        "title": "Body",
                        "description": "A text, or anything else to be sent as JSON; empty when absent.",
                    },
                },
            }),
            outputs: vec![Port::one(OUT, PortType::Object { fields: answer, open: false })],
            ..NodeDescriptor::new("http.respond", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let status = config.integer("status", 200, 599)?.unwrap_or(200);
        let headers = to_object(&headers(&config, "headers")?);
        let body = config.raw("body").unwrap_or(&Value::Null);
        Ok(done(json!({ "status": status, "headers": headers, "body": body })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn the_output_is_the_answer_with_header_names_in_lower_case() {
        let config = json!({"status": 201, "headers": {"X-Count": 3, "X-None": null}, "body": {"ok": true}});
        let answer = output(&Respond, config, json!({})).await;
        assert_eq!(answer, json!({"status": 201, "headers": {"x-count": "3"}, "body": {"ok": true}}));
        assert_eq!(output(&Respond, json!({}), json!({})).await, json!({"status": 200, "headers": {}, "body": null}));
    }

    #[tokio::test]
    async fn what_would_break_the_answer_is_refused() {
        for config in [
            json!({"status": 100}),
            json!({"status": 600}),
            json!({"status": "200"}),
            json!({"status": 200.5}),
            json!({"headers": {"x": "a\r\nset-cookie: b"}}),
            json!({"headers": {"a b": "c"}}),
            json!({"headers": {"Content-Length": 3}}),
            json!({"headers": {"X": 1, "x": 2}}),
            json!({"headers": {"x": [1]}}),
            json!({"headers": []}),
        ] {
            assert_eq!(fails(&Respond, config.clone(), json!({})).await.code, "CONFIG_INVALID", "{config}");
        }
    }
}

//! `trigger.webhook`: started by an HTTP request.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::{Attempt, NodeContext, NodeOutcome, NodeType, passed};

mod settings;

pub use self::settings::{Algorithm, AnswerMode, BodyMode, DeliveryId, Encoding, Hmac, Proof, WebhookSettings};

/// Hands on the HTTP request that started the run.
pub(crate) struct Webhook;

const DOCS: &str = "\
Starts a run for each HTTP request to the workflow's URL under `/hooks`. The caller gets a 2xx only after the run is
stored. The output is the request:

| field | what |
|---|---|
| `method` | such as `POST` |
| `path` | the path of the request, without the secret part |
| `headers` | object of texts, names in lower case, without credentials |
| `query` | object of texts |
| `body` | the parsed JSON, the text, or null when there was none; with `body: file` the handle of a file |

A run that was started otherwise hands on the input that it was started with.

Who may call is said by `verify`: whoever knows the secret part of the URL, unless it says something else. Signatures are
checked over the raw bytes, with the secret of the node's connection.

```yaml
type: trigger.webhook@1
connection: github
config:
  verify: github
  methods: [POST]
  most_per_minute: 600
```

A delivery that comes again, told by its id, is answered with the run that it started before. Later nodes read the
request as `{{ trigger.body.id }}` or `{{ trigger.headers['x-request-id'] }}`. To answer the caller with data of the run,
add `http.respond`, or let the run's end be the `answer`.";

#[async_trait]
impl NodeType for Webhook {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let request = BTreeMap::from([
            field("method", PortType::String),
            field("path", PortType::String),
            field("headers", PortType::object()),
            field("query", PortType::object()),
            field("body", PortType::Any),
        ]);
        NodeDescriptor {
            title: "Webhook",
            summary: "Starts a run for each HTTP request to a URL.",
            docs: DOCS,
            icon: "webhook",
            translations: &[crate::german::webhook::WEBHOOK],
            aliases: &["http", "hook", "callback", "endpoint", "url", "request", "listen"],
            config_schema: config_schema(),
            auth: &["http.basic", "http.bearer", "http.header", "webhook.signing"],
            outputs: vec![Port::one(OUT, PortType::Object { fields: request, open: true })],
            ..NodeDescriptor::new("trigger.webhook", 1, NodeCategory::Trigger)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        WebhookSettings::read(config).err().unwrap_or_default()
    }

    fn connections(&self, config: &Value) -> Option<&'static [&'static str]> {
        WebhookSettings::read(config).ok().map(|settings| settings.proof.connections())
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

fn config_schema() -> Value {
    let field = |order: u32, title: &str, description: &str, more: Value| {
        let mut field = json!({ "x-order": order, "x-literal": true, "title": title, "description": description });
        if let (Some(field), Value::Object(more)) = (field.as_object_mut(), more) {
            field.extend(more);
        }
        field
    };
    let words = |words: &[&str], usual: &str| json!({ "x-widget": "select", "enum": words, "default": usual });
    let text = |most: u32| json!({ "type": "string", "minLength": 1, "maxLength": most });
    let duration = |usual: &str| json!({ "type": "string", "x-widget": "duration", "default": usual });
    let hmac = |order: u32, title: &str, description: &str, more: Value| {
        field(order, title, &format!("For `verify: hmac`. {description}"), more)
    };
    let proofs = ["url", "none", "bearer", "basic", "header", "hmac", "standard", "github", "stripe", "slack"];
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "verify": field(
                1,
                "Who may call",
                "`url`: whoever knows the secret part of the URL. `none`: anybody. All others need a connection with \
                 what the sender shows or signs with.",
                words(&proofs, "url"),
            ),
            "path": field(
                2,
                "Own path",
                "The end of the URL, such as `orders/new`; workflow and node when absent. Not for `verify: url`.",
                text(200),
            ),
            "methods": field(
                3,
                "Methods",
                "Any when absent.",
                json!({ "type": "array", "maxItems": 7, "items": { "enum": methods } }),
            ),
            "body": field(
                4,
                "Body",
                "`auto`: JSON, a form or text, as it says it is. `json`, `text`: that, whatever it says; up to 16 MiB. \
                 `file`: kept as a file of any size; of a form with files (multipart/form-data) each file, by its field.",
                words(&["auto", "json", "text", "file"], "auto"),
            ),
            "answer": field(
                5,
                "Answer",
                "`auto`: by `http.respond` when there is one, otherwise `at_once`: 202 when the run is stored. `run_end`: \
                 the run's output. `respond`: by `http.respond`.",
                words(&["auto", "at_once", "run_end", "respond"], "auto"),
            ),
            "answer_within": field(
                6,
                "Wait at most",
                "How long the caller waits for the run; then it gets 202. 1 s to 5 min.",
                duration("30s"),
            ),
            "most_per_minute": field(
                7,
                "Most a minute",
                "Deliveries over it get 429. Each server process counts for itself.",
                json!({ "type": "integer", "minimum": 1, "maximum": 60_000 }),
            ),
            "delivery_header": field(
                8,
                "Header of the delivery's id",
                "Deliveries with the same id start one run; the headers that senders usually use when absent.",
                text(100),
            ),
            "delivery_id": field(
                9,
                "Id of the delivery",
                "Instead of a header: an expression without braces, such as `body.event.id`.",
                text(1_000),
            ),
            "delivery_window": field(
                10,
                "Remembered for",
                "How long the id of a delivery is remembered. 1 min to 30 days.",
                duration("24h"),
            ),
            "tolerance": field(
                11,
                "Tolerance",
                "How far the time of a signed delivery may be from the server's. 10 s to 1 h.",
                duration("5m"),
            ),
            "signature_header": hmac(12, "Header of the signature", "Such as `X-Signature`.", text(100)),
            "signature_algorithm": hmac(13, "Hash", "The hash of the HMAC.", words(&["sha1", "sha256", "sha512"], "sha256")),
            "signature_encoding": hmac(14, "Written as", "How the signature is written.", words(&["hex", "base64"], "hex")),
            "signature_prefix": hmac(15, "Prefix", "What stands before the signature, such as `sha256=`.", text(100)),
            "timestamp_header": hmac(16, "Header of the time", "Seconds since 1970, if the sender signs them.", text(100)),
            "signed_text": hmac(
                17,
                "What is signed",
                "`{body}`, or with a time `{timestamp}.{body}`, and whatever stands around them.",
                text(200),
            ),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::output;

    #[tokio::test]
    async fn the_output_is_the_request() {
        let request =
            json!({"method": "POST", "path": "/hooks/x", "headers": {}, "query": {}, "body": {"$file": "plain"}});
        assert_eq!(output(&Webhook, json!({}), request.clone()).await, request);
    }
}

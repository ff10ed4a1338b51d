//! `trigger.webhook`: started by an HTTP request.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::Value;

use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Hands on the HTTP request that started the run.
pub(crate) struct Webhook;

const DOCS: &str = "\
Starts a run for each HTTP request to the workflow's URL under `/hooks`. The caller gets a 2xx only after the run is
stored. The output is the request:

| field | what |
|---|---|
| `method` | such as `POST` |
| `path` | the path of the request |
| `headers` | object of texts, names in lower case |
| `query` | object of texts |
| `body` | the parsed JSON, the text, or null when there was none |

A run that was started otherwise hands on the input that it was started with.

```yaml
type: trigger.webhook@1
config: {}
```

Later nodes read it as `{{ trigger.body.id }}` or `{{ trigger.headers['x-request-id'] }}`. To answer the caller with
data of the run, add `http.respond`.";

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
            translations: &[crate::german::trigger::WEBHOOK],
            aliases: &["http", "hook", "callback", "endpoint", "url", "request", "listen"],
            outputs: vec![Port::one(OUT, PortType::Object { fields: request, open: true })],
            ..NodeDescriptor::new("trigger.webhook", 1, NodeCategory::Trigger)
        }
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(done(Value::clone(&attempt.input)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::output;
    use serde_json::json;

    #[tokio::test]
    async fn the_output_is_the_request() {
        let request =
            json!({"method": "POST", "path": "/hooks/x", "headers": {}, "query": {}, "body": {"$file": "plain"}});
        assert_eq!(output(&Webhook, json!({}), request.clone()).await, request);
    }
}

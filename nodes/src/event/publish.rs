//! `event.publish`: tells other workflows that something happened.

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::id::NodeRunId;
use engine::listen::check_subject;
use engine::port::PortType;
use serde_json::{Value, json};

use crate::config::Config;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Publishes an event. The event is the node's output: it is published in the commit that stores that.
pub(crate) struct Publish;

/// Most bytes of an event's data.
const LARGEST: usize = 1024 * 1024;

const HINT: &str = "write words joined by dots, such as `order.paid`";

const DOCS: &str = "\
Publishes an event to the workflows of the project whose `trigger.event` listens to its subject, and to those of other
projects that ask for events of the whole workspace, in the same environment. The output is the event `{id, subject, data,
published_at}`; `id` is the same however often the node is tried.

The event is published in the commit that stores the node's result, so each listening trigger starts exactly one run for
it, whatever is killed meanwhile. A test run publishes nothing, and neither does a result that is taken over from an
earlier run. Data has at most 1 MiB. In a `for_each` every item is an event.

```yaml
type: event.publish@1
config:
  subject: order.paid
  data:
    id: '{{ input.id }}'
    total: '{{ input.total }}'
```

Runs that start each other in this way stop at ten in a row; the start that would be one too many leaves an event with the
reason `LOOP`.";

#[async_trait]
impl NodeType for Publish {
    fn descriptor(&self) -> NodeDescriptor {
        let event = PortType::closed([
            ("id", PortType::String),
            ("subject", PortType::String),
            ("data", PortType::Any),
            ("published_at", PortType::String),
        ]);
        NodeDescriptor {
            title: "Publish event",
            summary: "Tells other workflows that something happened.",
            docs: DOCS,
            icon: "megaphone",
            translations: &[crate::german::event::PUBLISH],
            aliases: &["emit", "notify", "broadcast", "message", "topic", "subject", "queue"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["subject"],
                "properties": {
                    "subject": {
                        "x-order": 1,
                        "title": "Subject",
                        "description": "What happened, as words joined by dots, such as `order.paid`.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "data": {
                        "x-order": 2,
                        "x-widget": "json",
                        "title": "Data",
                        "description": "What listeners are given; the node's input when absent.",
                        "default": "{{ input }}",
                    },
                },
            }),
            outputs: vec![Port::one(OUT, event)],
            for_each: true,
            ..NodeDescriptor::new("event.publish", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, config: &Value) -> bool {
        config.get("data").is_none()
    }

    /// Nothing outside is touched: the result itself is the event.
    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        let subject = config.get("subject").and_then(Value::as_str).filter(|subject| !subject.contains("{{"));
        let error = subject.and_then(|subject| check_subject(subject).err());
        let fault = |message| Fault { path: "/subject".to_owned(), message, hint: HINT.to_owned() };
        error.map(|error| fault(error.to_string())).into_iter().collect()
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let subject = config.required_text("subject")?;
        check_subject(subject)
            .map_err(|error| ErrorInfo::permanent("SUBJECT_INVALID", format!("config.subject: {error}; {HINT}")))?;
        let data = config.raw("data").unwrap_or(&attempt.input);
        let size = data.to_string().len();
        if size > LARGEST {
            let message = format!("the event's data has {size} bytes; at most {LARGEST} are taken");
            return Err(ErrorInfo::permanent("EVENT_TOO_LARGE", message));
        }
        let id = NodeRunId { run: attempt.run, node: attempt.node.clone(), scope: attempt.scope.clone() };
        let at = chrono::DateTime::from_timestamp_micros(context.now().0).unwrap_or_default();
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        Ok(done(json!({ "id": id.to_string(), "subject": subject, "data": data, "published_at": at })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    #[tokio::test]
    async fn the_event_is_the_output_and_its_id_names_the_node_run() {
        let event = output(&Publish, json!({"subject": "order.paid"}), json!({"total": 3})).await;
        let expected = json!({
            "id": "nrun_01920000000070008000000000000001.node",
            "subject": "order.paid",
            "data": {"total": 3},
            "published_at": "2026-01-01T00:00:00Z",
        });
        assert_eq!(event, expected);
        let event = output(&Publish, json!({"subject": "order.paid", "data": null}), json!(1)).await;
        assert_eq!(event["data"], json!(null));
    }

    #[tokio::test]
    async fn what_cannot_be_published_is_refused() {
        for subject in ["", "order paid", "order.*", "a..b"] {
            assert_eq!(fails(&Publish, json!({"subject": subject}), json!({})).await.code, "SUBJECT_INVALID");
            assert_eq!(Publish.faults(&json!({"subject": subject})).len(), 1);
        }
        assert_eq!(Publish.faults(&json!({"subject": "order.{{ input.kind }}"})), []);
        let large = json!({"subject": "a", "data": "x".repeat(LARGEST)});
        assert_eq!(fails(&Publish, large, json!({})).await.code, "EVENT_TOO_LARGE");
    }
}

//! `trigger.event`, `trigger.error` and `trigger.workflow`: started by what happens inside.

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::listen::{Ear, Listener};
use engine::port::PortType;
use serde_json::{Value, json};

use crate::{Attempt, NodeContext, NodeOutcome, NodeType, passed};

/// Hands on the event that started the run.
pub(crate) struct EventTrigger;
/// Hands on which run failed, and why.
pub(crate) struct ErrorTrigger;
/// Hands on which run ended, and with what.
pub(crate) struct WorkflowTrigger;

const EVENT_DOCS: &str = "\
Starts a run for each event that a node `event.publish` publishes in the same environment under a subject that it listens
to: `order.paid` names one subject, `*` stands for any one word (`order.*`), `>` at the end for one or more (`order.>`).
Events of other projects of the workspace count when `from` is `workspace`.

`filter` is an expression that reads `trigger` and is true or false; an event that it does not let pass starts nothing and
leaves nothing. The output is the event:

| field | what |
|---|---|
| `id` | of the event; the node run that published it |
| `subject` | what it was published under |
| `data` | what it carries |
| `published_at` | when |
| `run` | the id of the run that published it |
| `workflow` | the name of the workflow of that run |

```yaml
type: trigger.event@1
config:
  subject: order.>
  filter: '{{ trigger.data.total > 100 }}'
```

Each event starts exactly one run of each trigger that hears it. A paused trigger leaves an event with the reason `PAUSED`.";

const ERROR_DOCS: &str = "\
Starts a run when a run of another workflow fails or runs out of time in the same environment: in its project, in the whole
workspace, or of one workflow of its project. Canceled runs and test runs do not count, nor do failures of its own
workflow. The output:

| field | what |
|---|---|
| `run` | `{id, workflow, project, status, key, created_by, created_at, finished_at}` |
| `error` | `{code, message, node}` |

```yaml
type: trigger.error@1
config:
  of: project
```

What the failed workflow marks as sensitive is hidden in the message. Each failed run starts exactly one run of each trigger
that hears it.";

const WORKFLOW_DOCS: &str = "\
Starts a run when a run of another workflow of the project ends in the same environment. Test runs do not count. The output:

| field | what |
|---|---|
| `run` | `{id, workflow, project, status, key, created_by, created_at, finished_at}` |
| `output` | what the run gave, up to 1 MiB; otherwise null |
| `error` | `{code, message, node}`, or null |

```yaml
type: trigger.workflow@1
config:
  workflow: import-orders
  statuses: [SUCCEEDED]
```

Each run that ends starts exactly one run of each trigger that hears it. Mark in this workflow's `input_schema` what the
other one treats as sensitive: its marks do not come along with its output.";

fn filter(order: u32, example: &str) -> Value {
    json!({
        "x-order": order,
        "x-widget": "expression",
        "x-deferred": true,
        "title": "Filter",
        "description": format!("Lets a start pass when true: an expression of `trigger`, such as `{example}`."),
        "type": "boolean",
    })
}

fn run() -> PortType {
    PortType::closed([
        ("id", PortType::String),
        ("workflow", PortType::String),
        ("project", PortType::String),
        ("status", PortType::String),
        ("key", PortType::String.or_null()),
        ("created_by", PortType::String),
        ("created_at", PortType::String),
        ("finished_at", PortType::String.or_null()),
    ])
}

fn error() -> PortType {
    PortType::closed([("code", PortType::String), ("message", PortType::String), ("node", PortType::String.or_null())])
}

fn faults(ear: Ear, config: &Value) -> Vec<Fault> {
    Listener::read(ear, config).err().unwrap_or_default()
}

#[async_trait]
impl NodeType for EventTrigger {
    fn descriptor(&self) -> NodeDescriptor {
        let event = PortType::closed([
            ("id", PortType::String),
            ("subject", PortType::String),
            ("data", PortType::Any),
            ("published_at", PortType::String),
            ("run", PortType::String),
            ("workflow", PortType::String),
        ]);
        NodeDescriptor {
            title: "Event",
            summary: "Starts a run for each event that a workflow publishes.",
            docs: EVENT_DOCS,
            icon: "radio",
            translations: &[crate::german::event::EVENT],
            aliases: &["listen", "subscribe", "message", "topic", "subject", "on"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["subject"],
                "properties": {
                    "subject": {
                        "x-order": 1,
                        "x-literal": true,
                        "title": "Subject",
                        "description": "Which events: words joined by dots; `*` is any one word, `>` at the end one or more.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "from": {
                        "x-order": 2,
                        "x-widget": "select",
                        "x-literal": true,
                        "title": "From",
                        "description": "Whose events: those of the same project, or of the whole workspace.",
                        "enum": ["project", "workspace"],
                        "default": "project",
                    },
                    "filter": filter(3, "{{ trigger.data.total > 100 }}"),
                },
            }),
            outputs: vec![Port::one(OUT, event)],
            ..NodeDescriptor::new("trigger.event", 1, NodeCategory::Trigger)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        faults(Ear::Event, config)
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

#[async_trait]
impl NodeType for ErrorTrigger {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Failed run",
            summary: "Starts a run when a run of another workflow fails.",
            docs: ERROR_DOCS,
            icon: "siren",
            translations: &[crate::german::event::ERROR],
            aliases: &["error", "failure", "catch", "alert", "handler", "exception"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "of": {
                        "x-order": 1,
                        "x-widget": "select",
                        "x-literal": true,
                        "title": "Of",
                        "description": "Whose failures: of the project, of the whole workspace, or of one workflow.",
                        "enum": ["project", "workspace", "workflow"],
                        "default": "project",
                    },
                    "workflow": {
                        "x-order": 2,
                        "x-literal": true,
                        "title": "Workflow",
                        "description": "The name of the workflow in the project, when `of` is `workflow`.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "filter": filter(3, "{{ trigger.error.code == 'ORDER_EMPTY' }}"),
                },
            }),
            outputs: vec![Port::one(OUT, PortType::closed([("run", run()), ("error", error())]))],
            ..NodeDescriptor::new("trigger.error", 1, NodeCategory::Trigger)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        faults(Ear::Error, config)
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

#[async_trait]
impl NodeType for WorkflowTrigger {
    fn descriptor(&self) -> NodeDescriptor {
        let ended = PortType::closed([("run", run()), ("output", PortType::Any), ("error", error().or_null())]);
        NodeDescriptor {
            title: "Ended run",
            summary: "Starts a run when a run of another workflow ends.",
            docs: WORKFLOW_DOCS,
            icon: "flag",
            translations: &[crate::german::event::WORKFLOW],
            aliases: &["after", "chain", "follow", "finished", "completed", "workflow"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["workflow"],
                "properties": {
                    "workflow": {
                        "x-order": 1,
                        "x-literal": true,
                        "title": "Workflow",
                        "description": "The name of the workflow in the project.",
                        "type": "string",
                        "minLength": 1,
                    },
                    "statuses": {
                        "x-order": 2,
                        "x-literal": true,
                        "title": "Ended as",
                        "description": "How the run ended; any end when left out.",
                        "type": "array",
                        "minItems": 1,
                        "uniqueItems": true,
                        "items": { "enum": ["SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT"] },
                    },
                    "filter": filter(3, "{{ trigger.output.count > 0 }}"),
                },
            }),
            outputs: vec![Port::one(OUT, ended)],
            ..NodeDescriptor::new("trigger.workflow", 1, NodeCategory::Trigger)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        faults(Ear::Workflow, config)
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::output;

    #[tokio::test]
    async fn the_output_is_what_happened() {
        let event = json!({"id": "nrun_1.tell", "subject": "order.paid", "data": {"$file": "plain"}});
        let nodes: [&dyn NodeType; 3] = [&EventTrigger, &ErrorTrigger, &WorkflowTrigger];
        for node in nodes {
            assert_eq!(output(node, json!({}), event.clone()).await, event);
        }
    }

    #[test]
    fn a_wrong_config_is_told_with_its_place() {
        let paths = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.path).collect::<Vec<_>>();
        assert_eq!(paths(EventTrigger.faults(&json!({"subject": "a b"}))), ["/subject"]);
        assert_eq!(paths(ErrorTrigger.faults(&json!({"of": "workflow"}))), ["/workflow"]);
        let config = json!({"workflow": "shop", "filter": "{{ input }}"});
        assert_eq!(paths(WorkflowTrigger.faults(&config)), ["/filter"]);
    }
}

//! `trigger.manual`: started by a person, a program or the command line.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::Value;

use crate::{Attempt, NodeContext, NodeOutcome, NodeType, passed};

/// Hands on what a run was started with.
pub(crate) struct Manual;

const DOCS: &str = "\
Starts a run when a person or a program asks for it: in the builder, over the API, or with `flowforge workflow run`. The
output is the input that the run was started with, null when there was none.

```yaml
type: trigger.manual@1
config: {}
```";

#[async_trait]
impl NodeType for Manual {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Manual start",
            summary: "Starts a run when a person or a program asks for it.",
            docs: DOCS,
            icon: "play",
            translations: &[crate::german::trigger::MANUAL],
            aliases: &["start", "button", "begin", "input", "api", "run"],
            ..NodeDescriptor::new("trigger.manual", 1, NodeCategory::Trigger)
        }
    }

    fn output(&self, _port: &str, shape: &Shape<'_>) -> Option<PortType> {
        Some(shape.input.clone())
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::output;
    use serde_json::json;

    #[tokio::test]
    async fn the_output_is_what_the_run_was_started_with() {
        assert_eq!(output(&Manual, json!({}), json!({"a": [1]})).await, json!({"a": [1]}));
        assert_eq!(output(&Manual, json!(null), json!(null)).await, json!(null));
    }
}

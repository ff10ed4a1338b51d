//! A node type that ends the process, for tests of runs that do.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, NodeTypeName, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use nodes::{Attempt, NodeContext, NodeOutcome, NodeType};
use serde_json::{Value, json};

/// `test.abort@1`: ends the process at every attempt. Debug builds only, and only when a test asks for it.
pub struct Abort;

#[async_trait]
impl NodeType for Abort {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            r#type: NodeTypeName { name: "test.abort".to_owned(), major: 1 },
            title: "Abort",
            summary: "Ends the process.",
            docs: "Ends the process. For tests.",
            category: NodeCategory::Flow,
            aliases: &[],
            config_schema: json!({"type": "object", "additionalProperties": false}),
            inputs: vec![Port::one("in", PortType::Any)],
            outputs: vec![Port::one("out", PortType::Any)],
            for_each: false,
            fresh_key_after_answer: false,
        }
    }

    fn effect(&self, _: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _: &dyn NodeContext, _: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        std::process::abort();
    }
}

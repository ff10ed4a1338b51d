//! A node type that ends the process, for tests of runs that do.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use nodes::{Attempt, NodeContext, NodeOutcome, NodeType};
use serde_json::Value;

/// `test.abort@1`: ends the process at every attempt. Debug builds only, and only when a test asks for it.
pub struct Abort;

#[async_trait]
impl NodeType for Abort {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Abort",
            summary: "Ends the process.",
            docs: "Ends the process. For tests.",
            ..NodeDescriptor::new("test.abort", 1, NodeCategory::Flow)
        }
    }

    fn effect(&self, _: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _: &dyn NodeContext, _: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        std::process::abort();
    }
}

//! `flow.fail`: fails on purpose.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use serde_json::{Value, json};

use crate::config::{Config, invalid};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType};

/// Fails on purpose.
pub(crate) struct Fail;

/// The code of a failure whose author named none.
const DEFAULT_CODE: &str = "FLOW_FAILED";
/// What codes look like, so that they can be told apart by programs.
const CODE_PATTERN: &str = "^[A-Z][A-Z0-9_]{0,63}$";

const DOCS: &str = "\
Fails with a code and a message of your own. The error is permanent: it is not tried again. It ends the run as FAILED
unless an edge leaves from the node's `error` port.

```yaml
type: flow.fail@1
config:
  code: ORDER_EMPTY
  message: 'Order {{ input.id }} has no lines.'
```";

#[async_trait]
impl NodeType for Fail {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Fail",
            summary: "Fails with a code and a message of your own.",
            docs: DOCS,
            icon: "circle-x",
            translations: &[crate::german::flow::FAIL],
            aliases: &["error", "throw", "stop", "abort", "raise", "terminate"],
            config_schema: json!({
                "type": "object",
                "additionalProperties": false,
                "required": ["message"],
                "properties": {
                    "code": {
                        "x-order": 2,
                        "title": "Code",
                        "description": "A stable word for programs: capitals, digits and underscores, at most 64.",
                        "type": "string",
                        "pattern": CODE_PATTERN,
                        "default": DEFAULT_CODE,
                    },
                    "message": {
                        "x-order": 1,
                        "x-widget": "textarea",
                        "title": "Message",
                        "description": "What went wrong, for people.",
                        "type": "string",
                        "minLength": 1,
                    },
                },
            }),
            outputs: Vec::new(),
            for_each: true,
            ..NodeDescriptor::new("flow.fail", 1, NodeCategory::Flow)
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
        let code = config.text("code")?.unwrap_or(DEFAULT_CODE);
        if !is_code(code) {
            let expected = format!("capitals, digits and underscores as in `{DEFAULT_CODE}`, at most 64");
            return Err(invalid("code", &Value::from(code), &expected));
        }
        Err(ErrorInfo::permanent(code, config.required_text("message")?))
    }
}

/// As [`CODE_PATTERN`] has it.
fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::fails;

    #[tokio::test]
    async fn it_fails_with_the_code_and_message_of_its_config() {
        let error = fails(&Fail, json!({"code": "ORDER_EMPTY", "message": "no lines"}), json!({})).await;
        assert_eq!(error, ErrorInfo::permanent("ORDER_EMPTY", "no lines"));
        let error = fails(&Fail, json!({"message": "no lines"}), json!({})).await;
        assert_eq!(error.code, "FLOW_FAILED");
    }

    #[tokio::test]
    async fn a_code_that_programs_cannot_rely_on_is_refused() {
        for code in ["", "order empty", "É", "1A", "_A", &"A".repeat(65)] {
            let error = fails(&Fail, json!({"code": code, "message": "m"}), json!({})).await;
            assert_eq!(error.code, "CONFIG_INVALID", "{code}");
        }
        assert_eq!(fails(&Fail, json!({"code": "A"}), json!({})).await.code, "CONFIG_INVALID");
    }
}

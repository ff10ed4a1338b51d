//! `data.text`: makes, cuts and searches texts.

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use serde_json::{Value, json};

use self::step::Step;
use crate::config::{Config, invalid, scalar};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

mod step;

/// Makes, cuts and searches texts.
pub(crate) struct Text;

/// Most steps.
const MOST_STEPS: usize = 50;

const DOCS: &str = "\
Starts from `text`, which may have expressions in it, and does `steps` one after another. A step that takes a text does
the same to each text of a list.

| step | does |
|---|---|
| `trim` | takes spaces and line breaks off both ends |
| `collapse` | makes one space of several, of tabs and of line breaks |
| `upper`, `lower`, `title` | changes case; `title` makes the first letter of each word large |
| `replace` | puts `with` in place of every `find` |
| `regex_replace` | puts `with` in place of every match of `find`; `$1` or `${name}` is a group of the match |
| `regex_extract` | gives the first match of `find`, or its first group if it has groups; null without a match |
| `regex_extract_all` | gives the list of all matches |
| `split` | gives the list of the parts between `find`; without `find` the words |
| `lines` | gives the list of the lines |
| `join` | makes one text of a list, with `with` between |
| `truncate` | cuts after `length` characters |

Regular expressions are those of Rust's `regex`: without look-around and back references, and so in linear time. Null in
a list stays null, and is left out by `join`.

```yaml
type: data.text@1
config:
  text: 'Re: Order {{ input.number }} from {{ input.name }}'
  steps:
    - { do: regex_replace, find: '(?i)^re:\\s*', with: '' }
    - { do: collapse }
    - { do: truncate, length: 80 }
```

Errors: `TEXT_PATTERN_INVALID` when a regular expression cannot be read or would become too large, `TEXT_SHAPE` when a
step gets what it does not take, `TEXT_TOO_LARGE` over 8 MiB.";

#[async_trait]
impl NodeType for Text {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Text",
            summary: "Makes, cuts and searches texts.",
            docs: DOCS,
            icon: "type",
            translations: &[crate::german::list::TEXT],
            aliases: &["string", "template", "regex", "replace", "split", "join", "trim", "upper case", "extract"],
            config_schema: config_schema(),
            for_each: true,
            ..NodeDescriptor::new("data.text", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, config: &Value) -> bool {
        config.get("text").is_none()
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, _context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let steps = config.list("steps")?.unwrap_or_default();
        if steps.len() > MOST_STEPS {
            let message = format!("config.steps has {} entries; at most {MOST_STEPS} are taken", steps.len());
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
        // All are read before the first is done, so that a mistake shows whatever the data.
        let read = steps.iter().enumerate().map(|(index, written)| Step::read(index, written));
        let steps = read.collect::<Result<Vec<_>, _>>()?;
        let mut value = match config.raw("text") {
            Some(text) => start(text).ok_or_else(|| invalid("text", text, "a text, or a list of texts"))?,
            None => start(&attempt.input).ok_or_else(|| {
                let came = crate::config::kind(&attempt.input);
                ErrorInfo::permanent("TEXT_SHAPE", format!("the input is {came}; expected a text, or set config.text"))
            })?,
        };
        for (index, step) in steps.iter().enumerate() {
            crate::deferred::breathe(index).await;
            value = step.apply(index, value)?;
        }
        Ok(done(value))
    }
}

/// A text or a list of texts, numbers and booleans as texts.
fn start(value: &Value) -> Option<Value> {
    match value {
        Value::Null => Some(Value::Null),
        Value::Array(items) => items.iter().map(|item| if item.is_array() { None } else { start(item) }).collect(),
        Value::Object(_) => None,
        other => scalar(other).map(Value::String),
    }
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "text": {
                "x-order": 1,
                "x-widget": "textarea",
                "title": "Text",
                "description": "The text to start from, or a list of texts; the node's input when absent.",
            },
            "steps": {
                "x-order": 2,
                "title": "Steps",
                "description": "What to do with it, one after another.",
                "type": "array",
                "maxItems": MOST_STEPS,
                "items": {
                    "title": "Step",
                    "description": "One thing to do.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["do"],
                    "properties": {
                        "do": {
                            "x-order": 1,
                            "x-widget": "select",
                            "title": "Do",
                            "description": "What the step does. A constant.",
                            "enum": step::NAMES,
                        },
                        "find": {
                            "x-order": 2,
                            "title": "Find",
                            "description": "The text or the regular expression to look for.",
                            "type": "string",
                        },
                        "with": {
                            "x-order": 3,
                            "title": "With",
                            "description": "What takes its place, or stands between the parts that are joined.",
                            "type": "string",
                            "default": "",
                        },
                        "length": {
                            "x-order": 4,
                            "title": "Length",
                            "description": "Most characters that stay.",
                            "type": "integer",
                            "minimum": 0,
                        },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fails, output};

    async fn after(text: Value, steps: Value) -> Value {
        output(&Text, json!({"text": text, "steps": steps}), json!(null)).await
    }

    #[tokio::test]
    async fn steps_are_done_one_after_another() {
        let steps = json!([
            {"do": "trim"}, {"do": "lower"}, {"do": "replace", "find": "ö", "with": "oe"},
            {"do": "split", "find": ","}, {"do": "trim"}, {"do": "title"}, {"do": "join", "with": " & "}
        ]);
        assert_eq!(after(json!("  SCHÖN, wetter heute\n"), steps).await, json!("Schoen & Wetter Heute"));
        assert_eq!(after(json!("a\r\nb\n"), json!([{"do": "lines"}])).await, json!(["a", "b"]));
        assert_eq!(after(json!(" a\t b "), json!([{"do": "split"}])).await, json!(["a", "b"]));
        assert_eq!(after(json!(" a\t b "), json!([{"do": "collapse"}])).await, json!("a b"));
        assert_eq!(after(json!("äöü"), json!([{"do": "truncate", "length": 2}])).await, json!("äö"));
        assert_eq!(output(&Text, json!({}), json!(12)).await, json!("12"));
    }

    #[tokio::test]
    async fn regular_expressions_extract_and_replace() {
        let find = r"(\d+)-(?<city>\w+)";
        let replaced = after(json!("10-Wien"), json!([{"do": "regex_replace", "find": find, "with": "${city} $1"}]));
        assert_eq!(replaced.await, json!("Wien 10"));
        let extract = |what: &str, text: &str| after(json!(text), json!([{"do": what, "find": find}]));
        assert_eq!(extract("regex_extract", "at 10-Wien").await, json!("10"));
        assert_eq!(extract("regex_extract", "nowhere").await, json!(null));
        assert_eq!(extract("regex_extract_all", "10-Wien 20-Graz").await, json!(["10", "20"]));
        let lists = after(json!(["a1", "b"]), json!([{"do": "regex_extract", "find": r"\d"}])).await;
        assert_eq!(lists, json!(["1", null]));
    }

    #[tokio::test]
    async fn a_pattern_that_would_take_forever_elsewhere_takes_no_time_and_one_too_large_is_refused() {
        let evil = after(json!("a".repeat(50_000) + "!"), json!([{"do": "regex_extract", "find": "^(a+)+$"}]));
        assert_eq!(evil.await, json!(null));
        for find in ["(", r"((a{1,100}){1,100}){1,100}", &"a".repeat(2_000)] {
            let steps = json!({"text": "a", "steps": [{"do": "regex_replace", "find": find}]});
            let error = fails(&Text, steps, json!(null)).await;
            assert_eq!(error.code, "TEXT_PATTERN_INVALID");
            assert!(error.message.starts_with("config.steps[0].find"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_text_that_grows_without_end_is_stopped() {
        let steps: Vec<_> = (0..30).map(|_| json!({"do": "replace", "find": "a", "with": "aa"})).collect();
        let error = fails(&Text, json!({"text": "aa", "steps": steps}), json!(null)).await;
        assert_eq!(error.code, "TEXT_TOO_LARGE");
    }

    #[tokio::test]
    async fn what_a_step_does_not_take_is_named() {
        for (config, code, start) in [
            (json!({"text": "a", "steps": [{"do": "fly"}]}), "CONFIG_INVALID", "config.steps[0].do"),
            (json!({"text": "a", "steps": [{"do": "replace"}]}), "CONFIG_INVALID", "config.steps[0].find"),
            (json!({"text": "a", "steps": [{"do": "truncate"}]}), "CONFIG_INVALID", "config.steps[0].length"),
            (json!({"text": "a", "steps": [3]}), "CONFIG_INVALID", "config.steps[0]"),
            (json!({"text": {}, "steps": []}), "CONFIG_INVALID", "config.text"),
            (json!({"text": "a", "steps": [{"do": "join"}]}), "TEXT_SHAPE", "config.steps[0]"),
            (json!({"text": ["a"], "steps": [{"do": "split"}]}), "TEXT_SHAPE", "config.steps[0]"),
        ] {
            let error = fails(&Text, config.clone(), json!(null)).await;
            assert_eq!(error.code, code, "{config}");
            assert!(error.message.starts_with(start), "{config}: {error}");
        }
        assert_eq!(fails(&Text, json!({}), json!({})).await.code, "TEXT_SHAPE");
    }
}

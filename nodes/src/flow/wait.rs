//! `flow.wait`: for some time, until a time, or for a signal.

use async_trait::async_trait;
use chrono::DateTime;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Port, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use engine::time::{Timestamp, parse_duration};
use serde_json::{Map, Value, json};

use crate::config::{Config, invalid, missing, scalar};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, Wait};

/// Waits without holding anything but a row.
pub(crate) struct WaitFor;

/// Longest name and longest key of a signal, in characters.
const LONGEST_NAME: usize = 128;

const DOCS: &str = "\
Waits, durably: the run may leave memory and the server may restart meanwhile. Exactly one of

- `for`: a duration such as `30s` or `1h30m`, counted from when the node starts;
- `until`: a time with zone such as `2030-01-31T09:00:00+01:00`; one that has passed does not wait;
- `signal`: a message from outside by `name`, and by `key` where several runs wait for the same name.

After `for` and `until` the input leaves by `out`. A signal's payload leaves by `out`; when `timeout` passes without it,
the input leaves by `timeout`.

```yaml
type: flow.wait@1
config:
  signal:
    name: payment_received
    key: '{{ input.order_id }}'
    timeout: 3d
```";

#[async_trait]
impl NodeType for WaitFor {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Wait",
            summary: "Waits for some time, until a time, or for a signal.",
            docs: DOCS,
            icon: "clock",
            translations: &[crate::german::flow::WAIT],
            aliases: &["delay", "sleep", "pause", "timer", "signal", "callback", "until"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, PortType::Any), Port::one("timeout", PortType::Any)],
            for_each: true,
            ..NodeDescriptor::new("flow.wait", 1, NodeCategory::Flow)
        }
    }

    fn output(&self, port: &str, shape: &Shape<'_>) -> Option<PortType> {
        // The payload of a signal is anything.
        let passes = port == "timeout" || shape.config.get("signal").is_none();
        passes.then(|| shape.input.clone())
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let wait = match (config.value("for"), config.value("until"), config.value("signal")) {
            (Some(_), None, None) => {
                let duration = config.duration("for")?.unwrap_or_default();
                Wait::Until(context.now().plus(duration))
            }
            (None, Some(until), None) => Wait::Until(time(until)?),
            (None, None, Some(Value::Object(signal))) => signal_wait(signal, context.now())?,
            (None, None, Some(other)) => return Err(invalid("signal", other, "an object with `name`")),
            _ => {
                let message = "config needs exactly one of `for` (a duration), `until` (a time) and `signal`";
                return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
            }
        };
        Ok(NodeOutcome::Wait(wait))
    }
}

fn time(value: &Value) -> Result<Timestamp, ErrorInfo> {
    let read = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let expected = "a time with zone, such as `2030-01-31T09:00:00+01:00`";
    read.map(|time| Timestamp(time.timestamp_micros())).ok_or_else(|| invalid("until", value, expected))
}

fn signal_wait(signal: &Map<String, Value>, now: Timestamp) -> Result<Wait, ErrorInfo> {
    let fits = |text: &String| text.chars().count() <= LONGEST_NAME;
    let name = match signal.get("name") {
        None | Some(Value::Null) => return Err(missing("signal.name", "a text")),
        Some(Value::String(name)) if !name.is_empty() && fits(name) => name.clone(),
        Some(other) => return Err(invalid("signal.name", other, &format!("a text of 1 to {LONGEST_NAME} characters"))),
    };
    // A key that an expression leaves null would wait for any signal of the name, so it has to be there when written.
    let key = match signal.get("key") {
        None => String::new(),
        Some(key) => scalar(key).filter(fits).ok_or_else(|| {
            invalid("signal.key", key, &format!("a text or a number of at most {LONGEST_NAME} characters"))
        })?,
    };
    let until = match signal.get("timeout") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            let timeout = parse_duration(text)
                .map_err(|error| ErrorInfo::permanent("CONFIG_INVALID", format!("config.signal.timeout: {error}")))?;
            Some(now.plus(timeout))
        }
        Some(other) => return Err(invalid("signal.timeout", other, "a duration such as `3d`")),
    };
    Ok(Wait::Signal { name, key, until })
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["for"] }, { "required": ["until"] }, { "required": ["signal"] }],
        "properties": {
            "for": {
                "x-order": 1,
                "x-widget": "duration",
                "title": "For",
                "description": "How long, such as `30s`, `1h30m` or `2d`; at most ten years.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
            },
            "until": {
                "x-order": 2,
                "x-widget": "datetime",
                "title": "Until",
                "description": "A time with zone, such as `2030-01-31T09:00:00+01:00`.",
                "type": "string",
                "format": "date-time",
            },
            "signal": {
                "x-order": 3,
                "title": "Signal",
                "description": "A message from outside.",
                "type": "object",
                "additionalProperties": false,
                "required": ["name"],
                "properties": {
                    "name": {
                        "x-order": 1,
                        "title": "Name",
                        "description": "The signal's name.",
                        "type": "string",
                        "minLength": 1,
                        "maxLength": LONGEST_NAME,
                    },
                    "key": {
                        "x-order": 2,
                        "title": "Key",
                        "description": "Tells waits for the same name apart, such as an order's number.",
                        "type": ["string", "number", "boolean"],
                        "maxLength": LONGEST_NAME,
                    },
                    "timeout": {
                        "x-order": 3,
                        "title": "Timeout",
                        "description": "How long to wait, such as `3d`; for ever when absent.",
                        "type": "string",
                        "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, fails, runs};
    use std::time::Duration;

    async fn waits(config: Value) -> Wait {
        match runs(&WaitFor, config, json!({})).await {
            NodeOutcome::Wait(wait) => wait,
            done => panic!("{done:?}"),
        }
    }

    #[tokio::test]
    async fn a_duration_counts_from_the_beginning_of_the_attempt() {
        assert_eq!(waits(json!({"for": "1h30m"})).await, Wait::Until(NOW.plus(Duration::from_secs(5_400))));
        assert_eq!(waits(json!({"for": "0s", "until": null})).await, Wait::Until(NOW));
    }

    #[tokio::test]
    async fn a_time_is_read_with_its_zone() {
        let wait = waits(json!({"until": "1970-01-01T01:00:01.000002+01:00"})).await;
        assert_eq!(wait, Wait::Until(Timestamp(1_000_002)));
    }

    #[tokio::test]
    async fn a_signal_has_a_name_and_may_have_a_key_and_a_timeout() {
        let wait = waits(json!({"signal": {"name": "paid", "key": 17, "timeout": "1s"}})).await;
        let until = Some(NOW.plus(Duration::from_secs(1)));
        assert_eq!(wait, Wait::Signal { name: "paid".into(), key: "17".into(), until });
        let wait = waits(json!({"signal": {"name": "paid"}})).await;
        assert_eq!(wait, Wait::Signal { name: "paid".into(), key: String::new(), until: None });
    }

    #[tokio::test]
    async fn anything_but_exactly_one_way_to_wait_is_refused() {
        for config in [
            json!({}),
            json!({"for": "1s", "until": "2030-01-31T09:00:00Z"}),
            json!({"for": "1s", "signal": {"name": "x"}}),
            json!({"for": "soon"}),
            json!({"for": 5}),
            json!({"until": "2030-01-31"}),
            json!({"until": "2030-01-31T09:00:00"}),
            json!({"signal": "x"}),
            json!({"signal": {}}),
            json!({"signal": {"name": ""}}),
            json!({"signal": {"name": "x", "key": null}}),
            json!({"signal": {"name": "x", "key": "k".repeat(129)}}),
            json!({"signal": {"name": "x", "timeout": 5}}),
            json!({"signal": {"name": "x", "timeout": "5"}}),
        ] {
            assert_eq!(fails(&WaitFor, config.clone(), json!({})).await.code, "CONFIG_INVALID", "{config}");
        }
    }
}

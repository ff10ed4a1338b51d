//! `trigger.schedule`: started by the clock.

use std::collections::BTreeMap;

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor, OUT, Port};
use engine::error::ErrorInfo;
use engine::port::PortType;
use engine::schedule::Schedule;
use serde_json::{Value, json};

use crate::{Attempt, NodeContext, NodeOutcome, NodeType, passed};

/// Hands on the tick that started the run.
pub(crate) struct ScheduleTrigger;

const DOCS: &str = "\
Starts a run at fixed times, while a version of the workflow is deployed: by `cron`, or `every` so often. The output is
the tick:

| field | what |
|---|---|
| `scheduled_at` | the time that the rule names, in UTC |
| `local_time` | the same with the offset of the time zone |
| `timezone` | the name of the time zone |
| `input` | what the config says there, or null |

A cron expression has five fields (minute, hour, day of month, month, day of week), with seconds before them if wanted.
Names (`MON`, `JAN`), lists, ranges and steps work, `L` is the last day of the month, `5L` the last Friday, `1#2` the
second Monday. If both days are restricted, either one is enough.

Clocks that change: a fixed time that does not exist fires at the first moment after the gap, one that comes twice fires
the first time. Expressions with several times a day (`*/15 * * * *`) fire at every time that exists, both times. `every`
counts real time from its anchor.

A tick that nobody saw within 60 seconds, or before the next one, is missed; `catch_up` says what becomes of it. Every
tick that starts no run leaves an event with the reason.

```yaml
type: trigger.schedule@1
config:
  cron: '0 9 * * MON-FRI'
  timezone: Europe/Berlin
  catch_up: last
  overlap: skip
```";

#[async_trait]
impl NodeType for ScheduleTrigger {
    fn descriptor(&self) -> NodeDescriptor {
        let field = |name: &str, r#type| (name.to_owned(), r#type);
        let tick = BTreeMap::from([
            field("scheduled_at", PortType::String),
            field("local_time", PortType::String),
            field("timezone", PortType::String),
            field("input", PortType::Any),
        ]);
        NodeDescriptor {
            title: "Schedule",
            summary: "Starts a run at fixed times.",
            docs: DOCS,
            icon: "calendar-clock",
            translations: &[crate::german::schedule::SCHEDULE],
            aliases: &["cron", "timer", "interval", "every", "daily", "hourly", "clock", "time"],
            config_schema: config_schema(),
            outputs: vec![Port::one(OUT, PortType::Object { fields: tick, open: true })],
            ..NodeDescriptor::new("trigger.schedule", 1, NodeCategory::Trigger)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        Schedule::read(config).err().unwrap_or_default()
    }

    async fn execute(&self, _context: &dyn NodeContext, _attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(passed(OUT))
    }
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "cron": {
                "x-order": 1,
                "x-literal": true,
                "title": "Cron expression",
                "description": "Minute, hour, day of month, month, day of week, such as `0 9 * * MON-FRI`; seconds before them if wanted.",
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
            },
            "every": {
                "x-order": 2,
                "x-widget": "duration",
                "x-literal": true,
                "title": "Every",
                "description": "Instead of a cron expression: an interval of at least a second, such as `15m`.",
                "type": "string",
                "minLength": 1,
            },
            "anchor": {
                "x-order": 3,
                "x-widget": "datetime",
                "x-literal": true,
                "title": "Counted from",
                "description": "A time with zone that the interval is counted from; 1970-01-01 in UTC if left out.",
                "type": "string",
            },
            "timezone": {
                "x-order": 4,
                "x-literal": true,
                "title": "Time zone",
                "description": "A name of the IANA list, such as `Europe/Berlin`.",
                "type": "string",
                "default": "UTC",
            },
            "catch_up": {
                "x-order": 5,
                "x-widget": "select",
                "x-literal": true,
                "title": "Missed ticks",
                "description": "`skip` leaves them out, `last` starts one run for the last of them, `all` one for each.",
                "enum": ["skip", "last", "all"],
                "default": "skip",
            },
            "catch_up_most": {
                "x-order": 6,
                "x-literal": true,
                "title": "Most missed ticks",
                "description": "How many of the last missed ticks `all` starts runs for.",
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "default": 100,
            },
            "overlap": {
                "x-order": 7,
                "x-widget": "select",
                "x-literal": true,
                "title": "While the last run is under way",
                "description": "`allow` starts another one, `skip` leaves the tick out, `queue` waits for the end, `cancel` stops the run before.",
                "enum": ["allow", "skip", "queue", "cancel"],
                "default": "allow",
            },
            "jitter": {
                "x-order": 8,
                "x-literal": true,
                "title": "Jitter in seconds",
                "description": "Each tick fires up to that much later, so that not all schedules fire at once.",
                "type": "integer",
                "minimum": 0,
                "maximum": 3600,
                "default": 0,
            },
            "input": {
                "x-order": 9,
                "x-widget": "json",
                "x-literal": true,
                "title": "Input",
                "description": "Handed to every run as `input` of the tick.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::output;

    #[tokio::test]
    async fn the_output_is_the_tick() {
        let tick = json!({"scheduled_at": "2026-01-01T00:00:00Z", "input": null});
        assert_eq!(output(&ScheduleTrigger, json!({"every": "1h"}), tick.clone()).await, tick);
    }

    #[test]
    fn a_wrong_rule_is_a_fault_of_the_config() {
        let faults = ScheduleTrigger.faults(&json!({"cron": "0 25 * * *"}));
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["/cron"]);
        assert_eq!(ScheduleTrigger.faults(&json!({"cron": "0 23 * * *"})), []);
    }
}

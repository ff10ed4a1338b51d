//! `code.js`: JavaScript of one's own.

use async_trait::async_trait;
use engine::catalog::{EffectClass, Fault, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use sandbox::RunError;
use serde_json::{Value, json};

use super::CodeRoom;
use super::job::{self, JobLimits};
use crate::config::Config;
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Results of more bytes than this are read where they do not hold up other runs.
const LARGE: usize = 256 * 1024;
/// The types of everything that code can use, as editors read them.
const TYPES: &str = include_str!("js.d.ts");

/// JavaScript of one's own.
pub struct Js {
    room: CodeRoom,
}

impl Js {
    /// With a place to run code.
    pub fn new(room: CodeRoom) -> Self {
        Self { room }
    }
}

const DOCS: &str = "\
Runs JavaScript. The code is the body of an async function: it reads `input`, and what it returns is the output. `input` is
what arrives at the node, or what `config.input` gives; the code sees nothing else of the run, and no secrets.

```yaml
type: code.js@1
config:
  code: |
    const total = input.lines.reduce((sum, line) => sum + line.price * line.quantity, 0);
    console.log('order', input.id, 'is worth', total);
    if (total < 0) throw Object.assign(new Error('negative total'), { code: 'ORDER_INVALID' });
    return { ...input, total };
```

The code runs in a process of its own that can reach nothing: no files, no network, no modules, no timers, and nothing of
another run. All of the JavaScript language is there (ES2023), and `console`, `crypto.randomUUID`, `crypto.getRandomValues`.
The clock stands still at the start of the node run, in UTC, and randomness comes from a seed that belongs to the node run:
code gives the same output for the same input however often it is repeated. Do not draw secrets from it.

The output is what `JSON.stringify` makes of the returned value: `undefined` becomes null, dates become texts. Integers over
2^53 lose digits in code. What the code throws fails the node, with line and column; a property `code` such as `ORDER_INVALID`
becomes the error's code, otherwise it is `CODE_THREW`.

`console` writes to the log of the attempt, which stays with the run, also when the code fails: up to 1,000 lines and 64 KiB.
The server's own log has the first 100 lines of it, cut to 2,000 characters. For code whose lines other nodes need, there is
`keep_console: true`: the output is `{result, console, console_dropped}` then.

Limits: 10 s and 64 MiB unless the node says otherwise, 256 KiB of code, 16 MiB of input and of output; servers and workspaces
may set other ones. Errors: `CODE_THREW`, `CODE_SYNTAX`, `CODE_TIME_LIMIT`, `CODE_MEMORY_LIMIT`, `CODE_NEVER_ENDS`,
`CODE_INPUT_TOO_LARGE`, `CODE_INPUT_INVALID`, `CODE_OUTPUT_TOO_LARGE`, `CODE_OUTPUT_INVALID`, `CODE_KILLED` when the system
ended the process, and `SANDBOX_UNAVAILABLE`, which is tried again, when code cannot be run at all.";

#[async_trait]
impl NodeType for Js {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "JavaScript",
            summary: "Runs JavaScript of your own.",
            docs: DOCS,
            icon: "braces",
            translations: &[crate::german::code::JS],
            aliases: &["code", "script", "function", "js", "custom", "program", "transform", "typescript"],
            config_schema: config_schema(),
            for_each: true,
            ..NodeDescriptor::new("code.js", 1, NodeCategory::Data)
        }
    }

    fn reads_input(&self, config: &Value) -> bool {
        config.get("input").is_none()
    }

    /// Clock and randomness are given, and nothing outside can be reached.
    fn effect(&self, _config: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn unavailable(&self) -> Option<String> {
        self.room.trouble().map(|why| format!("code cannot be run here: {why}"))
    }

    fn faults(&self, config: &Value) -> Vec<Fault> {
        let Some(source) = config.get("code").and_then(Value::as_str) else { return Vec::new() };
        let fault =
            |message: String, hint: &str| vec![Fault { path: "/code".to_owned(), message, hint: hint.to_owned() }];
        let checked = match &self.room.pool {
            Ok(pool) => pool.check(source),
            Err(why) => Err(RunError::Unavailable(why.clone())),
        };
        match checked {
            Ok(None) => Vec::new(),
            Ok(Some(found)) => {
                let place = format!("line {}, column {}", found.line, found.column);
                fault(format!("the code cannot be read at {place}: {}", found.message), "correct the code there")
            }
            Err(error @ RunError::SourceTooLong { .. }) => fault(error.to_string(), "split it into several nodes"),
            Err(error) => fault(format!("the code cannot be checked: {error}"), "ask who runs the server"),
        }
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let pool = self.room.pool.as_ref().map_err(|why| job::broken(&RunError::Unavailable(why.clone())))?;
        let limits = self.room.limits.under(context.code_ceiling().await?);
        let job = job::of(context, attempt, &limits)?;
        let (keep, told) = (Config::of(attempt)?.boolean("keep_console")?.unwrap_or(false), JobLimits::from(&job));
        let report = pool.execute(context.workspace().0.as_u128(), job).await.map_err(|error| job::broken(&error))?;
        job::tell(context, &report);
        let lines = keep.then(|| (job::lines(&report), report.dropped));
        let text = report.result.map_err(|failure| job::failure(failure, &told))?;
        let result = match text.len() {
            0..=LARGE => job::parse(&text)?,
            _ => tokio::task::spawn_blocking(move || job::parse(&text)).await.map_err(|error| {
                ErrorInfo::permanent("CODE_OUTPUT_INVALID", format!("the result could not be read: {error}"))
            })??,
        };
        Ok(done(match lines {
            Some((lines, dropped)) => json!({ "result": result, "console": lines, "console_dropped": dropped }),
            None => result,
        }))
    }
}

fn config_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["code"],
        "properties": {
            "code": {
                "x-order": 1,
                "x-widget": "javascript",
                "x-verbatim": true,
                "x-types": TYPES,
                "title": "Code",
                "description": "The body of an async function that reads `input` and returns the output.",
                "type": "string",
            },
            "input": {
                "x-order": 2,
                "x-widget": "json",
                "title": "Input",
                "description": "What `input` is in the code; what arrives at the node when absent.",
            },
            "time_limit": {
                "x-order": 3,
                "x-widget": "duration",
                "title": "Time limit",
                "description": "How long the code may run, such as `2s`.",
                "type": "string",
                "default": "10s",
            },
            "memory_limit": {
                "x-order": 4,
                "title": "Memory limit",
                "description": "How much memory the code may use, in MiB.",
                "type": "integer",
                "minimum": 4,
                "default": 64,
            },
            "keep_console": {
                "x-order": 5,
                "title": "Keep the console",
                "description": "Whether the output is an object of the result and what the code wrote to its console.",
                "type": "boolean",
                "default": false,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{attempt, room};

    #[tokio::test]
    async fn without_a_place_to_run_nothing_is_run_and_nothing_is_published() {
        let js = Js::new(CodeRoom::closed("this process runs no code"));
        let faults = js.faults(&json!({"code": "return 1"}));
        assert!(faults[0].path == "/code" && faults[0].message.contains("runs no code"), "{faults:?}");
        let attempt = attempt(json!({"code": "return 1"}), json!(1));
        let error = js.execute(&room(&attempt), &attempt).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.kind), ("SANDBOX_UNAVAILABLE", engine::error::ErrorKind::Transient));
        assert!(js.unavailable().is_some_and(|why| why.contains("runs no code")));
        assert_eq!(js.effect(&json!({})), EffectClass::Pure);
    }
}

//! `redis.command`: sends one command to Redis.

use std::time::Duration;

use ::redis::{Cmd, Value as Answer};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor};
use engine::error::ErrorInfo;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::config::{Config, choice, invalid, scalar};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Sends one command to Redis.
pub(crate) struct Command;

/// How long an answer may take when the config does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Most arguments.
const MOST_ARGUMENTS: usize = 10_000;
/// Most bytes of all arguments.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Commands that only read.
const READING: [&str; 42] = [
    "BITCOUNT",
    "DBSIZE",
    "EXISTS",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HSCAN",
    "HVALS",
    "LINDEX",
    "LLEN",
    "LPOS",
    "LRANGE",
    "MGET",
    "PFCOUNT",
    "PING",
    "PTTL",
    "SCAN",
    "SCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SSCAN",
    "STRLEN",
    "TTL",
    "TYPE",
    "XLEN",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZRANGE",
    "ZRANK",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
    "ZMSCORE",
];
/// Commands that leave the same behind however often they come; the answer of the second may differ.
const SETTING: [&str; 18] = [
    "DEL",
    "EXPIRE",
    "EXPIREAT",
    "HDEL",
    "HSET",
    "LSET",
    "MSET",
    "PERSIST",
    "PEXPIRE",
    "PSETEX",
    "SADD",
    "SETEX",
    "SETRANGE",
    "SREM",
    "UNLINK",
    "XDEL",
    "ZREM",
    "PEXPIREAT",
];
/// Commands of which twice is not once.
const CHANGING: [&str; 29] = [
    "APPEND",
    "COPY",
    "DECR",
    "DECRBY",
    "GETDEL",
    "GETEX",
    "GETSET",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HSETNX",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "LINSERT",
    "LPOP",
    "LPUSH",
    "LREM",
    "LTRIM",
    "PFADD",
    "PUBLISH",
    "RENAME",
    "RPOP",
    "RPUSH",
    "SET",
    "SETNX",
    "SPOP",
    "XADD",
    "ZADD",
    "ZINCRBY",
];

const DOCS: &str = "\
Sends one command to Redis or Valkey, named by `connection`, and gives its answer: texts, integers, null, lists; maps are
objects. `OK` is a text.

```yaml
type: redis.command@1
connection: cache
config:
  command: SET
  arguments: ['order:{{ input.id }}', '{{ input.total }}', EX, 3600]
```

The command is a constant of the list below; arguments are texts, numbers and booleans, each sent as it is, so no data can
become another command. Commands that block, run programs, see all keys or govern the server are not on the list.

**Bytes.** `response: text` (the default) takes answers as UTF-8, and other bytes are the error `REDIS_NOT_TEXT`.
`response: base64` gives every text of the answer in base64. Arguments have at most 8 MiB, an answer 16 MiB.

**Repeats.** Commands that only read, and those that leave the same behind however often they come (`DEL`, `HSET`, `SADD`,
`SETEX`, …, and `SET` with a key and a value alone), may be repeated. The others (`INCR`, `LPUSH`, `PUBLISH`, `SET` with
options, …) are not, when nobody knows whether they were carried out.

**Errors.** Trying again may help: `REDIS_CONNECT`, `REDIS_UNAVAILABLE`. Nobody knows whether it was done:
`REDIS_TIMEOUT`, `REDIS_CONNECTION_LOST`. Final: `REDIS_HOST_DENIED`, `REDIS_TLS`, `REDIS_SIGN_IN`, `REDIS_REFUSED`,
`REDIS_NOT_TEXT`, `REDIS_ANSWER_TOO_LARGE`.

**Where it may go.** As `http.request`, with the ports 6379 and 6380 besides.";

#[async_trait]
impl NodeType for Command {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "Redis",
            summary: "Sends one command to Redis.",
            docs: DOCS,
            icon: "layers",
            translations: &[crate::german::server::REDIS],
            aliases: &["valkey", "cache", "key value", "counter", "publish", "queue"],
            config_schema: config_schema(),
            for_each: true,
            auth: &["redis"],
            ..NodeDescriptor::new("redis.command", 1, NodeCategory::Integration)
        }
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, config: &Value) -> EffectClass {
        let command = config.get("command").and_then(Value::as_str).unwrap_or_default();
        let arguments = config.get("arguments").and_then(Value::as_array).map(Vec::len);
        let repeats = READING.contains(&command)
            || SETTING.contains(&command)
            // With options it may depend on what is there, or answer with it.
            || (command == "SET" && arguments == Some(2));
        if repeats { EffectClass::Idempotent } else { EffectClass::Effectful }
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let is_base64 = choice(config.fields(), "", "response", &["text", "base64"])? == 1;
        let command = command(&config)?;
        let timeout = config.duration("timeout")?.unwrap_or(USUAL_TIMEOUT).min(attempt.timeout);
        let connection = context.connection().ok_or_else(|| {
            ErrorInfo::permanent("CONNECTION_UNKNOWN", "the node names no connection; say which server in `connection`")
        })?;
        let answer = super::ask(connection, context.outgoing(), &command, Instant::now() + timeout).await?;
        value(answer, is_base64).map(done)
    }
}

fn command(config: &Config<'_>) -> Result<Cmd, ErrorInfo> {
    let name = config.required_text("command")?;
    if ![READING.as_slice(), &SETTING, &CHANGING].iter().any(|list| list.contains(&name)) {
        return Err(invalid("command", &Value::from(name), "a command of the list that the documentation has"));
    }
    let arguments = config.list("arguments")?.unwrap_or_default();
    if arguments.len() > MOST_ARGUMENTS {
        let message = format!("config.arguments has {} entries; at most {MOST_ARGUMENTS} are taken", arguments.len());
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    let mut command = ::redis::cmd(name);
    let mut bytes = 0_usize;
    for (index, argument) in arguments.iter().enumerate() {
        let text = scalar(argument);
        let text =
            text.ok_or_else(|| invalid(&format!("arguments[{index}]"), argument, "a text, a number or a boolean"))?;
        bytes = bytes.saturating_add(text.len());
        command.arg(text);
    }
    if bytes > MOST_BYTES {
        let message = format!("config.arguments has over {MOST_BYTES} bytes");
        return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
    }
    Ok(command)
}

/// An answer as JSON.
fn value(answer: Answer, is_base64: bool) -> Result<Value, ErrorInfo> {
    let text = |bytes: Vec<u8>| {
        if is_base64 {
            return Ok(Value::from(STANDARD.encode(bytes)));
        }
        String::from_utf8(bytes).map(Value::from).map_err(|_| {
            let message = "the answer holds bytes that are no text; set config.response to `base64`";
            ErrorInfo::permanent("REDIS_NOT_TEXT", message)
        })
    };
    let list = |items: Vec<Answer>| -> Result<Value, ErrorInfo> {
        items.into_iter().map(|item| value(item, is_base64)).collect()
    };
    match answer {
        Answer::Nil => Ok(Value::Null),
        Answer::Int(number) => Ok(number.into()),
        Answer::BulkString(bytes) | Answer::BigNumber(bytes) => text(bytes),
        Answer::SimpleString(text) | Answer::VerbatimString { text, .. } => Ok(text.into()),
        Answer::Okay => Ok("OK".into()),
        Answer::Double(number) => Ok(json!(number)),
        Answer::Boolean(boolean) => Ok(boolean.into()),
        Answer::Array(items) | Answer::Set(items) | Answer::Push { data: items, .. } => list(items),
        Answer::Map(pairs) => {
            let mut fields = Map::new();
            for (name, field) in pairs {
                let name = match value(name, is_base64)? {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                fields.insert(name, value(field, is_base64)?);
            }
            Ok(Value::Object(fields))
        }
        Answer::Attribute { data, .. } => value(*data, is_base64),
        _ => Err(ErrorInfo::permanent("REDIS_REFUSED", "the answer is of a kind that is not known here")),
    }
}

fn config_schema() -> Value {
    let mut commands = [READING.as_slice(), &SETTING, &CHANGING].concat();
    commands.sort_unstable();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["command"],
        "properties": {
            "command": {
                "x-order": 1,
                "x-widget": "select",
                "x-literal": true,
                "title": "Command",
                "description": "What to do. A constant.",
                "enum": commands,
            },
            "arguments": {
                "x-order": 2,
                "x-widget": "json",
                "title": "Arguments",
                "description": "Its arguments in their order: keys, values, options.",
                "type": "array",
                "items": { "type": ["string", "number", "boolean"] },
            },
            "response": {
                "x-order": 3,
                "x-widget": "select",
                "title": "Response",
                "description": "Whether texts of the answer are taken as UTF-8, or given in base64.",
                "enum": ["text", "base64"],
                "default": "text",
            },
            "timeout": {
                "x-order": 4,
                "x-widget": "duration",
                "title": "Timeout",
                "description": "How long to wait for the answer, such as `5s`; at most as long as the attempt.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                "default": "10s",
            },
        },
    })
}

#[cfg(test)]
mod tests;

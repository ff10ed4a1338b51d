//! `sql.query`: asks and changes a database.

use std::time::Duration;

use async_trait::async_trait;
use engine::catalog::{EffectClass, NodeCategory, NodeDescriptor, OUT, Shape};
use engine::error::ErrorInfo;
use engine::port::PortType;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::limit::{Limits, MOST_BYTES, MOST_ROWS, USUAL_ROWS};
use super::{Job, Outcome, Statement, statement};
use crate::config::{Config, invalid, missing};
use crate::{Attempt, NodeContext, NodeOutcome, NodeType, done};

/// Asks and changes a database.
pub(crate) struct Query;

/// How long statements may take when the config does not say.
const USUAL_TIMEOUT: Duration = Duration::from_secs(30);
/// Most statements of one transaction.
const MOST_STATEMENTS: usize = 100;

const DOCS: &str = "\
Carries out a statement in PostgreSQL, MySQL, MariaDB or SQLite, named by `connection`. The output is `{rows, affected}`:
rows are objects by column, `affected` is how many rows were changed (or read).

```yaml
type: sql.query@1
connection: shop_db
config:
  statement: select id, total from orders where customer = $1 and total > $2
  parameters: ['{{ input.customer }}', 100]
  read_only: true
```

**Parameters only.** A statement is a constant: an expression in it is the error `EXPRESSION_NOT_ALLOWED_HERE`, so that
no data can become part of it. Data stands for its placeholders: `$1`, `$2` in PostgreSQL, `?` in the others.

**Transactions.** A statement has a transaction of its own. `statements` takes several `{statement, parameters}` that are
carried out together or not at all; then the output is `{results}` with `{rows, affected}` for each. In MySQL, changes of
tables and tables without transactions are there for good at once.

**Types.** Integers of 64 bits, floats, booleans and texts are themselves. Decimals are numbers where a double holds them
exactly, else texts. Times with zone are RFC 3339 in UTC; times without zone, dates and times of day are ISO 8601; bytes
are base64; JSON is JSON; lists of PostgreSQL are lists. What has no form is `SQL_TYPE_UNSUPPORTED`: cast it to text. A
parameter of PostgreSQL is read by the type of its placeholder; where that has no form, write `$1::text::inet`.

**Bounds.** `max_rows` rows (1,000 unless said, at most 100,000), 16 MiB as JSON, `timeout`. More is an error, never a
part of the result.

**Repeats.** With `read_only: true` the database is told to refuse changes, and the statement may be repeated. Without it
an attempt whose outcome is unknown is not repeated, unless `on_uncertain` says so.

**Errors.** Trying again may help: `SQL_CONNECT`, `SQL_CONFLICT` (deadlock, locked), `SQL_TIMEOUT` and
`SQL_CONNECTION_LOST` before the end of the transaction. Nobody knows whether it was done: the last two at its end, and at
any time in MySQL. Final: `SQL_HOST_DENIED`, `SQL_FILE_DENIED`, `SQL_TLS`, `SQL_SIGN_IN`, `SQL_REFUSED`,
`SQL_CONSTRAINT`, `SQL_PARAMETER_INVALID`, `SQL_TYPE_UNSUPPORTED`, `SQL_COLUMN_REPEATED`, `SQL_TOO_MANY_ROWS`,
`SQL_RESULT_TOO_LARGE`.

**Where it may go.** As `http.request`, with the ports 5432 and 3306 besides. SQLite files lie below the folder that the
operator opens by `FLOWFORGE__HTTP__SQLITE_FOLDER`; there is none by default.";

#[async_trait]
impl NodeType for Query {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor {
            title: "SQL",
            summary: "Asks and changes a database.",
            docs: DOCS,
            icon: "database",
            translations: &[crate::german::server::SQL],
            aliases: &["postgres", "mysql", "mariadb", "sqlite", "database", "select", "insert", "query", "table"],
            config_schema: config_schema(),
            for_each: true,
            auth: super::DATABASES,
            ..NodeDescriptor::new("sql.query", 1, NodeCategory::Integration)
        }
    }

    fn output(&self, port: &str, shape: &Shape<'_>) -> Option<PortType> {
        let result = PortType::closed([("rows", PortType::list()), ("affected", PortType::Integer)]);
        let several = shape.config.get("statements").is_some();
        let results = PortType::List { items: Box::new(result.clone()) };
        (port == OUT).then(|| if several { PortType::closed([("results", results)]) } else { result })
    }

    fn reads_input(&self, _config: &Value) -> bool {
        false
    }

    fn effect(&self, config: &Value) -> EffectClass {
        let reads = config.get("read_only") == Some(&Value::Bool(true));
        if reads { EffectClass::Idempotent } else { EffectClass::Effectful }
    }

    async fn execute(&self, context: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        let config = Config::of(attempt)?;
        let several = config.value("statements").is_some();
        let job = job(&config, attempt)?;
        let connection = context.connection().ok_or_else(|| {
            ErrorInfo::permanent(
                "CONNECTION_UNKNOWN",
                "the node names no connection; say which database in `connection`",
            )
        })?;
        let outcomes = super::run(connection, context.outgoing(), &job).await?;
        let mut results: Vec<Value> = outcomes.into_iter().map(result).collect();
        Ok(done(if several { json!({ "results": results }) } else { results.pop().unwrap_or_default() }))
    }
}

fn result(outcome: Outcome) -> Value {
    json!({ "rows": outcome.rows, "affected": outcome.affected })
}

fn job<'a>(config: &Config<'a>, attempt: &Attempt) -> Result<Job<'a>, ErrorInfo> {
    let read_only = config.boolean("read_only")?.unwrap_or(false);
    let rows = config.integer("max_rows", 1, MOST_ROWS as u64)?.and_then(|rows| usize::try_from(rows).ok());
    let timeout = config.duration("timeout")?.unwrap_or(USUAL_TIMEOUT).min(attempt.timeout);
    let statements = match (config.value("statement"), config.list("statements")?) {
        (Some(_), None) => vec![one(config.fields(), "", read_only)?],
        (None, Some(list)) => {
            if list.is_empty() || list.len() > MOST_STATEMENTS || config.value("parameters").is_some() {
                let message = format!("config.statements takes 1 to {MOST_STATEMENTS}, each with its own parameters");
                return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
            }
            let read = list.iter().enumerate().map(|(index, entry)| {
                let path = format!("statements[{index}]");
                let fields = entry.as_object().ok_or_else(|| invalid(&path, entry, "an object"))?;
                one(fields, &format!("{path}."), read_only)
            });
            read.collect::<Result<Vec<_>, _>>()?
        }
        (Some(_), Some(_)) | (None, None) => {
            let message = "config needs exactly one of `statement` and `statements`";
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message));
        }
    };
    let limits = Limits { rows: rows.unwrap_or(USUAL_ROWS), bytes: MOST_BYTES };
    Ok(Job { statements, read_only, limits, deadline: Instant::now() + timeout })
}

fn one<'a>(fields: &'a Map<String, Value>, path: &str, read_only: bool) -> Result<Statement<'a>, ErrorInfo> {
    let place = format!("{path}statement");
    let value = fields.get("statement").ok_or_else(|| missing(&place, "a statement"))?;
    let text = value.as_str().ok_or_else(|| invalid(&place, value, "a text"))?;
    statement::check(&place, text, read_only)?;
    let parameters: &[Value] = match fields.get("parameters") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(parameters)) => parameters,
        Some(other) => return Err(invalid(&format!("{path}parameters"), other, "a list")),
    };
    Ok(Statement { text, parameters })
}

fn config_schema() -> Value {
    let statement = |order: u32| {
        json!({
            "x-order": order,
            "x-widget": "textarea",
            "x-literal": true,
            "title": "Statement",
            "description": "One statement in the database's own SQL, a constant; data stands for its placeholders.",
            "type": "string",
            "minLength": 1,
        })
    };
    let parameters = |order: u32| {
        json!({
            "x-order": order,
            "x-widget": "json",
            "title": "Parameters",
            "description": "What stands for the placeholders, in their order.",
            "type": "array",
        })
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["statement"] }, { "required": ["statements"] }],
        "properties": {
            "statement": statement(1),
            "parameters": parameters(2),
            "statements": {
                "x-order": 3,
                "title": "Statements",
                "description": "Several statements instead of one, carried out together or not at all.",
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_STATEMENTS,
                "items": {
                    "title": "Statement",
                    "description": "A statement with its parameters.",
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["statement"],
                    "properties": { "statement": statement(1), "parameters": parameters(2) },
                },
            },
            "read_only": {
                "x-order": 4,
                "title": "Only reads",
                "description": "Has the database refuse changes. Such a node may be repeated.",
                "type": "boolean",
                "default": false,
            },
            "max_rows": {
                "x-order": 5,
                "title": "Most rows",
                "description": "More rows than this are an error.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_ROWS,
                "default": USUAL_ROWS,
            },
            "timeout": {
                "x-order": 6,
                "x-widget": "duration",
                "title": "Timeout",
                "description": "How long all may take, such as `10s`; at most as long as the attempt.",
                "type": "string",
                "pattern": "^\\s*([0-9]+(ms|s|m|h|d))+\\s*$",
                "default": "30s",
            },
        },
    })
}

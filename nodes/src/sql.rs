//! Statements for databases: one job, three kinds of servers.

use std::str::FromStr as _;

use bigdecimal::{BigDecimal, ToPrimitive as _};
use engine::error::ErrorInfo;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};
use tokio::time::Instant;

use crate::connection::Connection;
use crate::outgoing::Outgoing;

mod error;
mod limit;
mod mysql;
mod postgres;
pub(crate) mod query;
mod sqlite;
mod statement;
mod tunnel;

pub(crate) use self::error::SqlError;
use self::limit::Limits;

/// The connection types that a job can be done by.
pub(crate) const DATABASES: &[&str] = &["mysql", "postgres", "sqlite"];

/// Statements that are carried out together or not at all.
pub(crate) struct Job<'a> {
    statements: Vec<Statement<'a>>,
    /// Whether the database is told to refuse changes.
    read_only: bool,
    limits: Limits,
    deadline: Instant,
}

/// A statement with what stands for its placeholders.
struct Statement<'a> {
    text: &'a str,
    parameters: &'a [Value],
}

/// What a statement gave.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    rows: Vec<Value>,
    affected: u64,
}

/// A row as it grows.
type Row = Map<String, Value>;

/// Does a job on the database of a connection.
pub(crate) async fn run(
    connection: &Connection,
    outgoing: &Outgoing,
    job: &Job<'_>,
) -> Result<Vec<Outcome>, ErrorInfo> {
    let mut phase = Phase::Connecting;
    let working = async {
        match connection.kind().name {
            "postgres" => postgres::run(connection, outgoing, job, &mut phase).await,
            "mysql" => mysql::run(connection, outgoing, job, &mut phase).await,
            _ => sqlite::run(connection, outgoing, job, &mut phase).await,
        }
    };
    let done = tokio::time::timeout_at(job.deadline, working).await.unwrap_or(Err(SqlError::Timeout));
    done.map_err(|error| error.told(phase, job.read_only))
}

/// Asks the database of a connection for the number one.
pub(crate) async fn test(connection: &Connection, outgoing: &Outgoing, deadline: Instant) -> Result<(), ErrorInfo> {
    let statements = vec![Statement { text: "select 1 as one", parameters: &[] }];
    let job = Job { statements, read_only: true, limits: Limits::default(), deadline };
    run(connection, outgoing, &job).await.map(drop)
}

/// How far a job has come, which decides what an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No statement was sent.
    Connecting,
    /// Statements were sent, inside a transaction that is lost with the connection.
    Working,
    /// What was done may be there for good: the end of the transaction was asked for, or the server has no
    /// transactions for all it can do.
    Ending,
}

/// The text of a statement, which is a constant of its workflow: [`statement::check`] has seen it, and no data is in it.
fn text(statement: &Statement<'_>) -> sqlx::SqlStr {
    AssertSqlSafe(statement.text.to_owned()).into_sql_str()
}

/// Whether there is a parameter for each placeholder.
fn counts_match(statement: &Statement<'_>, wanted: usize) -> Result<(), SqlError> {
    let given = statement.parameters.len();
    if given == wanted {
        return Ok(());
    }
    let message = format!("the statement has {wanted} placeholders, and {given} parameters are given");
    Err(ErrorInfo::permanent("SQL_PARAMETER_INVALID", message).into())
}

/// `None` for what is no number: JSON has no infinity.
fn float(float: f64) -> Option<Value> {
    serde_json::Number::from_f64(float).map(Value::Number)
}

/// A decimal number as a JSON number where that is the same number when read back, else as its digits.
fn number(decimal: &BigDecimal) -> Value {
    if decimal.is_integer() {
        if let Some(integer) = decimal.to_i64() {
            return integer.into();
        }
    } else if let Some(float) = decimal.to_f64()
        && BigDecimal::from_str(&float.to_string()).is_ok_and(|read| read == *decimal)
    {
        return Value::from(float);
    }
    Value::from(decimal.normalized().to_plain_string())
}

#[cfg(test)]
mod tests;

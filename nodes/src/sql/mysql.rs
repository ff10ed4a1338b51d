//! Jobs for MySQL and MariaDB.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bigdecimal::BigDecimal;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use futures::StreamExt as _;
use serde_json::Value;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlSslMode};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _,
    Statement as _, TypeInfo as _, ValueRef as _,
};
use tokio::time::Instant;

use super::limit::Meter;
use super::tunnel::Tunnel;
use super::{Job, Outcome, Phase, Row, SqlError, Statement, float, number};
use crate::connection::Connection;
use crate::outgoing::Outgoing;

/// The port of MySQL.
const PORTS: &[u16] = &[3306];

pub(super) async fn run(
    connection: &Connection,
    outgoing: &Outgoing,
    job: &Job<'_>,
    phase: &mut Phase,
) -> Result<Vec<Outcome>, SqlError> {
    let server = connection.server(3306)?;
    let stream = outgoing.connect(server.host, server.port, PORTS, job.deadline).await?;
    let tunnel = Tunnel::open("mysql").map_err(sqlx::Error::Io)?;
    let mut options = MySqlConnectOptions::new()
        .host(server.host.trim_matches(['[', ']']))
        .port(server.port)
        .socket(tunnel.folder().join("mysql"))
        .username(connection.needed("username")?)
        .database(connection.needed("database")?)
        .ssl_mode(if server.is_encrypted { MySqlSslMode::VerifyIdentity } else { MySqlSslMode::Disabled })
        .timezone(Some("+00:00".to_owned()))
        .disable_statement_logging();
    if let Some(password) = server.password {
        options = options.password(password);
    }
    if let Some(ca) = server.ca {
        options = options.ssl_ca_from_pem(ca.as_bytes().to_vec());
    }
    let work = async {
        let mut session = MySqlConnection::connect_with(&options).await?;
        limit_time(&mut session, job.deadline).await;
        let begin = if job.read_only { "START TRANSACTION READ ONLY" } else { "START TRANSACTION" };
        session.execute(sqlx::raw_sql(begin)).await?;
        // Tables without transactions and changes of tables are there for good at once.
        *phase = Phase::Ending;
        let mut meter = Meter::new(job.limits);
        let mut outcomes = Vec::with_capacity(job.statements.len());
        for statement in &job.statements {
            outcomes.push(one(&mut session, statement, &mut meter).await?);
        }
        session.execute(sqlx::raw_sql("COMMIT")).await?;
        drop(session.close().await);
        Ok(outcomes)
    };
    tunnel.during(stream, work).await
}

/// Tells the server to end what we have stopped waiting for. MariaDB and MySQL have a name of their own each, and MySQL
/// heeds it for reading only; a server that knows neither goes on, and we do not wait for it.
async fn limit_time(session: &mut MySqlConnection, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    let seconds = format!("SET SESSION max_statement_time = {:.3}", left.as_secs_f64());
    if session.execute(sqlx::raw_sql(AssertSqlSafe(seconds))).await.is_err() {
        let milliseconds = format!("SET SESSION max_execution_time = {}", left.as_millis().max(1));
        drop(session.execute(sqlx::raw_sql(AssertSqlSafe(milliseconds))).await);
    }
}

async fn one(session: &mut MySqlConnection, statement: &Statement<'_>, meter: &mut Meter) -> Result<Outcome, SqlError> {
    let prepared = (&mut *session).prepare(super::text(statement)).await?;
    let wanted = match prepared.parameters() {
        Some(Either::Right(count)) => count,
        _ => 0,
    };
    super::counts_match(statement, wanted)?;
    let mut arguments = MySqlArguments::default();
    for (index, parameter) in statement.parameters.iter().enumerate() {
        let added = match parameter {
            Value::Null => arguments.add(None::<String>),
            Value::Bool(boolean) => arguments.add(*boolean),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => arguments.add(number),
                (None, Some(number)) => arguments.add(number),
                (None, None) => arguments.add(number.as_f64()),
            },
            Value::String(text) => arguments.add(text.clone()),
            Value::Array(_) | Value::Object(_) => arguments.add(parameter.to_string()),
        };
        added.map_err(|_| SqlError::Parameter { place: index + 1, message: "cannot be sent".to_owned() })?;
    }
    let mut outcome = Outcome::default();
    let mut answers = session.fetch_many(prepared.query_with(arguments));
    while let Some(answer) = answers.next().await {
        match answer? {
            Either::Left(done) => outcome.affected = outcome.affected.saturating_add(done.rows_affected()),
            Either::Right(found) => {
                meter.row()?;
                let mut row = Row::new();
                for (index, column) in found.columns().iter().enumerate() {
                    let value = read(&found, index, column.name())?;
                    meter.put(&mut row, column.name(), value)?;
                }
                outcome.rows.push(Value::Object(row));
            }
        }
    }
    Ok(outcome)
}

fn read(row: &MySqlRow, index: usize, name: &str) -> Result<Value, SqlError> {
    let cell = row.try_get_raw(index)?;
    if cell.is_null() {
        return Ok(Value::Null);
    }
    let info = cell.type_info().into_owned();
    let kind = info.name();
    let read = match kind {
        "BOOLEAN" => Some(Value::from(row.try_get_unchecked::<i8, _>(index)?)),
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => Some(row.try_get_unchecked::<i64, _>(index)?.into()),
        "YEAR" => Some(row.try_get_unchecked::<u16, _>(index)?.into()),
        "BIT" => Some(row.try_get_unchecked::<u64, _>(index)?.into()),
        _ if kind.ends_with(" UNSIGNED") => Some(row.try_get_unchecked::<u64, _>(index)?.into()),
        "FLOAT" => float(f64::from(row.try_get_unchecked::<f32, _>(index)?)),
        "DOUBLE" => float(row.try_get_unchecked::<f64, _>(index)?),
        "DECIMAL" => Some(number(&row.try_get_unchecked::<BigDecimal, _>(index)?)),
        "TIMESTAMP" => {
            let time = row.try_get_unchecked::<DateTime<Utc>, _>(index).ok();
            time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
        }
        "DATETIME" => {
            let time = row.try_get_unchecked::<NaiveDateTime, _>(index).ok();
            time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string().into())
        }
        "DATE" => row.try_get_unchecked::<NaiveDate, _>(index).ok().map(|date| date.to_string().into()),
        "TIME" => {
            let time = row.try_get_unchecked::<chrono::NaiveTime, _>(index).ok();
            time.map(|time| time.format("%H:%M:%S%.f").to_string().into())
        }
        "JSON" => Some(row.try_get_unchecked::<sqlx::types::Json<Value>, _>(index)?.0),
        "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" | "ENUM" | "SET" => {
            Some(row.try_get_unchecked::<String, _>(index)?.into())
        }
        "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
            Some(STANDARD.encode(row.try_get_unchecked::<&[u8], _>(index)?).into())
        }
        "NULL" => Some(Value::Null),
        _ => None,
    };
    read.ok_or_else(|| SqlError::Column { name: name.to_owned(), r#type: kind.to_owned() })
}

//! Jobs for SQLite files, in the folder that the operator opened for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::error::ErrorInfo;
use futures::StreamExt as _;
use serde_json::Value;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    Arguments as _, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _, Statement as _,
    TypeInfo as _, ValueRef as _,
};
use tokio::time::Instant;

use super::limit::Meter;
use super::{Job, Outcome, Phase, Row, SqlError, Statement, float};
use crate::connection::Connection;
use crate::outgoing::Outgoing;

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 10_000;

pub(super) async fn run(
    connection: &Connection,
    outgoing: &Outgoing,
    job: &Job<'_>,
    phase: &mut Phase,
) -> Result<Vec<Outcome>, SqlError> {
    let file = allowed(outgoing.policy().sqlite_folder.as_deref(), connection.needed("file")?)?;
    for statement in &job.statements {
        // SQLite itself would carry out all of several statements in one text.
        if statement.text.trim_end().trim_end_matches(';').contains(';') {
            let message = "a statement for SQLite holds a `;`; write one statement, and data as parameters";
            return Err(ErrorInfo::permanent("CONFIG_INVALID", message).into());
        }
    }
    let left = job.deadline.saturating_duration_since(Instant::now());
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(false)
        .read_only(job.read_only)
        .foreign_keys(true)
        .busy_timeout(left.min(Duration::from_secs(10)))
        // One row at a time: what nobody takes is not computed.
        .row_buffer_size(1)
        .disable_statement_logging();
    let mut session = SqliteConnection::connect_with(&options).await?;
    let deadline = job.deadline;
    session.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < deadline);
    *phase = Phase::Working;
    session.execute(if job.read_only { "BEGIN" } else { "BEGIN IMMEDIATE" }).await?;
    let mut meter = Meter::new(job.limits);
    let mut outcomes = Vec::with_capacity(job.statements.len());
    for statement in &job.statements {
        outcomes.push(one(&mut session, statement, &mut meter).await?);
    }
    *phase = Phase::Ending;
    session.execute("COMMIT").await?;
    drop(session.close().await);
    Ok(outcomes)
}

/// The file, when it lies in the folder; links do not lead out of it.
fn allowed(folder: Option<&Path>, file: &str) -> Result<PathBuf, ErrorInfo> {
    let denied = |why: &str| Err(ErrorInfo::permanent("SQL_FILE_DENIED", format!("the file of the connection {why}")));
    let Some(folder) = folder else {
        return denied(
            "cannot be opened: no folder is open to nodes. An operator can open one by FLOWFORGE__HTTP__SQLITE_FOLDER",
        );
    };
    let Ok(folder) = folder.canonicalize() else {
        return denied("cannot be opened: the folder for databases is not there");
    };
    if file.starts_with('/') || file.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return denied("must be a path below the folder for databases");
    }
    match folder.join(file).canonicalize() {
        Ok(path) if path.starts_with(&folder) && path.is_file() => Ok(path),
        Ok(_) => denied("is no file in the folder for databases"),
        Err(_) => denied("is not there"),
    }
}

async fn one(
    session: &mut SqliteConnection,
    statement: &Statement<'_>,
    meter: &mut Meter,
) -> Result<Outcome, SqlError> {
    let prepared = (&mut *session).prepare(super::text(statement)).await?;
    let wanted = match prepared.parameters() {
        Some(Either::Right(count)) => count,
        _ => 0,
    };
    super::counts_match(statement, wanted)?;
    let mut arguments = SqliteArguments::default();
    for (index, parameter) in statement.parameters.iter().enumerate() {
        let added = match parameter {
            Value::Null => arguments.add(None::<String>),
            Value::Bool(boolean) => arguments.add(i64::from(*boolean)),
            Value::Number(number) => match number.as_i64() {
                Some(number) => arguments.add(number),
                None => arguments.add(number.as_f64()),
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

/// By what the cell holds, whatever its column was declared as.
fn read(row: &SqliteRow, index: usize, name: &str) -> Result<Value, SqlError> {
    let cell = row.try_get_raw(index)?;
    if cell.is_null() {
        return Ok(Value::Null);
    }
    let info = cell.type_info().into_owned();
    let kind = info.name();
    let read = match kind {
        "INTEGER" => Some(row.try_get_unchecked::<i64, _>(index)?.into()),
        "REAL" => float(row.try_get_unchecked::<f64, _>(index)?),
        "TEXT" => Some(row.try_get_unchecked::<String, _>(index)?.into()),
        "BLOB" => Some(STANDARD.encode(row.try_get_unchecked::<Vec<u8>, _>(index)?).into()),
        _ => None,
    };
    read.ok_or_else(|| SqlError::Column { name: name.to_owned(), r#type: kind.to_owned() })
}

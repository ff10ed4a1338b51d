//! Jobs for PostgreSQL.

use futures::StreamExt as _;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Either, Executor as _, Row as _, Statement as _,
};
use tokio::time::Instant;

use super::limit::Meter;
use super::tunnel::Tunnel;
use super::{Job, Outcome, Phase, Row, SqlError, Statement};
use crate::connection::Connection;
use crate::outgoing::Outgoing;

mod argument;
mod value;

/// The port of PostgreSQL.
const PORTS: &[u16] = &[5432];

pub(super) async fn run(
    connection: &Connection,
    outgoing: &Outgoing,
    job: &Job<'_>,
    phase: &mut Phase,
) -> Result<Vec<Outcome>, SqlError> {
    let server = connection.server(5432)?;
    let stream = outgoing.connect(server.host, server.port, PORTS, job.deadline).await?;
    let tunnel = Tunnel::open(&format!(".s.PGSQL.{}", server.port)).map_err(sqlx::Error::Io)?;
    // The server ends what we have stopped waiting for.
    let left = job.deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(server.host.trim_matches(['[', ']']))
        .port(server.port)
        .socket(tunnel.folder())
        .username(connection.needed("username")?)
        .password(server.password.unwrap_or_default())
        .database(connection.needed("database")?)
        .application_name("FlowForge")
        .ssl_mode(if server.is_encrypted { PgSslMode::VerifyFull } else { PgSslMode::Disable })
        .disable_statement_logging();
    if let Some(ca) = server.ca {
        options = options.ssl_root_cert_from_pem(ca.as_bytes().to_vec());
    }
    let work = async {
        let mut session = PgConnection::connect_with(&options).await?;
        *phase = Phase::Working;
        let begin = if job.read_only { "BEGIN READ ONLY" } else { "BEGIN" };
        session.execute(begin).await?;
        session.execute(AssertSqlSafe(format!("SET LOCAL statement_timeout = {left}"))).await?;
        let mut meter = Meter::new(job.limits);
        let mut outcomes = Vec::with_capacity(job.statements.len());
        for statement in &job.statements {
            outcomes.push(one(&mut session, statement, &mut meter).await?);
        }
        *phase = Phase::Ending;
        session.execute("COMMIT").await?;
        // What counts has been said; a server that does not hear good-bye does no harm.
        drop(session.close().await);
        Ok(outcomes)
    };
    tunnel.during(stream, work).await
}

async fn one(session: &mut PgConnection, statement: &Statement<'_>, meter: &mut Meter) -> Result<Outcome, SqlError> {
    // Prepared without types, so that the server says which ones the placeholders have.
    let prepared = (&mut *session).prepare(super::text(statement)).await?;
    let types = match prepared.parameters() {
        Some(Either::Left(types)) => types.to_vec(),
        _ => Vec::new(),
    };
    super::counts_match(statement, types.len())?;
    let mut arguments = PgArguments::default();
    for (index, (r#type, parameter)) in types.iter().zip(statement.parameters).enumerate() {
        argument::add(&mut arguments, r#type, parameter)
            .map_err(|message| SqlError::Parameter { place: index + 1, message })?;
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
                    let value: Value = value::read(&found, index)?;
                    meter.put(&mut row, column.name(), value)?;
                }
                outcome.rows.push(Value::Object(row));
            }
        }
    }
    Ok(outcome)
}

//! Flushes on SQLite: one immediate transaction on the one writer, a few statements of many rows each.

use std::collections::{BTreeSet, HashSet};

use engine::drive::batch::{Claim, FORMAT, NodeRunRow, Record, RunFlush};
use engine::id::{RunId, WorkerId};
use engine::value::{Digest, ValueRef};
use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::row;
use super::row::groups;
use crate::database::to_column;

mod create;

pub(super) use create::create;

/// Holds the writer from its first statement on, so that what it reads stays true.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// Four columns of a value that may not be there.
fn push_value(columns: &mut Separated<'_, Sqlite, &'static str>, value: Option<&ValueRef>) {
    columns.push_bind(value.map(|value| value.digest.0.to_vec()));
    columns.push_bind(value.map(|value| row::number(value.len)));
    columns.push_bind(value.map(|value| row::kind(value.kind)));
    columns.push_bind(value.and_then(row::inline).map(<[u8]>::to_vec));
}

/// Writes these runs in one transaction; gives back those whose fence held.
pub(super) async fn flush(
    pool: &SqlitePool,
    owner: WorkerId,
    flushes: &[&RunFlush],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut transaction = pool.begin_with(BEGIN).await?;
    let committed = write(&mut transaction, owner, flushes).await?;
    transaction.commit().await?;
    Ok(committed)
}

async fn write(
    connection: &mut SqliteConnection,
    owner: WorkerId,
    flushes: &[&RunFlush],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut possible = Vec::with_capacity(flushes.len());
    for flush in flushes {
        if has_blobs(connection, flush.run.0, &flush.blobs).await? {
            possible.push(*flush);
        }
    }
    let fenced = fence(connection, owner, &possible).await?;
    possible.retain(|flush| fenced.contains(&flush.run));
    let records: Vec<(Uuid, &Record)> =
        possible.iter().flat_map(|flush| flush.records.iter().map(|record| (flush.run.0, record))).collect();
    insert_records(connection, &records).await?;
    let node_runs: Vec<(Uuid, &NodeRunRow)> =
        possible.iter().flat_map(|flush| flush.node_runs.iter().map(|row| (flush.run.0, row))).collect();
    upsert_node_runs(connection, &node_runs).await?;
    for flush in possible {
        consume(connection, flush).await?;
        refer(connection, flush.run.0, &flush.blobs).await?;
    }
    Ok(fenced)
}

/// Whether every blob is there and may be referred to. Nobody can doom one before this transaction ends.
async fn has_blobs(connection: &mut SqliteConnection, run: Uuid, blobs: &[Digest]) -> Result<bool, sqlx::Error> {
    const SQL: &str = "SELECT 1 FROM run JOIN blob ON blob.workspace_id = run.workspace_id \
                       WHERE run.id = $1 AND blob.digest = $2 AND blob.doomed_at IS NULL";
    for blob in blobs {
        if sqlx::query(SQL).bind(run).bind(blob.0.as_slice()).fetch_optional(&mut *connection).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn refer(connection: &mut SqliteConnection, run: Uuid, blobs: &[Digest]) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO blob_ref (run_id, digest, workspace_id) SELECT id, $2, workspace_id FROM run \
                       WHERE id = $1 ON CONFLICT DO NOTHING";
    for blob in blobs.iter().collect::<BTreeSet<_>>() {
        sqlx::query(SQL).bind(run).bind(blob.0.as_slice()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn fence(
    connection: &mut SqliteConnection,
    owner: WorkerId,
    flushes: &[&RunFlush],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut fenced = HashSet::with_capacity(flushes.len());
    for group in groups(flushes) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "WITH new (run_id, epoch, expected, head_seq, head_digest, status, claim, progress, wake_at, output_digest, \
             output_len, output_kind, output, error, started_at, finished_at) AS (",
        );
        query.push_values(group, |mut columns, flush| {
            columns.push_bind(flush.run.0).push_bind(flush.epoch).push_bind(row::number(flush.expected_head));
            columns.push_bind(row::number(flush.head)).push_bind(flush.head_digest.0.to_vec());
            columns.push_bind(flush.row.status.as_str()).push_bind(flush.row.claim.as_str());
            columns.push_bind(flush.row.progress).push_bind(flush.row.wake_at.map(to_column));
            push_value(&mut columns, flush.row.output.as_ref());
            columns.push_bind(flush.row.error.as_ref().map(row::error));
            columns.push_bind(flush.row.started_at.map(to_column)).push_bind(flush.row.finished_at.map(to_column));
        });
        query.push(
            ") UPDATE run SET head_seq = new.head_seq, head_digest = new.head_digest, status = new.status, \
             claim = new.claim, owner_id = CASE WHEN new.claim = 'OWNED' THEN run.owner_id END, \
             adoptions = CASE WHEN new.progress THEN 0 ELSE run.adoptions END, wake_at = new.wake_at, \
             output_digest = new.output_digest, output_len = new.output_len, output_kind = new.output_kind, \
             output = new.output, error = new.error, started_at = new.started_at, finished_at = new.finished_at \
             FROM new WHERE run.id = new.run_id AND run.owner_epoch = new.epoch AND run.head_seq = new.expected \
             AND run.owner_id = ",
        );
        query.push_bind(owner.0).push(" RETURNING id");
        for row in query.build().fetch_all(&mut *connection).await? {
            fenced.insert(RunId(row.try_get(0)?));
        }
    }
    Ok(fenced)
}

async fn insert_records(connection: &mut SqliteConnection, records: &[(Uuid, &Record)]) -> Result<(), sqlx::Error> {
    for group in groups(records) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO journal (run_id, first_seq, last_seq, format, body, digest, prev) ",
        );
        query.push_values(group, |mut columns, (run, record)| {
            columns.push_bind(*run).push_bind(row::number(record.first_seq)).push_bind(row::number(record.last_seq));
            columns.push_bind(FORMAT).push_bind(record.body.clone());
            columns.push_bind(record.digest.0.to_vec()).push_bind(record.prev.0.to_vec());
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

async fn upsert_node_runs(connection: &mut SqliteConnection, rows: &[(Uuid, &NodeRunRow)]) -> Result<(), sqlx::Error> {
    for group in groups(rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO node_run (run_id, node_key, scope, node_type, status, attempt, effect, port, output_digest, \
             output_len, output_kind, output, error, signal_name, signal_key, due_at, items, items_settled, started_at, \
             finished_at, reused_from) ",
        );
        query.push_values(group, |mut columns, (run, row)| {
            columns.push_bind(*run).push_bind(row.node.clone()).push_bind(row.scope.to_string());
            columns.push_bind(row.node_type.clone()).push_bind(row.status.as_str()).push_bind(row::small(row.attempt));
            columns.push_bind(row::effect(row.class)).push_bind(row.port.clone());
            push_value(&mut columns, row.output.as_ref());
            columns.push_bind(row.error.as_ref().map(row::error));
            columns.push_bind(row.signal.as_ref().map(|signal| signal.name.clone()));
            columns.push_bind(row.signal.as_ref().map(|signal| signal.key.clone()));
            columns.push_bind(row.due_at.map(to_column)).push_bind(row.items.map(row::small));
            columns.push_bind(row::small(row.items_settled));
            columns.push_bind(row.started_at.map(to_column)).push_bind(row.finished_at.map(to_column));
            columns.push_bind(row.reused_from.map(row::reused_from));
        });
        query.push(
            " ON CONFLICT (run_id, node_key, scope) DO UPDATE SET node_type = excluded.node_type, \
             status = excluded.status, attempt = excluded.attempt, effect = excluded.effect, port = excluded.port, \
             output_digest = excluded.output_digest, output_len = excluded.output_len, \
             output_kind = excluded.output_kind, output = excluded.output, error = excluded.error, \
             signal_name = excluded.signal_name, signal_key = excluded.signal_key, due_at = excluded.due_at, \
             items = excluded.items, items_settled = excluded.items_settled, started_at = excluded.started_at, \
             finished_at = excluded.finished_at, reused_from = excluded.reused_from",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// Deletes the mail that became events; all of it when the run has ended.
async fn consume(connection: &mut SqliteConnection, flush: &RunFlush) -> Result<(), sqlx::Error> {
    if flush.row.claim == Claim::Done {
        sqlx::query("DELETE FROM run_inbox WHERE run_id = $1").bind(flush.run.0).execute(&mut *connection).await?;
        return Ok(());
    }
    for id in &flush.consumed {
        let query = sqlx::query("DELETE FROM run_inbox WHERE run_id = $1 AND id = $2").bind(flush.run.0).bind(id.0);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

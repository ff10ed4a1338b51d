//! Starting runs on SQLite: one immediate transaction.

use std::collections::HashSet;

use engine::drive::batch::{NodeRunRow, Record};
use engine::id::{RunId, WorkerId};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::super::row::groups;
use super::super::{Fence, Firing, NewRun, RULES_VERSION, row};
use super::{BEGIN, insert_records, refer, upsert_node_runs};
use crate::database::to_column;
use crate::trace::TraceContext;

/// Makes these runs in one transaction; gives back those that are new.
pub(in super::super) async fn create(
    pool: &SqlitePool,
    owner: Option<WorkerId>,
    new: &[&NewRun],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut transaction = pool.begin_with(BEGIN).await?;
    let mut possible = Vec::with_capacity(new.len());
    for new in new {
        if is_possible(&mut transaction, new).await? {
            possible.push(*new);
        }
    }
    let made = insert_runs(&mut transaction, owner, &possible).await?;
    possible.retain(|new| made.contains(&new.run));
    insert_events(&mut transaction, &possible).await?;
    let records: Vec<(Uuid, &Record)> =
        possible.iter().flat_map(|new| new.records().map(|record| (new.run.0, record))).collect();
    insert_records(&mut transaction, &records).await?;
    let node_runs: Vec<(Uuid, &NodeRunRow)> =
        possible.iter().flat_map(|new| new.node_runs.iter().map(|row| (new.run.0, row))).collect();
    upsert_node_runs(&mut transaction, &node_runs).await?;
    for new in &possible {
        refer(&mut transaction, new.run.0, &new.blobs).await?;
    }
    transaction.commit().await?;
    Ok(made)
}

/// Whether the blobs of its values are there and its start key, if it has one, was free or had expired. Takes the key.
async fn is_possible(connection: &mut SqliteConnection, new: &NewRun) -> Result<bool, sqlx::Error> {
    const BLOB: &str = "SELECT 1 FROM blob WHERE workspace_id = $1 AND digest = $2 AND doomed_at IS NULL";
    const KEY: &str = "INSERT INTO start_dedupe AS known \
        (workspace_id, workflow_id, key, run_id, input_digest, event_id, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
        ON CONFLICT (workspace_id, workflow_id, key) DO UPDATE SET run_id = excluded.run_id, \
        input_digest = excluded.input_digest, event_id = excluded.event_id, expires_at = excluded.expires_at \
        WHERE known.expires_at <= $8";
    for digest in &new.blobs {
        let query = sqlx::query(BLOB).bind(new.workspace.0).bind(digest.0.as_slice());
        if query.fetch_optional(&mut *connection).await?.is_none() {
            return Ok(false);
        }
    }
    match &new.fence {
        Some(Fence::Tick(firing)) => return fire(connection, firing, new.run).await,
        Some(Fence::Waiting(event)) => return take(connection, event.0, new.run).await,
        None => {}
    }
    let asked = new.asked();
    let Some(key) = &new.start_key else { return Ok(true) };
    let query = sqlx::query(KEY).bind(new.workspace.0).bind(new.workflow.0).bind(&key.key).bind(new.run.0);
    let query =
        query.bind(asked.0.as_slice()).bind(new.event.0).bind(to_column(key.expires_at)).bind(to_column(new.at));
    Ok(query.execute(&mut *connection).await?.rows_affected() == 1)
}

/// Decides a tick; `false` when the binding is not as it was.
async fn fire(connection: &mut SqliteConnection, firing: &Firing, run: RunId) -> Result<bool, sqlx::Error> {
    const SQL: &str = "UPDATE trigger_binding SET revision = revision + 1, decided_at = $3, held_at = NULL, \
        next_at = $4, last_tick_at = $3, last_run_id = $5 WHERE id = $1 AND revision = $2";
    let query = sqlx::query(SQL).bind(firing.binding.0).bind(firing.revision).bind(to_column(firing.tick));
    let query = query.bind(firing.next_at.map(to_column)).bind(run.0);
    Ok(query.execute(&mut *connection).await?.rows_affected() == 1)
}

/// Gives the run to an event that still waits; `false` when it does no more.
async fn take(connection: &mut SqliteConnection, event: Uuid, run: RunId) -> Result<bool, sqlx::Error> {
    const SQL: &str = "UPDATE trigger_event SET run_id = $2, payload = NULL \
        WHERE id = $1 AND run_id IS NULL AND reason IS NULL";
    Ok(sqlx::query(SQL).bind(event).bind(run.0).execute(&mut *connection).await?.rows_affected() == 1)
}

async fn insert_runs(
    connection: &mut SqliteConnection,
    owner: Option<WorkerId>,
    new: &[&NewRun],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut made = HashSet::with_capacity(new.len());
    for group in groups(new) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO run (id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, mode, \
             status, claim, placement, priority, key, labels, trigger_node, trigger_event_id, input_digest, input_len, \
             input_kind, input, origin_run_id, owner_id, owner_epoch, adoptions, head_seq, head_digest, rules_version, \
             deadline_at, created_by, created_at, retry_of, origin_node, traceparent, tracestate) ",
        );
        query.push_values(group, |mut columns, new| {
            let owner = owner.filter(|_| new.is_owned);
            columns.push_bind(new.run.0).push_bind(new.workspace.0).push_bind(new.project.0);
            columns
                .push_bind(new.workflow.0)
                .push_bind(new.version.map(|version| version.0))
                .push_bind(new.definition_hash.0.to_vec());
            columns.push_bind(new.environment.clone()).push_bind(row::mode(new.mode)).push("'QUEUED'");
            columns.push_bind(if owner.is_some() { "OWNED" } else { "READY" }).push("'default'");
            columns.push_bind(i32::from(new.priority)).push_bind(new.key.clone()).push_bind(row::labels(new));
            columns.push_bind(new.trigger_node.clone()).push_bind(new.event.0);
            columns.push_bind(new.input.digest.0.to_vec()).push_bind(row::number(new.input.len));
            columns.push_bind(row::kind(new.input.kind)).push_bind(row::inline(&new.input).map(<[u8]>::to_vec));
            columns.push_bind(new.origin.unwrap_or(new.run.0)).push_bind(owner.map(|owner| owner.0));
            columns.push_bind(i64::from(owner.is_some())).push("0").push_bind(row::number(new.last_record().last_seq));
            columns.push_bind(new.last_record().digest.0.to_vec()).push_bind(RULES_VERSION);
            columns.push_bind(new.deadline_at.map(to_column)).push_bind(new.created_by.clone());
            columns.push_bind(to_column(new.at)).push_bind(new.retry_of.map(|run| run.0));
            columns.push_bind(new.retried_from.clone()).push_bind(new.trace.as_ref().map(TraceContext::traceparent));
            columns.push_bind(new.trace.as_ref().and_then(|trace| trace.state.as_deref().map(str::to_owned)));
        });
        query.push(" ON CONFLICT (id) DO NOTHING RETURNING id");
        for row in query.build().fetch_all(&mut *connection).await? {
            made.insert(RunId(row.try_get(0)?));
        }
    }
    Ok(made)
}

async fn insert_events(connection: &mut SqliteConnection, new: &[&NewRun]) -> Result<(), sqlx::Error> {
    let new: Vec<&NewRun> = new.iter().copied().filter(|new| !new.has_event()).collect();
    for group in groups(&new) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO trigger_event (id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key, \
             payload_digest, payload_len, payload_kind, received_at, binding_id, tick_at, redelivery_of, depth) ",
        );
        query.push_values(group, |mut columns, new| {
            columns.push_bind(new.event.0).push_bind(new.workspace.0).push_bind(new.workflow.0);
            columns.push_bind(new.environment.clone()).push_bind(new.trigger_node.clone());
            columns.push_bind(row::trigger(new.kind)).push_bind(new.run.0);
            columns.push_bind(new.start_key.as_ref().map(|key| key.key.clone()));
            columns.push_bind(new.input.digest.0.to_vec()).push_bind(row::number(new.input.len));
            columns.push_bind(row::kind(new.input.kind)).push_bind(to_column(new.at));
            columns.push_bind(new.firing().map(|firing| firing.binding.0));
            columns.push_bind(new.firing().map(|firing| to_column(firing.tick)));
            columns.push_bind(new.redelivery_of.map(|event| event.0)).push_bind(row::small(new.depth));
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

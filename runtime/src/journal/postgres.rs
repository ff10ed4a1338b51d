//! Flushes on PostgreSQL: one statement, which commits by itself. A process that stops while the statement is under way
//! holds no lock for longer than the statement takes.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use engine::drive::batch::{Claim, FORMAT, NodeRunRow, Record, RunFlush};
use engine::id::{RunId, WorkerId};
use engine::value::{Digest, ValueRef};
use sqlx::PgPool;
use uuid::Uuid;

use super::row;
use crate::database::to_column;

mod create;

pub(super) use create::create;

/// Arrays go in, one for each column. A run's records, node runs, mail and blobs count only when its fence held.
/// `(… IN (SELECT …)) IS TRUE` keeps the planner from joining: it is looked up in a hash table instead. A blob's row is
/// locked, so that it cannot be doomed between being seen here and being referred to.
const FLUSH: &str = r"/* flush */
WITH referred AS (
    SELECT wanted.run_id, blob.workspace_id, blob.digest
    FROM unnest($42::uuid[], $43::bytea[]) AS wanted (run_id, digest)
    JOIN run ON run.id = wanted.run_id
    JOIN blob ON blob.workspace_id = run.workspace_id AND blob.digest = wanted.digest
    WHERE blob.doomed_at IS NULL
    FOR SHARE OF blob
), fenced AS (
    UPDATE run SET
        head_seq = new.head_seq, head_digest = new.head_digest, status = new.status, claim = new.claim,
        owner_id = CASE WHEN new.claim = 'OWNED' THEN run.owner_id END,
        adoptions = CASE WHEN new.progress THEN 0 ELSE run.adoptions END,
        wake_at = new.wake_at, output_digest = new.output_digest, output_len = new.output_len,
        output_kind = new.output_kind, output = new.output, error = new.error,
        started_at = new.started_at, finished_at = new.finished_at
    FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::text[], $8::text[],
            $9::boolean[], $10::timestamptz[], $11::bytea[], $12::bigint[], $13::text[], $14::bytea[], $15::text[],
            $16::timestamptz[], $17::timestamptz[], $18::bigint[])
        AS new (run_id, epoch, expected, head_seq, head_digest, status, claim, progress, wake_at, output_digest,
            output_len, output_kind, output, error, started_at, finished_at, blobs)
    WHERE run.id = new.run_id AND run.owner_id = $1 AND run.owner_epoch = new.epoch AND run.head_seq = new.expected
        AND (new.blobs = 0
            OR new.blobs = (SELECT count(*) FROM referred WHERE referred.run_id = new.run_id))
    RETURNING run.id, run.claim
), written AS (
    INSERT INTO journal (run_id, first_seq, last_seq, format, body, digest, prev)
    SELECT run_id, first_seq, last_seq, $19, body, digest, prev
    FROM unnest($20::uuid[], $21::bigint[], $22::bigint[], $23::bytea[], $24::bytea[], $25::bytea[])
        AS record (run_id, first_seq, last_seq, body, digest, prev)
    WHERE (run_id IN (SELECT id FROM fenced)) IS TRUE
), shown AS (
    INSERT INTO node_run (run_id, node_key, scope, node_type, status, attempt, effect, port, output_digest, output_len,
        output_kind, output, error, signal_name, signal_key, due_at, items, items_settled, started_at, finished_at,
        reused_from)
    SELECT * FROM unnest($26::uuid[], $27::text[], $28::text[], $29::text[], $30::text[], $31::int[], $32::text[],
            $33::text[], $34::bytea[], $35::bigint[], $36::text[], $37::bytea[], $38::text[], $39::text[], $40::text[],
            $41::timestamptz[], $46::int[], $47::int[], $48::timestamptz[], $49::timestamptz[], $50::text[])
        AS row (run_id, node_key, scope, node_type, status, attempt, effect, port, output_digest, output_len,
            output_kind, output, error, signal_name, signal_key, due_at, items, items_settled, started_at, finished_at,
            reused_from)
    WHERE (run_id IN (SELECT id FROM fenced)) IS TRUE
    ON CONFLICT (run_id, node_key, scope) DO UPDATE SET
        node_type = excluded.node_type, status = excluded.status, attempt = excluded.attempt, effect = excluded.effect,
        port = excluded.port, output_digest = excluded.output_digest, output_len = excluded.output_len,
        output_kind = excluded.output_kind, output = excluded.output, error = excluded.error,
        signal_name = excluded.signal_name, signal_key = excluded.signal_key, due_at = excluded.due_at,
        items = excluded.items, items_settled = excluded.items_settled, started_at = excluded.started_at,
        finished_at = excluded.finished_at, reused_from = excluded.reused_from
), consumed AS (
    DELETE FROM run_inbox USING unnest($44::uuid[], $45::uuid[]) AS gone (run_id, id)
    WHERE run_inbox.run_id = gone.run_id AND run_inbox.id = gone.id
        AND (gone.run_id IN (SELECT id FROM fenced)) IS TRUE
), unread AS (
    DELETE FROM run_inbox WHERE run_id IN (SELECT id FROM fenced WHERE claim = 'DONE')
), kept AS (
    INSERT INTO blob_ref (run_id, digest, workspace_id)
    SELECT run_id, digest, workspace_id FROM referred WHERE (run_id IN (SELECT id FROM fenced)) IS TRUE
    ON CONFLICT (run_id, digest) DO NOTHING
)
SELECT id FROM fenced";

type Time = Option<DateTime<Utc>>;

/// The runs' own columns.
#[derive(Default)]
struct Runs<'a> {
    id: Vec<Uuid>,
    epoch: Vec<i64>,
    expected: Vec<i64>,
    head: Vec<i64>,
    head_digest: Vec<&'a [u8]>,
    status: Vec<&'a str>,
    claim: Vec<&'a str>,
    progress: Vec<bool>,
    wake_at: Vec<Time>,
    output: Outputs<'a>,
    error: Vec<Option<String>>,
    started_at: Vec<Time>,
    finished_at: Vec<Time>,
    blobs: Vec<i64>,
}

/// Four columns of a value that may not be there.
#[derive(Default)]
struct Outputs<'a> {
    digest: Vec<Option<&'a [u8]>>,
    len: Vec<Option<i64>>,
    kind: Vec<Option<&'a str>>,
    bytes: Vec<Option<&'a [u8]>>,
}

impl<'a> Outputs<'a> {
    fn push(&mut self, value: Option<&'a ValueRef>) {
        self.digest.push(value.map(|value| value.digest.0.as_slice()));
        self.len.push(value.map(|value| row::number(value.len)));
        self.kind.push(value.map(|value| row::kind(value.kind)));
        self.bytes.push(value.and_then(row::inline));
    }
}

#[derive(Default)]
struct Records<'a> {
    run: Vec<Uuid>,
    first: Vec<i64>,
    last: Vec<i64>,
    body: Vec<&'a [u8]>,
    digest: Vec<&'a [u8]>,
    prev: Vec<&'a [u8]>,
}

impl<'a> Records<'a> {
    fn push(&mut self, run: Uuid, record: &'a Record) {
        self.run.push(run);
        self.first.push(row::number(record.first_seq));
        self.last.push(row::number(record.last_seq));
        self.body.push(&record.body);
        self.digest.push(&record.digest.0);
        self.prev.push(&record.prev.0);
    }
}

#[derive(Default)]
struct NodeRuns<'a> {
    run: Vec<Uuid>,
    node: Vec<&'a str>,
    scope: Vec<String>,
    node_type: Vec<&'a str>,
    status: Vec<&'a str>,
    attempt: Vec<i32>,
    effect: Vec<&'a str>,
    port: Vec<Option<&'a str>>,
    output: Outputs<'a>,
    error: Vec<Option<String>>,
    signal_name: Vec<Option<&'a str>>,
    signal_key: Vec<Option<&'a str>>,
    due_at: Vec<Time>,
    items: Vec<Option<i32>>,
    items_settled: Vec<i32>,
    started_at: Vec<Time>,
    finished_at: Vec<Time>,
    reused_from: Vec<Option<String>>,
}

/// A batch, turned on its side.
#[derive(Default)]
struct Columns<'a> {
    runs: Runs<'a>,
    records: Records<'a>,
    node_runs: NodeRuns<'a>,
    blob_run: Vec<Uuid>,
    blob_digest: Vec<&'a [u8]>,
    consumed_run: Vec<Uuid>,
    consumed_id: Vec<Uuid>,
}

impl<'a> Columns<'a> {
    fn of(flushes: &[&'a RunFlush]) -> Self {
        let mut columns = Self::default();
        flushes.iter().for_each(|flush| columns.push(flush));
        columns
    }

    fn push(&mut self, flush: &'a RunFlush) {
        let run = flush.run.0;
        self.runs.push(flush);
        flush.records.iter().for_each(|record| self.records.push(run, record));
        flush.node_runs.iter().for_each(|row| self.node_runs.push(run, row));
        let blobs: BTreeSet<&Digest> = flush.blobs.iter().collect();
        self.runs.blobs.push(row::number(blobs.len() as u64));
        for digest in blobs {
            self.blob_run.push(run);
            self.blob_digest.push(&digest.0);
        }
        // All mail of a run that has ended goes anyway; a row cannot go twice in one statement.
        if flush.row.claim != Claim::Done {
            for id in &flush.consumed {
                self.consumed_run.push(run);
                self.consumed_id.push(id.0);
            }
        }
    }
}

impl<'a> Runs<'a> {
    fn push(&mut self, flush: &'a RunFlush) {
        self.id.push(flush.run.0);
        self.epoch.push(flush.epoch);
        self.expected.push(row::number(flush.expected_head));
        self.head.push(row::number(flush.head));
        self.head_digest.push(&flush.head_digest.0);
        self.status.push(flush.row.status.as_str());
        self.claim.push(flush.row.claim.as_str());
        self.progress.push(flush.row.progress);
        self.wake_at.push(flush.row.wake_at.map(to_column));
        self.output.push(flush.row.output.as_ref());
        self.error.push(flush.row.error.as_ref().map(row::error));
        self.started_at.push(flush.row.started_at.map(to_column));
        self.finished_at.push(flush.row.finished_at.map(to_column));
    }
}

impl<'a> NodeRuns<'a> {
    fn push(&mut self, run: Uuid, row: &'a NodeRunRow) {
        self.run.push(run);
        self.node.push(&row.node);
        self.scope.push(row.scope.to_string());
        self.node_type.push(&row.node_type);
        self.status.push(row.status.as_str());
        self.attempt.push(row::small(row.attempt));
        self.effect.push(row::effect(row.class));
        self.port.push(row.port.as_deref());
        self.output.push(row.output.as_ref());
        self.error.push(row.error.as_ref().map(row::error));
        self.signal_name.push(row.signal.as_ref().map(|signal| signal.name.as_str()));
        self.signal_key.push(row.signal.as_ref().map(|signal| signal.key.as_str()));
        self.due_at.push(row.due_at.map(to_column));
        self.items.push(row.items.map(row::small));
        self.items_settled.push(row::small(row.items_settled));
        self.started_at.push(row.started_at.map(to_column));
        self.finished_at.push(row.finished_at.map(to_column));
        self.reused_from.push(row.reused_from.map(row::reused_from));
    }
}

/// Writes these runs in one statement; gives back those whose fence held.
pub(super) async fn flush(
    pool: &PgPool,
    owner: WorkerId,
    flushes: &[&RunFlush],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let Columns { runs, records, node_runs, blob_run, blob_digest, consumed_run, consumed_id } = Columns::of(flushes);
    let query = sqlx::query_scalar::<_, Uuid>(FLUSH).bind(owner.0);
    let query = query.bind(runs.id).bind(runs.epoch).bind(runs.expected).bind(runs.head).bind(runs.head_digest);
    let query = query.bind(runs.status).bind(runs.claim).bind(runs.progress).bind(runs.wake_at);
    let query = query.bind(runs.output.digest).bind(runs.output.len).bind(runs.output.kind).bind(runs.output.bytes);
    let query = query.bind(runs.error).bind(runs.started_at).bind(runs.finished_at).bind(runs.blobs);
    let query = query.bind(FORMAT).bind(records.run).bind(records.first).bind(records.last);
    let query = query.bind(records.body).bind(records.digest).bind(records.prev);
    let query = query.bind(node_runs.run).bind(node_runs.node).bind(node_runs.scope).bind(node_runs.node_type);
    let query = query.bind(node_runs.status).bind(node_runs.attempt).bind(node_runs.effect).bind(node_runs.port);
    let query = query.bind(node_runs.output.digest).bind(node_runs.output.len).bind(node_runs.output.kind);
    let query = query.bind(node_runs.output.bytes).bind(node_runs.error).bind(node_runs.signal_name);
    let query = query.bind(node_runs.signal_key).bind(node_runs.due_at);
    let query = query.bind(blob_run).bind(blob_digest).bind(consumed_run).bind(consumed_id);
    let query = query.bind(node_runs.items).bind(node_runs.items_settled);
    let query = query.bind(node_runs.started_at).bind(node_runs.finished_at).bind(node_runs.reused_from);
    let fenced = query.fetch_all(pool).await?;
    Ok(fenced.into_iter().map(RunId).collect())
}

#[cfg(test)]
mod tests;

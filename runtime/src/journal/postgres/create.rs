//! Starting runs on PostgreSQL: one statement, which commits by itself.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::drive::batch::FORMAT;
use engine::id::{RunId, WorkerId};
use sqlx::PgPool;
use uuid::Uuid;

use super::super::NewRun;
use super::super::row;
use crate::database::to_column;

/// A run is made when the blob of its input is there and its start key, if it has one, was free or had expired.
const CREATE: &str = r"/* intake */
WITH referred AS (
    SELECT wanted.run_id, blob.workspace_id, blob.digest
    FROM unnest($36::uuid[], $37::uuid[], $38::bytea[]) AS wanted (run_id, workspace_id, digest)
    JOIN blob ON blob.workspace_id = wanted.workspace_id AND blob.digest = wanted.digest
    WHERE blob.doomed_at IS NULL
    FOR SHARE OF blob
), possible AS MATERIALIZED (
    SELECT id FROM unnest($2::uuid[], $3::boolean[]) AS new (id, has_blob)
    WHERE NOT has_blob OR (id IN (SELECT run_id FROM referred)) IS TRUE
), keyed AS (
    INSERT INTO start_dedupe AS known (workspace_id, workflow_id, key, run_id, input_digest, event_id, expires_at)
    SELECT * FROM unnest($29::uuid[], $30::uuid[], $31::text[], $32::uuid[], $33::bytea[], $34::uuid[],
            $35::timestamptz[])
        AS new (workspace_id, workflow_id, key, run_id, input_digest, event_id, expires_at)
    WHERE (run_id IN (SELECT id FROM possible)) IS TRUE
    ON CONFLICT (workspace_id, workflow_id, key) DO UPDATE SET
        run_id = excluded.run_id, input_digest = excluded.input_digest, event_id = excluded.event_id,
        expires_at = excluded.expires_at
    WHERE known.expires_at <= $39
    RETURNING run_id
), made AS (
    INSERT INTO run (id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, mode, status,
        claim, placement, priority, key, labels, trigger_node, trigger_event_id, input_digest, input_len, input_kind,
        input, origin_run_id, owner_id, owner_epoch, adoptions, head_seq, head_digest, rules_version, deadline_at,
        created_by, created_at)
    SELECT id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, 'LIVE', 'QUEUED',
        CASE WHEN is_owned THEN 'OWNED' ELSE 'READY' END, 'default', priority, key, labels, trigger_node, event_id,
        input_digest, input_len, input_kind, input, id, CASE WHEN is_owned THEN $1 END,
        CASE WHEN is_owned THEN 1 ELSE 0 END, 0, head_seq, head_digest, $40, deadline_at, created_by, created_at
    FROM unnest($2::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::text[], $10::int[],
            $11::text[], $12::text[], $13::text[], $14::uuid[], $15::bytea[], $16::bigint[], $17::text[], $18::bytea[],
            $19::boolean[], $20::bigint[], $21::bytea[], $22::timestamptz[], $23::text[], $24::timestamptz[],
            $25::boolean[])
        AS new (id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, priority, key,
            labels, trigger_node, event_id, input_digest, input_len, input_kind, input, is_owned, head_seq,
            head_digest, deadline_at, created_by, created_at, has_key)
    WHERE (id IN (SELECT id FROM possible)) IS TRUE AND (NOT has_key OR (id IN (SELECT run_id FROM keyed)) IS TRUE)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), came AS (
    INSERT INTO trigger_event (id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key,
        payload_digest, payload_len, payload_kind, received_at)
    SELECT event_id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key, payload_digest,
        payload_len, payload_kind, received_at
    FROM unnest($14::uuid[], $4::uuid[], $6::uuid[], $9::text[], $13::text[], $26::text[], $2::uuid[], $27::text[],
            $15::bytea[], $16::bigint[], $17::text[], $24::timestamptz[])
        AS new (event_id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key, payload_digest,
            payload_len, payload_kind, received_at)
    WHERE (run_id IN (SELECT id FROM made)) IS TRUE
), written AS (
    INSERT INTO journal (run_id, first_seq, last_seq, format, body, digest, prev)
    SELECT run_id, first_seq, last_seq, $41, body, digest, prev
    FROM unnest($2::uuid[], $42::bigint[], $20::bigint[], $28::bytea[], $21::bytea[], $43::bytea[])
        AS record (run_id, first_seq, last_seq, body, digest, prev)
    WHERE (run_id IN (SELECT id FROM made)) IS TRUE
), kept AS (
    INSERT INTO blob_ref (run_id, digest, workspace_id)
    SELECT run_id, digest, workspace_id FROM referred WHERE (run_id IN (SELECT id FROM made)) IS TRUE
)
SELECT id FROM made";

/// Every new run's columns.
#[derive(Default)]
struct Runs<'a> {
    id: Vec<Uuid>,
    has_blob: Vec<bool>,
    workspace: Vec<Uuid>,
    project: Vec<Uuid>,
    workflow: Vec<Uuid>,
    version: Vec<Uuid>,
    definition_hash: Vec<&'a [u8]>,
    environment: Vec<&'a str>,
    priority: Vec<i32>,
    key: Vec<Option<&'a str>>,
    labels: Vec<String>,
    trigger_node: Vec<&'a str>,
    event: Vec<Uuid>,
    input_digest: Vec<&'a [u8]>,
    input_len: Vec<i64>,
    input_kind: Vec<&'a str>,
    input: Vec<Option<&'a [u8]>>,
    is_owned: Vec<bool>,
    first: Vec<i64>,
    head: Vec<i64>,
    head_digest: Vec<&'a [u8]>,
    prev: Vec<&'a [u8]>,
    body: Vec<&'a [u8]>,
    deadline_at: Vec<Option<DateTime<Utc>>>,
    created_by: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    has_key: Vec<bool>,
    kind: Vec<&'a str>,
    dedupe_key: Vec<Option<&'a str>>,
}

/// The columns of those with a start key.
#[derive(Default)]
struct Keys<'a> {
    workspace: Vec<Uuid>,
    workflow: Vec<Uuid>,
    key: Vec<&'a str>,
    run: Vec<Uuid>,
    input_digest: Vec<&'a [u8]>,
    event: Vec<Uuid>,
    expires_at: Vec<DateTime<Utc>>,
}

/// The columns of those whose input is a blob.
#[derive(Default)]
struct Blobs<'a> {
    run: Vec<Uuid>,
    workspace: Vec<Uuid>,
    digest: Vec<&'a [u8]>,
}

impl<'a> Runs<'a> {
    fn push(&mut self, new: &'a NewRun) {
        self.id.push(new.run.0);
        self.has_blob.push(new.input.is_blob());
        self.workspace.push(new.workspace.0);
        self.project.push(new.project.0);
        self.workflow.push(new.workflow.0);
        self.version.push(new.version.0);
        self.definition_hash.push(&new.definition_hash.0);
        self.environment.push(&new.environment);
        self.priority.push(i32::from(new.priority));
        self.key.push(new.key.as_deref());
        self.labels.push(row::labels(new));
        self.trigger_node.push(&new.trigger_node);
        self.event.push(new.event.0);
        self.input_digest.push(&new.input.digest.0);
        self.input_len.push(row::number(new.input.len));
        self.input_kind.push(row::kind(new.input.kind));
        self.input.push(row::inline(&new.input));
        self.is_owned.push(new.is_owned);
        self.first.push(row::number(new.record.first_seq));
        self.head.push(row::number(new.record.last_seq));
        self.head_digest.push(&new.record.digest.0);
        self.prev.push(&new.record.prev.0);
        self.body.push(&new.record.body);
        self.deadline_at.push(new.deadline_at.map(to_column));
        self.created_by.push(&new.created_by);
        self.created_at.push(to_column(new.at));
        self.has_key.push(new.start_key.is_some());
        self.kind.push(row::trigger(new.kind));
        self.dedupe_key.push(new.start_key.as_ref().map(|key| key.key.as_str()));
    }
}

/// Makes these runs in one statement; gives back those that are new. Keys go in their own order, so that two processes
/// with the same keys wait for each other rather than both for ever.
pub(in super::super) async fn create(
    pool: &PgPool,
    owner: Option<WorkerId>,
    new: &[&NewRun],
) -> Result<HashSet<RunId>, sqlx::Error> {
    let mut runs = Runs::default();
    let (mut keys, mut blobs) = (Keys::default(), Blobs::default());
    new.iter().for_each(|new| runs.push(new));
    let mut with_key: Vec<_> = new.iter().filter_map(|new| new.start_key.as_ref().map(|key| (key, new))).collect();
    with_key.sort_by_key(|(key, new)| (new.workspace, new.workflow, &key.key));
    for (key, new) in with_key {
        keys.workspace.push(new.workspace.0);
        keys.workflow.push(new.workflow.0);
        keys.key.push(&key.key);
        keys.run.push(new.run.0);
        keys.input_digest.push(&new.input.digest.0);
        keys.event.push(new.event.0);
        keys.expires_at.push(to_column(key.expires_at));
    }
    for new in new.iter().filter(|new| new.input.is_blob()) {
        blobs.run.push(new.run.0);
        blobs.workspace.push(new.workspace.0);
        blobs.digest.push(&new.input.digest.0);
    }
    let now = new.iter().map(|new| new.at).min().unwrap_or_default();
    let query = sqlx::query_scalar::<_, Uuid>(CREATE).bind(owner.map(|owner| owner.0));
    let query = query.bind(runs.id).bind(runs.has_blob).bind(runs.workspace).bind(runs.project).bind(runs.workflow);
    let query = query.bind(runs.version).bind(runs.definition_hash).bind(runs.environment).bind(runs.priority);
    let query = query.bind(runs.key).bind(runs.labels).bind(runs.trigger_node).bind(runs.event);
    let query = query.bind(runs.input_digest).bind(runs.input_len).bind(runs.input_kind).bind(runs.input);
    let query = query.bind(runs.is_owned).bind(runs.head).bind(runs.head_digest).bind(runs.deadline_at);
    let query = query.bind(runs.created_by).bind(runs.created_at).bind(runs.has_key);
    let query = query.bind(runs.kind).bind(runs.dedupe_key).bind(runs.body);
    let query = query.bind(keys.workspace).bind(keys.workflow).bind(keys.key).bind(keys.run);
    let query = query.bind(keys.input_digest).bind(keys.event).bind(keys.expires_at);
    let query = query.bind(blobs.run).bind(blobs.workspace).bind(blobs.digest);
    let query = query.bind(to_column(now)).bind(super::super::RULES_VERSION).bind(FORMAT);
    let made = query.bind(runs.first).bind(runs.prev).fetch_all(pool).await?;
    Ok(made.into_iter().map(RunId).collect())
}

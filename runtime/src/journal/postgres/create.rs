//! Starting runs on PostgreSQL: one statement, which commits by itself.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::drive::batch::FORMAT;
use engine::id::{RunId, WorkerId};
use sqlx::PgPool;
use uuid::Uuid;

use super::super::row;
use super::super::{Fence, Firing, NewRun};
use super::{NodeRuns, Records};
use crate::database::to_column;
use crate::trace::TraceContext;

/// A run is made when the blobs of its values are there and its start key, if it has one, was free or had expired.
const CREATE: &str = r"/* intake */
WITH referred AS (
    SELECT wanted.run_id, blob.workspace_id, blob.digest
    FROM unnest($36::uuid[], $37::uuid[], $38::bytea[]) AS wanted (run_id, workspace_id, digest)
    JOIN blob ON blob.workspace_id = wanted.workspace_id AND blob.digest = wanted.digest
    WHERE blob.doomed_at IS NULL
    FOR SHARE OF blob
), possible AS MATERIALIZED (
    SELECT id FROM unnest($2::uuid[], $3::bigint[]) AS new (id, blobs)
    WHERE blobs = 0 OR blobs = (SELECT count(*) FROM referred WHERE referred.run_id = new.id)
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
), fired AS (
    UPDATE trigger_binding AS binding SET revision = binding.revision + 1, decided_at = firing.tick, held_at = NULL,
        next_at = firing.next_at, last_tick_at = firing.tick, last_run_id = firing.run_id
    FROM unnest($67::uuid[], $68::bigint[], $69::timestamptz[], $70::timestamptz[], $71::uuid[])
        AS firing (id, revision, tick, next_at, run_id)
    WHERE binding.id = firing.id AND binding.revision = firing.revision
        AND (firing.run_id IN (SELECT id FROM possible)) IS TRUE
    RETURNING firing.run_id
), taken AS (
    UPDATE trigger_event SET run_id = waiting.run_id, payload = NULL
    FROM unnest($74::uuid[], $75::uuid[]) AS waiting (id, run_id)
    WHERE trigger_event.id = waiting.id AND trigger_event.run_id IS NULL AND trigger_event.reason IS NULL
        AND (waiting.run_id IN (SELECT id FROM possible)) IS TRUE
    RETURNING waiting.run_id
), made AS (
    INSERT INTO run (id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, mode, status,
        claim, placement, priority, key, labels, trigger_node, trigger_event_id, input_digest, input_len, input_kind,
        input, origin_run_id, owner_id, owner_epoch, adoptions, head_seq, head_digest, rules_version, deadline_at,
        created_by, created_at, retry_of, origin_node, traceparent, tracestate)
    SELECT id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, mode, 'QUEUED',
        CASE WHEN is_owned THEN 'OWNED' ELSE 'READY' END, 'default', priority, key, labels, trigger_node, event_id,
        input_digest, input_len, input_kind, input, coalesce(origin, id), CASE WHEN is_owned THEN $1 END,
        CASE WHEN is_owned THEN 1 ELSE 0 END, 0, head_seq, head_digest, $40, deadline_at, created_by, created_at,
        retry_of, retried_from, traceparent, tracestate
    FROM unnest($2::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::text[], $10::int[],
            $11::text[], $12::text[], $13::text[], $14::uuid[], $15::bytea[], $16::bigint[], $17::text[], $18::bytea[],
            $19::boolean[], $20::bigint[], $21::bytea[], $22::timestamptz[], $23::text[], $24::timestamptz[],
            $25::boolean[], $47::text[], $48::uuid[], $49::uuid[], $50::text[], $64::text[], $65::text[],
            $66::boolean[], $76::boolean[])
        AS new (id, workspace_id, project_id, workflow_id, version_id, definition_hash, environment, priority, key,
            labels, trigger_node, event_id, input_digest, input_len, input_kind, input, is_owned, head_seq,
            head_digest, deadline_at, created_by, created_at, has_key, mode, origin, retry_of, retried_from, traceparent,
            tracestate, has_firing, has_event)
    WHERE (id IN (SELECT id FROM possible)) IS TRUE AND (NOT has_key OR (id IN (SELECT run_id FROM keyed)) IS TRUE)
        AND (NOT has_firing OR (id IN (SELECT run_id FROM fired)) IS TRUE)
        AND (NOT has_event OR (id IN (SELECT run_id FROM taken)) IS TRUE)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), came AS (
    INSERT INTO trigger_event (id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key,
        payload_digest, payload_len, payload_kind, received_at, binding_id, tick_at, redelivery_of, depth)
    SELECT event_id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key, payload_digest,
        payload_len, payload_kind, received_at, binding_id, tick_at, redelivery_of, depth
    FROM unnest($14::uuid[], $4::uuid[], $6::uuid[], $9::text[], $13::text[], $26::text[], $2::uuid[], $27::text[],
            $15::bytea[], $16::bigint[], $17::text[], $24::timestamptz[], $72::uuid[], $73::timestamptz[],
            $76::boolean[], $77::uuid[], $78::int[])
        AS new (event_id, workspace_id, workflow_id, environment, node_key, kind, run_id, dedupe_key, payload_digest,
            payload_len, payload_kind, received_at, binding_id, tick_at, has_event, redelivery_of, depth)
    WHERE NOT has_event AND (run_id IN (SELECT id FROM made)) IS TRUE
), written AS (
    INSERT INTO journal (run_id, first_seq, last_seq, format, body, digest, prev)
    SELECT run_id, first_seq, last_seq, $41, body, digest, prev
    FROM unnest($44::uuid[], $42::bigint[], $45::bigint[], $28::bytea[], $46::bytea[], $43::bytea[])
        AS record (run_id, first_seq, last_seq, body, digest, prev)
    WHERE (run_id IN (SELECT id FROM made)) IS TRUE
), shown AS (
    INSERT INTO node_run (run_id, node_key, scope, node_type, status, attempt, effect, port, output_digest, output_len,
        output_kind, output, items_settled, finished_at, reused_from)
    SELECT run_id, node_key, scope, node_type, status, 0, effect, port, output_digest, output_len, output_kind, output, 0,
        finished_at, reused_from
    FROM unnest($51::uuid[], $52::text[], $53::text[], $54::text[], $55::text[], $56::text[], $57::text[], $58::bytea[],
            $59::bigint[], $60::text[], $61::bytea[], $62::timestamptz[], $63::text[])
        AS row (run_id, node_key, scope, node_type, status, effect, port, output_digest, output_len, output_kind, output,
            finished_at, reused_from)
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
    blobs: Vec<i64>,
    workspace: Vec<Uuid>,
    project: Vec<Uuid>,
    workflow: Vec<Uuid>,
    version: Vec<Option<Uuid>>,
    mode: Vec<&'a str>,
    origin: Vec<Option<Uuid>>,
    retry_of: Vec<Option<Uuid>>,
    retried_from: Vec<Option<&'a str>>,
    traceparent: Vec<Option<String>>,
    tracestate: Vec<Option<&'a str>>,
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
    head: Vec<i64>,
    head_digest: Vec<&'a [u8]>,
    deadline_at: Vec<Option<DateTime<Utc>>>,
    created_by: Vec<&'a str>,
    created_at: Vec<DateTime<Utc>>,
    has_key: Vec<bool>,
    kind: Vec<&'a str>,
    dedupe_key: Vec<Option<&'a str>>,
    has_firing: Vec<bool>,
    binding: Vec<Option<Uuid>>,
    tick: Vec<Option<DateTime<Utc>>>,
    has_event: Vec<bool>,
    redelivery_of: Vec<Option<Uuid>>,
    depth: Vec<i32>,
}

/// The ticks that start them.
#[derive(Default)]
struct Firings {
    binding: Vec<Uuid>,
    revision: Vec<i64>,
    tick: Vec<DateTime<Utc>>,
    next_at: Vec<Option<DateTime<Utc>>>,
    run: Vec<Uuid>,
}

impl Firings {
    fn push(&mut self, firing: &Firing, run: RunId) {
        self.binding.push(firing.binding.0);
        self.revision.push(firing.revision);
        self.tick.push(to_column(firing.tick));
        self.next_at.push(firing.next_at.map(to_column));
        self.run.push(run.0);
    }
}

/// The events that wait for them.
#[derive(Default)]
struct Events {
    id: Vec<Uuid>,
    run: Vec<Uuid>,
}

/// The columns of those with a start key.
#[derive(Default)]
struct Keys<'a> {
    workspace: Vec<Uuid>,
    workflow: Vec<Uuid>,
    key: Vec<&'a str>,
    run: Vec<Uuid>,
    input_digest: Vec<Vec<u8>>,
    event: Vec<Uuid>,
    expires_at: Vec<DateTime<Utc>>,
}

/// The blobs that they refer to.
#[derive(Default)]
struct Blobs<'a> {
    run: Vec<Uuid>,
    workspace: Vec<Uuid>,
    digest: Vec<&'a [u8]>,
}

impl<'a> Runs<'a> {
    fn push(&mut self, new: &'a NewRun) {
        self.id.push(new.run.0);
        self.blobs.push(row::number(new.blobs.len() as u64));
        self.workspace.push(new.workspace.0);
        self.project.push(new.project.0);
        self.workflow.push(new.workflow.0);
        self.version.push(new.version.map(|version| version.0));
        self.mode.push(row::mode(new.mode));
        self.origin.push(new.origin);
        self.retry_of.push(new.retry_of.map(|run| run.0));
        self.retried_from.push(new.retried_from.as_deref());
        self.traceparent.push(new.trace.as_ref().map(TraceContext::traceparent));
        self.tracestate.push(new.trace.as_ref().and_then(|trace| trace.state.as_deref()));
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
        self.head.push(row::number(new.last_record().last_seq));
        self.head_digest.push(&new.last_record().digest.0);
        self.deadline_at.push(new.deadline_at.map(to_column));
        self.created_by.push(&new.created_by);
        self.created_at.push(to_column(new.at));
        self.has_key.push(new.start_key.is_some());
        self.kind.push(row::trigger(new.kind));
        self.dedupe_key.push(new.start_key.as_ref().map(|key| key.key.as_str()));
        self.has_firing.push(new.firing().is_some());
        self.binding.push(new.firing().map(|firing| firing.binding.0));
        self.tick.push(new.firing().map(|firing| to_column(firing.tick)));
        self.has_event.push(new.has_event());
        self.redelivery_of.push(new.redelivery_of.map(|event| event.0));
        self.depth.push(row::small(new.depth));
    }
}

/// The columns of what they begin with.
#[derive(Default)]
struct Begun<'a> {
    records: Records<'a>,
    node_runs: NodeRuns<'a>,
}

impl<'a> Begun<'a> {
    fn push(&mut self, new: &'a NewRun) {
        new.records().for_each(|record| self.records.push(new.run.0, record));
        new.node_runs.iter().for_each(|row| self.node_runs.push(new.run.0, row));
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
    let (mut begun, mut firings, mut events) = (Begun::default(), Firings::default(), Events::default());
    for new in new {
        runs.push(new);
        begun.push(new);
        match &new.fence {
            Some(Fence::Tick(firing)) => firings.push(firing, new.run),
            Some(Fence::Waiting(event)) => {
                events.id.push(event.0);
                events.run.push(new.run.0);
            }
            None => {}
        }
    }
    let Begun { records, node_runs } = begun;
    let mut with_key: Vec<_> = new.iter().filter_map(|new| new.start_key.as_ref().map(|key| (key, new))).collect();
    with_key.sort_by_key(|(key, new)| (new.workspace, new.workflow, &key.key));
    for (key, new) in with_key {
        keys.workspace.push(new.workspace.0);
        keys.workflow.push(new.workflow.0);
        keys.key.push(&key.key);
        keys.run.push(new.run.0);
        keys.input_digest.push(new.asked().0.to_vec());
        keys.event.push(new.event.0);
        keys.expires_at.push(to_column(key.expires_at));
    }
    for (new, digest) in new.iter().flat_map(|new| new.blobs.iter().map(move |digest| (new, digest))) {
        blobs.run.push(new.run.0);
        blobs.workspace.push(new.workspace.0);
        blobs.digest.push(&digest.0);
    }
    let now = new.iter().map(|new| new.at).min().unwrap_or_default();
    let query = sqlx::query_scalar::<_, Uuid>(CREATE).bind(owner.map(|owner| owner.0));
    let query = query.bind(runs.id).bind(runs.blobs).bind(runs.workspace).bind(runs.project).bind(runs.workflow);
    let query = query.bind(runs.version).bind(runs.definition_hash).bind(runs.environment).bind(runs.priority);
    let query = query.bind(runs.key).bind(runs.labels).bind(runs.trigger_node).bind(runs.event);
    let query = query.bind(runs.input_digest).bind(runs.input_len).bind(runs.input_kind).bind(runs.input);
    let query = query.bind(runs.is_owned).bind(runs.head).bind(runs.head_digest).bind(runs.deadline_at);
    let query = query.bind(runs.created_by).bind(runs.created_at).bind(runs.has_key);
    let query = query.bind(runs.kind).bind(runs.dedupe_key).bind(records.body);
    let query = query.bind(keys.workspace).bind(keys.workflow).bind(keys.key).bind(keys.run);
    let query = query.bind(keys.input_digest).bind(keys.event).bind(keys.expires_at);
    let query = query.bind(blobs.run).bind(blobs.workspace).bind(blobs.digest);
    let query = query.bind(to_column(now)).bind(super::super::RULES_VERSION).bind(FORMAT);
    let query = query.bind(records.first).bind(records.prev).bind(records.run).bind(records.last);
    let query = query.bind(records.digest).bind(runs.mode).bind(runs.origin).bind(runs.retry_of);
    let query = query.bind(runs.retried_from).bind(node_runs.run).bind(node_runs.node).bind(node_runs.scope);
    let query = query.bind(node_runs.node_type).bind(node_runs.status).bind(node_runs.effect).bind(node_runs.port);
    let query = query.bind(node_runs.output.digest).bind(node_runs.output.len).bind(node_runs.output.kind);
    let query = query.bind(node_runs.output.bytes).bind(node_runs.finished_at).bind(node_runs.reused_from);
    let query = query.bind(runs.traceparent).bind(runs.tracestate).bind(runs.has_firing);
    let query = query.bind(firings.binding).bind(firings.revision).bind(firings.tick).bind(firings.next_at);
    let query = query.bind(firings.run).bind(runs.binding).bind(runs.tick).bind(events.id).bind(events.run);
    let query = query.bind(runs.has_event).bind(runs.redelivery_of).bind(runs.depth);
    let made = query.fetch_all(pool).await?;
    Ok(made.into_iter().map(RunId).collect())
}

//! One execution of a version. Only its owner changes the row; everybody else writes to the inbox.

use sea_orm::entity::prelude::*;

use crate::word::{RunClaim, RunMode, RunStatus, ValueKind};

/// One execution of a version. Only its owner changes the row; everybody else writes to the inbox.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    /// Identity; UUIDv7, so runs sort by their start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// Its version; none for a TEST run of a definition that was never published.
    pub version_id: Option<Uuid>,
    /// The definition it runs.
    pub definition_hash: Vec<u8>,
    /// The environment it runs in.
    pub environment: String,
    /// Whether it counts.
    pub mode: RunMode,
    /// What readers see.
    pub status: RunStatus,
    /// Who may take it next; readers never see it.
    pub claim: RunClaim,
    /// Which group of workers may take it; `default` is everybody.
    pub placement: String,
    /// Higher is taken first.
    pub priority: i32,
    /// Business key, such as an order number.
    pub key: Option<String>,
    /// JSON object of strings.
    pub labels: String,
    /// Key of the trigger that started it.
    pub trigger_node: String,
    /// What came from outside.
    pub trigger_event_id: Option<Uuid>,
    /// Content address of its input.
    pub input_digest: Vec<u8>,
    /// Bytes of its input as canonical JSON.
    pub input_len: i64,
    /// JSON kind of its input.
    pub input_kind: ValueKind,
    /// Its input; null when that is a blob.
    pub input: Option<Vec<u8>>,
    /// Content address of its result.
    pub output_digest: Option<Vec<u8>>,
    /// Bytes of its result as canonical JSON.
    pub output_len: Option<i64>,
    /// JSON kind of its result.
    pub output_kind: Option<ValueKind>,
    /// Its result; null when there is none or it is a blob.
    pub output: Option<Vec<u8>>,
    /// Why it failed, or will: JSON.
    pub error: Option<String>,
    /// What its idempotency keys are made from: itself, or the run it was retried from.
    pub origin_run_id: Uuid,
    /// Where a retried run began.
    pub origin_node: Option<String>,
    /// The run whose node started it.
    pub parent_run_id: Option<Uuid>,
    /// That node.
    pub parent_node: Option<String>,
    /// That node's item.
    pub parent_scope: Option<String>,
    /// The worker that drives it.
    pub owner_id: Option<Uuid>,
    /// Rises each time somebody takes it; part of the fence.
    pub owner_epoch: i64,
    /// How often in a row it was taken from a dead worker without progress between.
    pub adoptions: i32,
    /// Seq of its last event; part of the fence.
    pub head_seq: i64,
    /// Digest of its last record.
    pub head_digest: Vec<u8>,
    /// The rules it started under and ends under.
    pub rules_version: i32,
    /// When its next timer is due.
    pub wake_at: Option<DateTimeUtc>,
    /// When its time is up.
    pub deadline_at: Option<DateTimeUtc>,
    /// Who or what started it.
    pub created_by: String,
    /// When it was committed.
    pub created_at: DateTimeUtc,
    /// When it left QUEUED.
    pub started_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
    /// The run that it tries again.
    pub retry_of: Option<Uuid>,
    /// The span that it was asked for in, as W3C Trace Context writes it.
    pub traceparent: Option<String>,
    /// What services before us noted in that trace.
    pub tracestate: Option<String>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

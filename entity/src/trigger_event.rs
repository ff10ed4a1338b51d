//! Something that came from outside and was kept.

use sea_orm::entity::prelude::*;

use crate::word::{TriggerKind, ValueKind};

/// Something that came from outside and was kept.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trigger_event")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The workflow it was for.
    pub workflow_id: Uuid,
    /// The environment it was for.
    pub environment: String,
    /// The trigger that received it.
    pub node_key: String,
    /// What kind of trigger.
    pub kind: TriggerKind,
    /// The run it started.
    pub run_id: Option<Uuid>,
    /// Why it started none.
    pub reason: Option<String>,
    /// The key under which it starts at most one run.
    pub dedupe_key: Option<String>,
    /// Content address of what it carried.
    pub payload_digest: Vec<u8>,
    /// Bytes of what it carried as canonical JSON.
    pub payload_len: i64,
    /// JSON kind of what it carried.
    pub payload_kind: ValueKind,
    /// When it came.
    pub received_at: DateTimeUtc,
    /// The binding whose tick it is.
    pub binding_id: Option<Uuid>,
    /// That tick; a binding has one event for each.
    pub tick_at: Option<DateTimeUtc>,
    /// The version that it was for; of one that started a run, the run says it.
    pub version_id: Option<Uuid>,
    /// What it carried, when it has no run that keeps it and it is small enough for a row.
    pub payload: Option<Vec<u8>>,
    /// The run inside that it comes from.
    pub source_run_id: Option<Uuid>,
    /// What tells it from others inside that come to the same binding, which has one event for each.
    pub source_key: Option<String>,
    /// How many runs before it started each other inside.
    pub depth: i32,
    /// The event that was delivered again.
    pub redelivery_of: Option<Uuid>,
    /// Who wanted a run for this tick of the past.
    pub backfill_id: Option<Uuid>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

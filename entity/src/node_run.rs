//! A node run as its journal shows it; written with the journal, never read to decide.

use sea_orm::entity::prelude::*;

use crate::word::{Effect, NodeRunStatus, ValueKind};

/// A node run as its journal shows it; written with the journal, never read to decide.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "node_run")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    /// The node.
    #[sea_orm(primary_key, auto_increment = false)]
    pub node_key: String,
    /// Which item: indexes joined by `/`, empty outside any `for_each`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope: String,
    /// `group.name@MAJOR`.
    pub node_type: String,
    /// What it is doing.
    pub status: NodeRunStatus,
    /// Its last attempt, from 1; 0 when it never started.
    pub attempt: i32,
    /// What a repeat may do.
    pub effect: Effect,
    /// The port it left by.
    pub port: Option<String>,
    /// Content address of its result.
    pub output_digest: Option<Vec<u8>>,
    /// Bytes of its result as canonical JSON.
    pub output_len: Option<i64>,
    /// JSON kind of its result.
    pub output_kind: Option<ValueKind>,
    /// Its result; null when there is none or it is a blob.
    pub output: Option<Vec<u8>>,
    /// Its last error: JSON.
    pub error: Option<String>,
    /// The signal it waits for.
    pub signal_name: Option<String>,
    /// Tells waits of the same name apart.
    pub signal_key: Option<String>,
    /// When its wait or its next attempt is due.
    pub due_at: Option<DateTimeUtc>,
    /// How many items a `for_each` has.
    pub items: Option<i32>,
    /// How many of them are settled.
    pub items_settled: i32,
    /// When its first attempt began.
    pub started_at: Option<DateTimeUtc>,
    /// When it settled.
    pub finished_at: Option<DateTimeUtc>,
    /// Where its result comes from when it did not run: `PIN` or the hex digits of a run's id.
    pub reused_from: Option<String>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

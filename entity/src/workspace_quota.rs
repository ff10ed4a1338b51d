//! What a workspace may use.

use sea_orm::entity::prelude::*;

/// What a workspace may use. One without a row has no bounds.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_quota")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// Runs that may start within any 60 seconds.
    pub runs_per_minute: Option<i64>,
    /// Runs that may be under way at once.
    pub active_runs: Option<i64>,
    /// Largest input of a run, in bytes of canonical JSON.
    pub payload_bytes: Option<i64>,
    /// The longest that code of one node may run, in milliseconds.
    pub code_time_ms: Option<i64>,
    /// The most memory that code of one node may use, in bytes.
    pub code_memory_bytes: Option<i64>,
    /// Who last changed it.
    pub updated_by: String,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

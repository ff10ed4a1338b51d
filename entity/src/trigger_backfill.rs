//! Ticks of the past that somebody wants runs for.

use sea_orm::entity::prelude::*;

use crate::word::BackfillStatus;

/// Ticks of the past that somebody wants runs for.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trigger_backfill")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Whose ticks.
    pub binding_id: Uuid,
    /// The first time that counts.
    pub from_at: DateTimeUtc,
    /// The last time that counts.
    pub until_at: DateTimeUtc,
    /// The last tick that was looked at.
    pub done_until: DateTimeUtc,
    /// How many ticks are looked at in a minute.
    pub per_minute: i32,
    /// How many ticks there are.
    pub ticks: i32,
    /// How many of them were looked at.
    pub looked_at: i32,
    /// How many of those had started a run before.
    pub had_runs: i32,
    /// Whether it goes on.
    pub status: BackfillStatus,
    /// When it goes on.
    pub next_at: Option<DateTimeUtc>,
    /// Who asked for it.
    pub created_by: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
    /// Rises with every change; whoever goes on names the one it has seen.
    pub revision: i64,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A process that drives runs, and its heartbeat.

use sea_orm::entity::prelude::*;

use crate::word::WorkerState;

/// A process that drives runs, and its heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "worker")]
pub struct Model {
    /// Identity; a new one at each start.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Host and process, for people.
    pub name: String,
    /// Rises with each heartbeat; observers watch that it does, by their own clocks.
    pub beat: i64,
    /// How long its beat may stand still before others take its runs.
    pub lease_ms: i64,
    /// What it says of itself.
    pub state: WorkerState,
    /// The release it runs.
    pub version: String,
    /// When it registered, by its own clock.
    pub started_at: DateTimeUtc,
    /// When it last beat, by its own clock; for people, never for leases.
    pub beat_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

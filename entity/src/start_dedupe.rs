//! Which run a start key stands for, until it expires.

use sea_orm::entity::prelude::*;

/// Which run a start key stands for, until it expires.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "start_dedupe")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// Its workflow.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workflow_id: Uuid,
    /// The key that the caller chose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// The run it started.
    pub run_id: Uuid,
    /// What that run was given.
    pub input_digest: Vec<u8>,
    /// The event that carried it.
    pub event_id: Option<Uuid>,
    /// From when the key may start another run.
    pub expires_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

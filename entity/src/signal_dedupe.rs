//! Which signal a key stands for in a run, until it expires.

use sea_orm::entity::prelude::*;

/// Which signal a key stands for in a run, until it expires.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signal_dedupe")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    /// The key that the sender chose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// What was sent under it.
    pub message_digest: Vec<u8>,
    /// From when the key may send another signal.
    pub expires_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

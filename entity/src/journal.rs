//! One flush of one run: the only truth about it.

use sea_orm::entity::prelude::*;

/// One flush of one run: the only truth about it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "journal")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    /// Seq of its first event; the record before ends one earlier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_seq: i64,
    /// Seq of its last event.
    pub last_seq: i64,
    /// How `body` is written.
    pub format: i16,
    /// Its events.
    pub body: Vec<u8>,
    /// Over run, seqs, format, body and `prev`.
    pub digest: Vec<u8>,
    /// Digest of the record before; zeros for the first.
    pub prev: Vec<u8>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A message to a run that its owner has not read yet. Rows are inserted and deleted, never changed.

use sea_orm::entity::prelude::*;

use crate::word::InboxKind;

/// A message to a run that its owner has not read yet. Rows are inserted and deleted, never changed.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run_inbox")]
pub struct Model {
    /// The run.
    #[sea_orm(primary_key, auto_increment = false)]
    pub run_id: Uuid,
    /// Identity; UUIDv7, so messages of one run sort by arrival.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it asks for.
    pub kind: InboxKind,
    /// JSON, its shape by `kind`.
    pub body: String,
    /// Who sent it.
    pub created_by: String,
    /// When it was committed.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

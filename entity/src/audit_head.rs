//! The number and the hash of the last audit row of a workspace.

use sea_orm::entity::prelude::*;

/// The number and the hash of the last audit row of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_head")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// The number.
    pub seq: i64,
    /// The hash of that row.
    pub hash: Option<Vec<u8>>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Which hosts a workspace's nodes may call.

use sea_orm::entity::prelude::*;

/// Which hosts a workspace's nodes may call, of those that the operator lets anybody call. One without a row has no list
/// of its own.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_egress")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// The entries, as a JSON list of texts.
    #[sea_orm(column_type = "Text")]
    pub allowed_hosts: String,
    /// Who last changed it.
    pub updated_by: String,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

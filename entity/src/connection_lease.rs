//! Who refreshes a connection's token now. A row that ran out counts for nothing.

use sea_orm::entity::prelude::*;

/// Who refreshes a connection's token now. A row that ran out counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection_lease")]
pub struct Model {
    /// The connection.
    #[sea_orm(primary_key, auto_increment = false)]
    pub connection_id: Uuid,
    /// One refreshing, of whatever process.
    pub holder: Uuid,
    /// From when others may.
    pub until: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

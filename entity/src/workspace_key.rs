//! The key that wraps the keys of a workspace's secrets.

use sea_orm::entity::prelude::*;

/// The key that wraps the keys of a workspace's secrets.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_key")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace; each has one.
    #[sea_orm(unique)]
    pub workspace_id: Uuid,
    /// The master key that it is wrapped by.
    pub master_key_id: String,
    /// The key, encrypted by that master key.
    pub wrapped: Vec<u8>,
    /// When it was drawn.
    pub created_at: DateTimeUtc,
    /// When it was last wrapped.
    pub wrapped_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

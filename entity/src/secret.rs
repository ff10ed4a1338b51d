//! An encrypted value. Nothing in a row opens it: that takes the workspace's key, and for this a master key.

use sea_orm::entity::prelude::*;

/// An encrypted value. Nothing in a row opens it: that takes the workspace's key, and for this a master key.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The connection that it is a field of.
    pub connection_id: Uuid,
    /// Rises with each new value; the connection names the one that counts.
    pub version: i32,
    /// The key that `wrapped_key` is wrapped by.
    pub workspace_key_id: Uuid,
    /// The key of this value alone, encrypted by the workspace's key.
    pub wrapped_key: Vec<u8>,
    /// The value, encrypted by its own key.
    pub ciphertext: Vec<u8>,
    /// When its first value was set.
    pub created_at: DateTimeUtc,
    /// When this value was set.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

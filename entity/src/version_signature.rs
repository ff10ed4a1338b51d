//! Who vouches for a version.

use sea_orm::entity::prelude::*;

/// Who vouches for a version. One that was published without a master key has no row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "version_signature")]
pub struct Model {
    /// The version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version_id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The workspace key that the signing key follows from.
    pub workspace_key_id: Uuid,
    /// Ed25519, 64 bytes.
    #[sea_orm(column_type = "Binary(1)")]
    pub signature: Vec<u8>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

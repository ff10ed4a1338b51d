//! What the results of a version's nodes depend on, as it was when the version was published.

use sea_orm::entity::prelude::*;

/// What the results of a version's nodes depend on, as it was when the version was published. Versions from before this
/// table have no row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "version_hashes")]
pub struct Model {
    /// The version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version_id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// JSON object: node type to digest in hex.
    pub node_types: String,
    /// JSON object: node key to hash in hex.
    pub node_hashes: String,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

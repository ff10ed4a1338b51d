//! A workflow document under its own hash; never changed, shared by all versions that are equal.

use sea_orm::entity::prelude::*;

/// A workflow document under its own hash; never changed, shared by all versions that are equal.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "definition")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// SHA-256 of `document`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// Canonical JSON (RFC 8785).
    pub document: String,
    /// When it was first seen.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

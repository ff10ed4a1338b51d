//! How far the audit of a workspace went on a day, signed by the workspace's key.

use sea_orm::entity::prelude::*;

/// How far the audit of a workspace went on a day, signed by the workspace's key.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_anchor")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// The day in UTC, such as `2026-11-21`; one anchor a day.
    pub day: String,
    /// The number of the last row then.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// The key that signed.
    pub workspace_key_id: Uuid,
    /// Ed25519 over workspace, number, hash and time.
    pub signature: Vec<u8>,
    /// When.
    pub at: DateTimeUtc,
}

/// None declared: rows are found by their workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! One change of a draft.

use sea_orm::entity::prelude::*;

/// One change of a draft.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "draft_change")]
pub struct Model {
    /// The draft.
    #[sea_orm(primary_key, auto_increment = false)]
    pub draft_id: Uuid,
    /// The revision that it made.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// The workspace of both.
    pub workspace_id: Uuid,
    /// JSON Patch of the document.
    pub patch: String,
    /// JSON Patch of the sidecar.
    pub sidecar_patch: String,
    /// Who made it.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

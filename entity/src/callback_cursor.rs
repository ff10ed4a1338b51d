//! How far the callbacks of a workspace have looked.

use sea_orm::entity::prelude::*;

/// How far the callbacks of a workspace have looked.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "callback_cursor")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// The last event of the workspace that was looked at.
    pub cursor: i64,
}

/// None declared: rows are found by their workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

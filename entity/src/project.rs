//! A folder of workflows in a workspace.

use sea_orm::entity::prelude::*;

/// A folder of workflows in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its name in URLs, unique in the workspace.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A program that is a member, with keys of its own.

use sea_orm::entity::prelude::*;

/// A program that is a member, with keys of its own.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_account")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its name, unique in the workspace.
    pub name: String,
    /// What it may do: the word of a built-in role, or the id of one that the workspace made.
    pub role: String,
    /// JSON list of the projects that it sees; none for all.
    pub projects: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when none of its keys opens anything.
    pub disabled_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

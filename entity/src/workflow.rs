//! The named thing that has versions.

use sea_orm::entity::prelude::*;

/// The named thing that has versions.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its name in files and URLs, unique in the project.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it is for; may be empty.
    pub description: String,
    /// JSON list of strings.
    pub tags: String,
    /// Where lists show it, such as `billing/eu`; empty at the top.
    pub folder_path: String,
    /// Since when lists hide it.
    pub archived_at: Option<DateTimeUtc>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When its own columns last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

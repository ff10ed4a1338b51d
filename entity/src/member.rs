//! That a person belongs to a workspace.

use sea_orm::entity::prelude::*;

use crate::word::MemberSource;

/// That a person belongs to a workspace.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// The person.
    pub user_id: Uuid,
    /// What they may do: the word of a built-in role, or the id of one that the workspace made.
    pub role: String,
    /// JSON list of the projects that they see; none for all.
    pub projects: Option<String>,
    /// Who says that they belong here.
    pub source: MemberSource,
    /// Who let them in.
    pub created_by: String,
    /// Since when.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

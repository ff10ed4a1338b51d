//! A plain value of a project in one environment.

use sea_orm::entity::prelude::*;

/// A plain value of a project in one environment.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "variable")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// The environment that it holds in.
    pub environment: String,
    /// What expressions call it, after `vars.`.
    pub name: String,
    /// Canonical JSON.
    pub value: Vec<u8>,
    /// Who last changed it.
    pub updated_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

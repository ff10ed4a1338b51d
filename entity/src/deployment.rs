//! Which version an environment runs.

use sea_orm::entity::prelude::*;

/// Which version an environment runs.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// The environment, unique in the workflow.
    pub environment: String,
    /// The version that new runs take.
    pub version_id: Uuid,
    /// Who chose it.
    pub deployed_by: String,
    /// When the workflow first came here.
    pub created_at: DateTimeUtc,
    /// When `version_id` last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

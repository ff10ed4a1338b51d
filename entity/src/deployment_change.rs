//! That an environment was given another version, or none.

use sea_orm::entity::prelude::*;

/// That an environment was given another version, or none.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deployment_change")]
pub struct Model {
    /// Identity; ordered by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// Where.
    pub environment: String,
    /// The version from then on.
    pub version_id: Option<Uuid>,
    /// The version before.
    pub previous_version_id: Option<Uuid>,
    /// Who did it.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! What people edit before it is published.

use sea_orm::entity::prelude::*;

/// What people edit before it is published.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "draft")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// Unique in the workflow.
    pub name: String,
    /// The version that it began as or was last published as.
    pub base_version_id: Option<Uuid>,
    /// Counts its changes from 1.
    pub revision: i64,
    /// A JSON object, broken or not.
    pub document: String,
    /// JSON object: layout, notes, groups, colors, pins; never part of a version.
    pub sidecar: String,
    /// Who changed it last.
    pub updated_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

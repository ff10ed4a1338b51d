//! One immutable, numbered definition of a workflow.

use sea_orm::entity::prelude::*;

/// One immutable, numbered definition of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "version")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its workflow.
    pub workflow_id: Uuid,
    /// Counts from 1 in the workflow.
    pub number: i32,
    /// Which definition.
    pub definition_hash: Vec<u8>,
    /// The newest rules that it was checked against.
    pub rules_version: i32,
    /// What changed, for people; may be empty.
    pub note: String,
    /// Who published it.
    pub created_by: String,
    /// When it was published.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! What triggers are told from inside, until it has been told.

use sea_orm::entity::prelude::*;

/// What triggers are told from inside, until it has been told: a published event, or that a run has ended.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_outbox")]
pub struct Model {
    /// Rises.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The project of the run.
    pub project_id: Uuid,
    /// The workflow of the run.
    pub workflow_id: Uuid,
    /// Where the run is.
    pub environment: String,
    /// The run that published, or has ended.
    pub run_id: Uuid,
    /// The node that published; empty when the run has ended.
    pub node_key: String,
    /// Which item of it.
    pub scope: String,
}

/// None declared: whoever leads reads them all.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

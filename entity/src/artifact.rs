//! A file of a run; its bytes lie in the artifact store.

use sea_orm::entity::prelude::*;

/// A file of a run; its bytes lie in the artifact store.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "artifact")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// The run that it belongs to; none before one begins with it.
    pub run_id: Option<Uuid>,
    /// The node that kept it; none when it came with the run's start.
    pub node_key: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it says it is.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes.
    pub sha256: Vec<u8>,
    /// The blob that it points to.
    pub digest: Vec<u8>,
    /// Who kept it.
    pub created_by: String,
    /// When.
    pub created_at: DateTimeUtc,
    /// When it goes; none for with its run.
    pub expires_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

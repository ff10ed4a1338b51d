//! What happened in a workspace, in the order in which readers may see it.

use sea_orm::entity::prelude::*;

/// What happened in a workspace, in the order in which readers may see it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace_event")]
pub struct Model {
    /// The workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// Counts from 1 in the workspace, without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// What happened, such as `run.finished`.
    pub kind: String,
    /// The id of what it happened to.
    pub entity: String,
    /// The workflow that this is part of.
    pub workflow_id: Option<Uuid>,
    /// Who did it, when somebody did.
    pub actor: Option<String>,
    /// What readers want to know at once: a JSON object.
    pub data: String,
    /// When.
    pub at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! What a transaction leaves behind for readers, until the relay has numbered it.

use sea_orm::entity::prelude::*;

/// What a transaction leaves behind for readers, until the relay has numbered it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Rises; of two rows about one thing the earlier has the smaller.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Its workspace.
    pub workspace_id: Uuid,
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
    /// When; none when the row it is about does not say.
    pub at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

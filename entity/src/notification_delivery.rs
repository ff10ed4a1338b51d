//! One message to somebody outside, the same however often it is sent.

use sea_orm::entity::prelude::*;

use crate::word::DeliveryStatus;

/// One message to somebody outside, the same however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_delivery")]
pub struct Model {
    /// Identity; what the receiver knows the message by.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Who is told.
    pub notification_id: Uuid,
    /// The number of the event in the workspace.
    pub seq: i64,
    /// What happened, such as `run.failed`.
    pub kind: String,
    /// The id of what it happened to.
    pub entity: String,
    /// What is sent.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was sent.
    pub attempts: i32,
    /// How often it was sent since somebody last asked for it.
    pub tries: i32,
    /// When it is sent next.
    pub next_at: Option<DateTimeUtc>,
    /// When the event was found.
    pub created_at: DateTimeUtc,
    /// When it was taken or given up.
    pub finished_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! Somebody outside who is told of runs.

use sea_orm::entity::prelude::*;

use crate::word::NotificationFormat;

/// Somebody outside who is told of runs.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The project whose runs it is about; none for all.
    pub project_id: Option<Uuid>,
    /// The run whose end alone it is about: then it is a callback, and `name` is the run's id.
    pub run_id: Option<Uuid>,
    /// What people call it, unique in the workspace.
    pub name: String,
    /// How it is told.
    pub format: NotificationFormat,
    /// JSON list of what it is told of.
    #[sea_orm(column_type = "Text")]
    pub events: String,
    /// Scheme and host of where it is told; the rest of the URL is a secret.
    pub target: String,
    /// Rises with each new URL or secret.
    pub version: i32,
    /// The key that `wrapped_key` is wrapped by.
    pub workspace_key_id: Uuid,
    /// The key of what is encrypted here alone.
    pub wrapped_key: Vec<u8>,
    /// JSON object of URL and secrets, encrypted.
    pub ciphertext: Vec<u8>,
    /// Until when the secret before signs too.
    pub previous_until: Option<DateTimeUtc>,
    /// The last event of the workspace that was looked at.
    pub cursor: i64,
    /// Since when nobody takes what it is sent.
    pub failing_since: Option<DateTimeUtc>,
    /// Since when nothing is sent any more.
    pub disabled_at: Option<DateTimeUtc>,
    /// Why.
    pub disabled_reason: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When somebody last changed it.
    pub updated_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

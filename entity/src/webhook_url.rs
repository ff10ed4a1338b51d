//! An address of a webhook. It outlives what it leads to, so that its senders are told that it is gone.

use sea_orm::entity::prelude::*;

/// An address of a webhook. It outlives what it leads to, so that its senders are told that it is gone.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_url")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its project.
    pub project_id: Uuid,
    /// Its environment.
    pub environment: String,
    /// The trigger that it leads to.
    pub binding_id: Uuid,
    /// The readable part of an address that is no secret.
    pub path: Option<String>,
    /// SHA-256 of an address that is a secret.
    pub digest: Option<Vec<u8>>,
    /// The key that `wrapped_key` is wrapped by.
    pub workspace_key_id: Option<Uuid>,
    /// The key of this secret alone, encrypted by the workspace's key.
    pub wrapped_key: Option<Vec<u8>>,
    /// The secret, encrypted by its own key.
    pub ciphertext: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when on it is gone.
    pub valid_until: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A sign-in to a service that a person began for a connection and has not come back from.

use sea_orm::entity::prelude::*;

/// A sign-in to a service that a person began for a connection and has not come back from. It is used once.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "connection_sign_in")]
pub struct Model {
    /// SHA-256 of the `state` that comes back.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_digest: Vec<u8>,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// The connection.
    pub connection_id: Uuid,
    /// Who began it; nobody else ends it.
    pub created_by: String,
    /// What the code can be used with alone (RFC 7636).
    pub verifier: String,
    /// Where the service sends the person back to.
    #[sea_orm(column_type = "Text")]
    pub redirect_uri: String,
    /// Until when it may be ended.
    pub expires_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

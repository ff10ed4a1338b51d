//! A credential of a program. Only its hash is kept.

use sea_orm::entity::prelude::*;

/// A credential of a program. Only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace it opens.
    pub workspace_id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do; the words are the API's.
    pub role: String,
    /// Its first characters, to be told apart in lists.
    pub prefix: String,
    /// SHA-256 of the key.
    #[sea_orm(unique)]
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when it no longer opens anything.
    pub expires_at: Option<DateTimeUtc>,
    /// When somebody withdrew it.
    pub revoked_at: Option<DateTimeUtc>,
    /// The person whose session it is; none for programs.
    pub user_id: Option<Uuid>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

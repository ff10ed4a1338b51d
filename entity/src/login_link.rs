//! A link that opens a session in a browser, once. Only its hash is kept.

use sea_orm::entity::prelude::*;

/// A link that opens a session in a browser, once. Only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_link")]
pub struct Model {
    /// SHA-256 of its secret part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// The workspace it opens.
    pub workspace_id: Uuid,
    /// What its session may do; the words are the API's.
    pub role: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when it no longer opens anything.
    pub expires_at: DateTimeUtc,
    /// When it opened its session.
    pub used_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their hash.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A sign-in at the provider that a browser began. It ends with the row.

use sea_orm::entity::prelude::*;

/// A sign-in at the provider that a browser began. It ends with the row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempt")]
pub struct Model {
    /// Digest of the `state` that comes back.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_digest: Vec<u8>,
    /// Digest of the cookie of the browser that began it.
    pub browser_digest: Vec<u8>,
    /// What the ID token must repeat.
    pub nonce: String,
    /// What the code can be used with alone.
    pub verifier: String,
    /// The page that wanted somebody signed in.
    #[sea_orm(column_type = "Text")]
    pub return_to: String,
    /// Until when.
    pub expires_at: DateTimeUtc,
    /// The network that it came from, as far as that is known.
    pub address: Option<String>,
}

/// None declared: rows are found by their digest.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

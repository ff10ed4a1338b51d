//! A logout token that came before; each counts once.

use sea_orm::entity::prelude::*;

/// A logout token that came before; each counts once.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logout_token")]
pub struct Model {
    /// Digest of its name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id_digest: Vec<u8>,
    /// From when it would not be believed anyway.
    pub expires_at: DateTimeUtc,
}

/// None declared: rows are found by their digest.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

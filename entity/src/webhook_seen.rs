//! A signed delivery that was taken: the same one does not count again.

use sea_orm::entity::prelude::*;

/// A signed delivery that was taken: the same one does not count again.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_seen")]
pub struct Model {
    /// The trigger that took it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub binding_id: Uuid,
    /// SHA-256 of its signature.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    /// Its id, where that is not signed.
    pub delivery: Option<String>,
    /// From when on nobody needs to know any more.
    pub expires_at: DateTimeUtc,
}

/// None declared: rows are found by their ids.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A value too large for a row; its bytes lie in the artifact store.

use sea_orm::entity::prelude::*;

/// A value too large for a row; its bytes lie in the artifact store.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blob")]
pub struct Model {
    /// Its workspace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub workspace_id: Uuid,
    /// Content address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// When somebody last put it.
    pub touched_at: DateTimeUtc,
    /// Since when nothing was seen to refer to it.
    pub marked_at: Option<DateTimeUtc>,
    /// Since when its file may be gone; nothing may refer to it until it is put again.
    pub doomed_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

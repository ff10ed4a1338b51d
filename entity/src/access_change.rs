//! Whose rights changed: a credential ended, or a person may do something else now. Kept for minutes only.

use sea_orm::entity::prelude::*;

/// Whose rights changed: a credential ended, or a person may do something else now. Kept for minutes only.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_change")]
pub struct Model {
    /// Another one for each change.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The id of a key, a session, a person or a whole workspace, as viewers have it.
    pub subject: String,
    /// When.
    pub at: DateTimeUtc,
}

/// None declared: rows are read by their time.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A tenant. Every query starts from one.

use sea_orm::entity::prelude::*;

/// A tenant. Every query starts from one.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workspace")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its name in URLs and settings, unique among all workspaces.
    #[sea_orm(unique)]
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// 16 random bytes that go into every digest of a value here, so that a digest does not give its value away.
    pub salt: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A person who signs in.

use sea_orm::entity::prelude::*;

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_user")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which provider vouches for them; none for the local admin.
    pub issuer: Option<String>,
    /// What that provider calls them, for ever.
    pub subject: Option<String>,
    /// Where to write to them, as the provider says.
    pub email: Option<String>,
    /// Their name for other people.
    pub name: String,
    /// When they first came.
    pub created_at: DateTimeUtc,
    /// When they last signed in.
    pub last_seen_at: Option<DateTimeUtc>,
    /// From when nothing opens for them.
    pub disabled_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, or by issuer and subject.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

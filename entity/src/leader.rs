//! Which process does what only one should do.

use sea_orm::entity::prelude::*;

/// Which process does what only one should do.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leader")]
pub struct Model {
    /// What it does.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The process; none after one ended in order.
    pub owner_id: Option<Uuid>,
    /// Rises with each change of the process.
    pub epoch: i64,
    /// Rises while the process lives.
    pub beat: i64,
}

/// None declared: there is a row for each kind of work.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

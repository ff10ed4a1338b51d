//! An offer to become a member. Only the hash of its token is kept.

use sea_orm::entity::prelude::*;

/// An offer to become a member. Only the hash of its token is kept.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// SHA-256 of its token.
    #[sea_orm(unique)]
    pub hash: Vec<u8>,
    /// The address that whoever accepts it must have; none for anybody.
    pub email: Option<String>,
    /// What the member may do: the word of a built-in role, or the id of one that the workspace made.
    pub role: String,
    /// JSON list of the projects that the member sees; none for all.
    pub projects: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when it makes nobody a member.
    pub expires_at: DateTimeUtc,
    /// Who became a member by it.
    pub accepted_by: Option<Uuid>,
    /// When.
    pub accepted_at: Option<DateTimeUtc>,
    /// When somebody took it back.
    pub revoked_at: Option<DateTimeUtc>,
}

/// None declared: rows are found by their ids, inside a workspace, or by their hash.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

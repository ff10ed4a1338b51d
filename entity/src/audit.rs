//! Who changed what. Rows are added and never changed.

use sea_orm::entity::prelude::*;

use crate::word::{ActorKind, AuditResult};

/// Who changed what. Rows are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Counts from 1 in the workspace, without a gap.
    pub seq: i64,
    /// What kind of actor it was.
    pub actor_kind: ActorKind,
    /// Which one; none for a command on the server itself.
    pub actor_id: Option<String>,
    /// What was done, such as `version.published`.
    pub action: String,
    /// The id of what it was done to.
    pub entity: String,
    /// What changed, as it was: JSON without secrets.
    pub before: Option<String>,
    /// What changed, as it is: JSON without secrets.
    pub after: Option<String>,
    /// The request it was part of.
    pub request_id: Option<String>,
    /// When.
    pub at: DateTimeUtc,
    /// What came of it.
    pub result: AuditResult,
    /// How often it happened; more than once only for what was denied again and again.
    pub times: i32,
    /// The address that the request came from.
    pub address: Option<String>,
    /// SHA-256 over the hash of the row before and all of this row; none for rows of before the chain.
    pub hash: Option<Vec<u8>>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

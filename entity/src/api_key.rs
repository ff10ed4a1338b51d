//! A credential of a program. Only its hash is kept.

use sea_orm::entity::prelude::*;

use crate::word::KeyScheme;

/// A credential of a program. Only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace it opens.
    pub workspace_id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do; the words are the API's.
    pub role: String,
    /// Its first characters, to be told apart in lists.
    pub prefix: String,
    /// What the key is compared with; `scheme` says how it was made.
    #[sea_orm(unique)]
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when it no longer opens anything.
    pub expires_at: Option<DateTimeUtc>,
    /// When somebody withdrew it.
    pub revoked_at: Option<DateTimeUtc>,
    /// The person whose session it is; none for programs.
    pub user_id: Option<Uuid>,
    /// The first bytes of the key's SHA-256: what it is looked up by.
    pub lookup: Option<Vec<u8>>,
    /// How `hash` was made.
    pub scheme: KeyScheme,
    /// The machine that it speaks for; `role` says nothing then.
    pub service_account_id: Option<Uuid>,
    /// JSON list of the words of the only permissions that it has; none for all of its role.
    pub permissions: Option<String>,
    /// JSON list of the only projects that it sees; none for all.
    pub projects: Option<String>,
    /// Who made it; none for keys of long ago.
    pub created_by: Option<String>,
    /// When it was last shown, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// The key that takes its place.
    pub successor_id: Option<Uuid>,
    /// The workspace that the local admin chose in this session; requests that name none are about it.
    pub chosen_workspace_id: Option<Uuid>,
}

/// None declared: rows are found by their ids, inside a workspace.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

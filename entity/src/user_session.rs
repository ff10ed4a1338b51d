//! A person's session in a browser, with the provider's tokens. It ends with the row.

use sea_orm::entity::prelude::*;

/// A person's session in a browser, with the provider's tokens. It ends with the row.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_session")]
pub struct Model {
    /// Identity.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the cookie.
    #[sea_orm(unique)]
    pub hash: Vec<u8>,
    /// Who.
    pub user_id: Uuid,
    /// The workspace that it opens when a request names none, and whose key seals the tokens.
    pub workspace_id: Uuid,
    /// Which provider vouches for them.
    pub issuer: String,
    /// What that provider calls them.
    pub subject: String,
    /// The provider's own session, as its logout tokens name it.
    pub provider_session: Option<String>,
    /// Rises with the tokens.
    pub version: i32,
    /// The key that `wrapped_key` is wrapped by.
    pub workspace_key_id: Uuid,
    /// The key of the tokens.
    pub wrapped_key: Vec<u8>,
    /// The tokens.
    pub ciphertext: Vec<u8>,
    /// When they signed in.
    pub created_at: DateTimeUtc,
    /// When they last asked for something, to the minute.
    pub seen_at: DateTimeUtc,
    /// From when it opens nothing, whatever they do.
    pub expires_at: DateTimeUtc,
    /// From when the provider is asked whether it goes on.
    pub refresh_at: DateTimeUtc,
    /// Who asks it just now.
    pub holder: Option<Uuid>,
    /// From when others may.
    pub held_until: Option<DateTimeUtc>,
    /// The workspace that the person chose since; requests that name none are about it.
    pub chosen_workspace_id: Option<Uuid>,
    /// Whether it also opens for somebody who is in no workspace, so that they can accept an invitation.
    pub is_guest: bool,
}

/// None declared: rows are found by their hash, or by what the provider calls them.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

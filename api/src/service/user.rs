//! People: who they are, whatever workspaces they are in.

use engine::id::UserId;
use engine::time::Timestamp;

use super::ServiceError;
use crate::app::App;
use crate::store;

/// The person that login links sign in. Every installation has the same, made at its first link; the id is no secret.
pub const LOCAL_ADMIN: UserId = UserId(uuid::Uuid::from_u128(1));

/// Which provider vouches for a person, and what it calls them for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The provider's issuer, byte for byte.
    pub issuer: String,
    /// The person there.
    pub subject: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Who vouches for them; none for the local admin.
    pub subject: Option<Subject>,
    /// Where to write to them, as the provider says.
    pub email: Option<String>,
    /// Their name for other people.
    pub name: String,
    /// When they first came.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_seen_at: Option<Timestamp>,
    /// From when nothing opens for them.
    pub disabled_at: Option<Timestamp>,
}

/// Keeps what a provider says of a person who just signed in there: a new one, or a new name and address of one who was
/// here before. Being known opens nothing; only membership does.
///
/// # Errors
/// When the database fails.
pub async fn seen(app: &App, subject: Subject, name: &str, email: Option<&str>) -> Result<User, ServiceError> {
    let now = app.runtime.now();
    let new = User {
        id: UserId(app.runtime.clock().new_id()),
        subject: Some(subject),
        email: email.map(str::to_owned),
        name: name.to_owned(),
        created_at: now,
        last_seen_at: Some(now),
        disabled_at: None,
    };
    Ok(store::user::seen(app.runtime.database(), &new).await?)
}

/// The person of this id.
///
/// # Errors
/// `NotFound`, or the database.
pub async fn get(app: &App, id: UserId) -> Result<User, ServiceError> {
    let found = store::user::find(app.runtime.database(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "user" })
}

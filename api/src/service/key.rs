//! API keys: who shows one, and making, listing and revoking them.

use std::time::Instant;

use engine::id::{ApiKeyId, UserId};
use engine::time::Timestamp;

use super::audit::Context;
use super::{ServiceError, text};
use crate::app::App;
use crate::auth::api_key::Secret;
use crate::auth::{Permission, Role, Viewer};
use crate::store;

/// A key as people see it; the secret is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// The first characters of the secret.
    pub shown: String,
    /// What it may do.
    pub role: Role,
    /// The person whose session it is.
    pub user: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key that was just made: the only time its secret is known.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// What to send as `Authorization: Bearer …`.
    pub secret: Secret,
}

/// The viewer of a token, in the request of this id.
///
/// # Errors
/// As for [`authenticate`].
pub async fn authenticate_in(app: &App, token: &str, request: Option<&str>) -> Result<Viewer, ServiceError> {
    let viewer = authenticate(app, token).await?.in_request(request);
    if let Some(notes) = crate::telemetry::request::current() {
        notes.viewer(&viewer);
    }
    Ok(viewer)
}

/// The viewer of a token.
///
/// # Errors
/// `Unauthenticated` when it is no key, unknown or revoked.
pub async fn authenticate(app: &App, token: &str) -> Result<Viewer, ServiceError> {
    let hash = Secret::parse(token).map_err(|_| ServiceError::Unauthenticated)?.hash();
    if let Some(viewer) = app.keys.find(&hash, Instant::now()) {
        return Ok(viewer);
    }
    let found = store::api_key::find_live(app.runtime.database(), &hash, app.runtime.now()).await?;
    let viewer = found.ok_or(ServiceError::Unauthenticated)?;
    app.keys.put(hash, viewer.clone(), Instant::now());
    Ok(viewer)
}

/// Makes a key. Permission is for the caller to check: the first key of an installation has nobody before it.
///
/// # Errors
/// A name that cannot be used, or the database.
pub async fn make(
    database: &runtime::Database,
    context: &Context,
    name: &str,
    role: Role,
    id: ApiKeyId,
) -> Result<CreatedKey, ServiceError> {
    text::key("name", name)?;
    let secret = Secret::draw("default").map_err(ServiceError::internal)?;
    let key = ApiKey {
        id,
        name: name.to_owned(),
        shown: secret.shown().to_owned(),
        role,
        user: None,
        created_at: context.at,
        expires_at: None,
        revoked_at: None,
    };
    store::api_key::insert(database, context, &key, &secret.hash()).await?;
    tracing::info!(key.id = %key.id, key.role = key.role.as_str(), "API key {} made", key.id);
    Ok(CreatedKey { key, secret })
}

/// Makes a key in the viewer's workspace.
///
/// # Errors
/// When they may not, or the name cannot be used.
pub async fn create(app: &App, viewer: &Viewer, name: &str, role: Role) -> Result<CreatedKey, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let context = Context::of(app, viewer);
    make(app.runtime.database(), &context, name, role, ApiKeyId(app.runtime.clock().new_id())).await
}

/// The workspace's keys, the oldest first, revoked ones included.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(app: &App, viewer: &Viewer) -> Result<Vec<ApiKey>, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    Ok(store::api_key::list(app.runtime.database(), viewer.workspace).await?)
}

/// Revokes a key: here at once, in other processes within 5 s. Revoking twice is not an error.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn revoke(app: &App, viewer: &Viewer, id: ApiKeyId) -> Result<(), ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let found = store::api_key::revoke(app.runtime.database(), &Context::of(app, viewer), id).await?;
    app.keys.clear();
    if found { Ok(()) } else { Err(ServiceError::NotFound { what: "API key" }) }
}

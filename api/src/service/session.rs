//! Sessions of browsers. A one-time link opens one; it is an API key of its own that ends by itself, kept in a cookie
//! that pages cannot read, and revoked by signing out.

use std::time::Duration;

use engine::id::{ApiKeyId, MemberId};
use engine::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::audit::Context;
use super::key::{ApiKey, CreatedKey};
use super::user::LOCAL_ADMIN;
use super::{ServiceError, key, member};
use crate::app::App;
use crate::auth::Role;
use crate::auth::api_key::Secret;
use crate::store;

/// How long a link waits for its use.
const LINK_LIVES: Duration = Duration::from_secs(3_600);
/// How long a session lasts.
pub const SESSION_LIVES: Duration = Duration::from_secs(30 * 86_400);
/// What a session's key is called.
const NAME: &str = "browser";
/// Random bytes of a link.
const RANDOM: usize = 32;

/// A link that opens a session, as the table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// SHA-256 of its secret part.
    pub hash: [u8; 32],
    /// What its session may do.
    pub role: Role,
    /// From when it opens nothing.
    pub expires_at: Timestamp,
}

/// Makes a link and returns its secret part. Permission is for the caller to check: it is made by commands on the server
/// itself.
///
/// # Errors
/// When there is no randomness, or the database fails.
pub async fn link(database: &runtime::Database, context: &Context, role: Role) -> Result<String, ServiceError> {
    let mut bytes = [0_u8; RANDOM];
    getrandom::fill(&mut bytes).map_err(ServiceError::internal)?;
    let secret = hex::encode(bytes);
    let link = Link { hash: hash(&secret), role, expires_at: context.at.plus(LINK_LIVES) };
    store::login_link::insert(database, context, &link).await?;
    Ok(secret)
}

/// Opens the session of a link, once.
///
/// # Errors
/// `Unauthenticated` when the link is unknown, used or over.
pub async fn open(app: &App, secret: &str, request: Option<&str>) -> Result<CreatedKey, ServiceError> {
    let now = app.runtime.now();
    let database = app.runtime.database();
    let hash = hash(secret);
    let found = store::login_link::find(database, &hash, now).await?;
    let (workspace, role) = found.ok_or(ServiceError::Unauthenticated)?;
    let id = ApiKeyId(app.runtime.clock().new_id());
    let session = Secret::draw("session").map_err(ServiceError::internal)?;
    let key = ApiKey {
        id,
        name: NAME.to_owned(),
        shown: session.shown().to_owned(),
        role: role.into(),
        user: Some(LOCAL_ADMIN),
        service_account: None,
        permissions: None,
        projects: None,
        created_by: Some(LOCAL_ADMIN.to_string()),
        created_at: now,
        expires_at: Some(now.plus(SESSION_LIVES)),
        last_used_at: None,
        revoked_at: None,
        successor: None,
        chosen: None,
    };
    let kept = key::kept(app.runtime.secrets(), workspace, &session).await?;
    let context = Context::signing_in(app, workspace, LOCAL_ADMIN, request);
    let member = member::local_admin(MemberId(app.runtime.clock().new_id()), workspace, now);
    if store::login_link::redeem(database, &context, &hash, (&key, &kept), &member).await? {
        Ok(CreatedKey { key, secret: session })
    } else {
        Err(ServiceError::Unauthenticated)
    }
}

/// Ends the session of this cookie: here at once, in other processes within 5 s. One that is over stays so.
///
/// # Errors
/// When the database fails.
pub async fn close(app: &App, token: &str, request: Option<&str>) -> Result<(), ServiceError> {
    let viewer = match key::authenticate_in(app, token, request).await {
        Err(ServiceError::Unauthenticated) => return Ok(()),
        found => found?,
    };
    // The viewer may have chosen another workspace since.
    let (home, key) = key::kept_of(app, token).await?;
    let context = Context::of(app, &viewer).in_workspace(home);
    store::api_key::revoke(app.runtime.database(), &context, key.id).await?;
    app.keys.clear();
    Ok(())
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

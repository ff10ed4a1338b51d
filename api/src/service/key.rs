//! API keys: who shows one, and making, listing, rotating and revoking them.

use std::time::{Duration, Instant};

use engine::id::{ApiKeyId, ServiceAccountId, UserId, WorkspaceId};
use engine::time::Timestamp;
use runtime::secret::{SecretError, Secrets, Use};
use subtle::ConstantTimeEq as _;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::{ServiceError, role, text};
use crate::app::App;
use crate::auth::api_key::{Form, KeyHash, Secret};
use crate::auth::{Permission, Permissions, Principal, ProjectLimit, RoleRef, Viewer};
use crate::{store, telemetry};

/// How often it is looked which keys were shown.
const NOTED_EVERY: Duration = Duration::from_secs(5);
/// Longest time that a key and its successor may both work.
const MOST_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

/// A key as people see it; the secret is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// The first characters of the secret.
    pub shown: String,
    /// What it may do; of a service account's key, what that may do says so instead.
    pub role: RoleRef,
    /// The person whose session it is.
    pub user: Option<UserId>,
    /// The machine that it speaks for.
    pub service_account: Option<ServiceAccountId>,
    /// The only permissions that it has of those of its role.
    pub permissions: Option<Permissions>,
    /// The only projects that it sees.
    pub projects: ProjectLimit,
    /// Who made it.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last shown, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The key that takes its place.
    pub successor: Option<ApiKeyId>,
    /// The workspace that the local admin chose in this session.
    pub chosen: Option<WorkspaceId>,
}

impl ApiKey {
    /// Whether it opens something at this time, as far as it depends on the key itself.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}

/// How a key's hash was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// SHA-256: keys of before the pepper, and where there is no master key.
    Sha256,
    /// HMAC-SHA256 under the workspace's pepper.
    Hmac,
}

/// What the table keeps of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What it is looked up by.
    pub lookup: [u8; 8],
    /// How `hash` was made.
    pub scheme: Scheme,
    /// What it is compared with.
    pub hash: KeyHash,
}

/// A key that was just made: the only time its secret is known.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    /// The key.
    pub key: ApiKey,
    /// What to send as `Authorization: Bearer …`.
    pub secret: Secret,
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: RoleRef,
    /// The machine that it speaks for.
    pub service_account: Option<ServiceAccountId>,
    /// The only permissions that it has of those of its role.
    pub permissions: Option<Permissions>,
    /// The only projects that it sees.
    pub projects: ProjectLimit,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// What it looks like.
    pub form: Form,
}

impl NewKey {
    /// A key with all of a role, for ever.
    pub fn of(name: &str, role: impl Into<RoleRef>) -> Self {
        let (name, role, form) = (name.to_owned(), role.into(), Form::default());
        Self { name, role, service_account: None, permissions: None, projects: None, expires_at: None, form }
    }
}

/// The viewer of a token, in the request of this id.
///
/// # Errors
/// As for [`authenticate`].
pub async fn authenticate_in(app: &App, token: &str, request: Option<&str>) -> Result<Viewer, ServiceError> {
    let viewer = authenticate(app, token).await?.in_request(request);
    if let Some(notes) = telemetry::request::current() {
        notes.viewer(&viewer);
    }
    Ok(viewer)
}

/// The viewer of a token. Whatever is wrong with one is found out after the same work: one lookup, and a comparison with
/// what that found.
///
/// # Errors
/// `Unauthenticated` when it is no key, unknown, over or revoked; `RateLimited` when too many wrong ones came from the
/// same address.
pub async fn authenticate(app: &App, token: &str) -> Result<Viewer, ServiceError> {
    let sha256 = KeyHash::sha256(token);
    let now = Instant::now();
    if let Some(viewer) = app.keys.find(&sha256, now) {
        note_use(app, &viewer);
        return Ok(viewer);
    }
    let address = telemetry::request::current().and_then(|notes| notes.address());
    if let Some(address) = address.filter(|_| !app.keys.knew(&sha256)) {
        app.guesses.admit(address, now).map_err(|wait| ServiceError::RateLimited { wait })?;
    }
    let Some((workspace, key)) = found(app, token, &sha256).await? else {
        if let Some(address) = address {
            app.guesses.wrong(address, now);
        }
        return Err(ServiceError::Unauthenticated);
    };
    // A key that is over is no guess: programs and browsers go on showing theirs for a while.
    let viewer = match key.is_live(app.runtime.now()) {
        true => store::api_key::viewer(app.runtime.database(), workspace, &key).await?,
        false => None,
    };
    let viewer = viewer.ok_or(ServiceError::Unauthenticated)?;
    app.keys.put(sha256, viewer.clone(), now);
    note_use(app, &viewer);
    Ok(viewer)
}

/// The same in the workspace that a person asks for. A program is where its key is, whatever it asks for.
///
/// # Errors
/// As for [`authenticate`]; `NotFound` when the person is not in that workspace.
pub(super) async fn authenticate_at(app: &App, token: &str, wanted: &str) -> Result<Viewer, ServiceError> {
    let viewer = authenticate(app, token).await?;
    let Principal::User(user) = viewer.principal else { return Ok(viewer) };
    let there = super::member::one_of(app, user, Some(wanted)).await?.id;
    if there == viewer.workspace {
        return Ok(viewer);
    }
    let (home, key) = kept_of(app, token).await?;
    let found = store::api_key::viewer(app.runtime.database(), home, &ApiKey { chosen: Some(there), ..key }).await?;
    found.ok_or(ServiceError::Unauthenticated)
}
/// The key that somebody who was authenticated shows, and the workspace that keeps it.
pub(super) async fn kept_of(app: &App, token: &str) -> Result<(WorkspaceId, ApiKey), ServiceError> {
    found(app, token, &KeyHash::sha256(token)).await?.ok_or(ServiceError::Unauthenticated)
}

/// The key that this is, whatever became of it.
async fn found(app: &App, token: &str, sha256: &KeyHash) -> Result<Option<(WorkspaceId, ApiKey)>, ServiceError> {
    let mut found = None;
    // Two keys with the same first bytes do not happen; if they did, each would be compared.
    for (workspace, key, kept) in store::api_key::lookup(app.runtime.database(), &sha256.lookup()).await? {
        let shown = match kept.scheme {
            Scheme::Sha256 => *sha256,
            Scheme::Hmac => KeyHash(app.runtime.secrets().pepper(workspace, Use::ApiKey).await?.hash(token.as_bytes())),
        };
        if bool::from(shown.0.ct_eq(&kept.hash.0)) {
            found = Some((workspace, key));
        }
    }
    Ok(found)
}

fn note_use(app: &App, viewer: &Viewer) {
    if let Some(key) = viewer.key {
        app.last_use.note(key, app.runtime.now());
    }
}

/// Writes down which keys were shown, as long as the process serves.
pub async fn upkeep(app: &App) {
    loop {
        tokio::time::sleep(NOTED_EVERY).await;
        write_uses(app).await;
    }
}

/// Writes down which keys were shown since the last time.
pub async fn write_uses(app: &App) {
    let uses = app.last_use.take();
    if let Err(error) = store::api_key::used(app.runtime.database(), &uses).await {
        tracing::debug!(error = %error, "when keys were last shown could not be written; that is left out this once");
    }
}

/// What the table keeps of a new secret.
///
/// # Errors
/// When the workspace's key does not open here, or the database failed.
pub(crate) async fn kept(secrets: &Secrets, workspace: WorkspaceId, secret: &Secret) -> Result<Kept, ServiceError> {
    let sha256 = secret.hash();
    let lookup = sha256.lookup();
    match secrets.pepper(workspace, Use::ApiKey).await {
        Ok(pepper) => {
            let hash = KeyHash(pepper.hash(secret.expose().as_bytes()));
            Ok(Kept { lookup, scheme: Scheme::Hmac, hash })
        }
        // Without a master key there is nothing to make a pepper of; 178 random bits are not guessed either way.
        Err(SecretError::KeyMissing) => Ok(Kept { lookup, scheme: Scheme::Sha256, hash: sha256 }),
        Err(error) => Err(error.into()),
    }
}

/// Makes a key. Permission is for the caller to check: the first key of an installation has nobody before it.
///
/// # Errors
/// A name that cannot be used, or the database.
pub async fn make(
    database: &runtime::Database,
    secrets: &Secrets,
    context: &Context,
    new: NewKey,
    id: ApiKeyId,
) -> Result<CreatedKey, ServiceError> {
    let made = draw(secrets, context, new, id).await?;
    let (key, kept) = (&made.0.key, &made.1);
    store::api_key::insert(database, context, key, kept).await?;
    tracing::info!(key.id = %key.id, key.role = %key.role, "API key {} made", key.id);
    Ok(made.0)
}

async fn draw(
    secrets: &Secrets,
    context: &Context,
    new: NewKey,
    id: ApiKeyId,
) -> Result<(CreatedKey, Kept), ServiceError> {
    text::key("name", &new.name)?;
    if new.expires_at.is_some_and(|end| end <= context.at) {
        return Err(ServiceError::invalid("expiresAt", "`expiresAt` must be in the future"));
    }
    let secret = Secret::draw_as(&new.form).map_err(ServiceError::internal)?;
    let key = ApiKey {
        id,
        name: new.name,
        shown: secret.shown().to_owned(),
        role: new.role,
        user: None,
        service_account: new.service_account,
        permissions: new.permissions,
        projects: new.projects,
        created_by: Some(context.actor.name()),
        created_at: context.at,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
        successor: None,
        chosen: None,
    };
    let kept = kept(secrets, context.workspace, &secret).await?;
    Ok((CreatedKey { key, secret }, kept))
}

/// Makes a key in the viewer's workspace. Nobody gives away more than they have.
///
/// # Errors
/// When they may not, or something about it cannot be used.
pub async fn create(app: &App, viewer: &Viewer, new: NewKey) -> Result<CreatedKey, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let database = app.runtime.database();
    let of = match new.service_account {
        Some(id) => super::service_account::live(app, viewer, id).await?.role,
        None => new.role,
    };
    let (_, permissions) = role::resolve(app, viewer, of).await?;
    let wanted = new.permissions.map_or(permissions, |only| only.and(permissions));
    role::require_all(viewer, wanted)?;
    let new = NewKey { role: of, permissions: new.permissions.map(|_| wanted), ..new };
    let context = Context::of(app, viewer);
    make(database, app.runtime.secrets(), &context, new, ApiKeyId(app.runtime.clock().new_id())).await
}

/// The workspace's keys, the oldest first, revoked ones included.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn list(
    app: &App,
    viewer: &Viewer,
    of: Option<ServiceAccountId>,
    page: &PageRequest,
) -> Result<Page<ApiKey>, ServiceError> {
    const LIST: &str = "api-keys";
    viewer.require(Permission::KeyManage)?;
    let window = page.window(&viewer.cursors, LIST, |place| place.parse::<ApiKeyId>().ok())?;
    let rows = store::api_key::list(app.runtime.database(), viewer.workspace, of, window).await?;
    Ok(Page::of(rows, page, |key| viewer.cursors.cursor(LIST, &key.id.to_string())))
}

/// The key of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: ApiKeyId) -> Result<ApiKey, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let found = store::api_key::find(app.runtime.database(), viewer.workspace, id).await?;
    found.ok_or(ServiceError::NotFound { what: "API key" })
}

/// Makes a key that takes another one's place, with the same rights. Both work for `overlap`, and then only the new one.
///
/// # Errors
/// `NotFound` also for another workspace's; a key that is over, or a session's.
pub async fn rotate(app: &App, viewer: &Viewer, id: ApiKeyId, overlap: Duration) -> Result<CreatedKey, ServiceError> {
    if overlap > MOST_OVERLAP {
        return Err(ServiceError::invalid("overlap", "`overlap` must be at most 30 days"));
    }
    let old = get(app, viewer, id).await?;
    let context = Context::of(app, viewer);
    if !old.is_live(context.at) || old.successor.is_some() || old.user.is_some() {
        let message = "only a key of a program that works and was not rotated before can be rotated".to_owned();
        return Err(ServiceError::Conflict { message });
    }
    let (_, permissions) = role::resolve(app, viewer, old.role).await?;
    role::require_all(viewer, old.permissions.map_or(permissions, |only| only.and(permissions)))?;
    let new = NewKey {
        name: old.name.clone(),
        role: old.role,
        service_account: old.service_account,
        permissions: old.permissions,
        projects: old.projects.clone(),
        expires_at: old.expires_at,
        form: Form::like(&old.shown),
    };
    let end = context.at.plus(overlap);
    let ends_at = old.expires_at.map_or(end, |own| own.min(end));
    let id = ApiKeyId(app.runtime.clock().new_id());
    let (made, kept) = draw(app.runtime.secrets(), &context, new, id).await?;
    store::api_key::rotate(app.runtime.database(), &context, &old, (&made.key, &kept), ends_at).await?;
    app.keys.clear();
    Ok(made)
}

/// Revokes a key: here at once, in other processes within 5 s. Revoking twice is not an error.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn revoke(app: &App, viewer: &Viewer, id: ApiKeyId) -> Result<ApiKey, ServiceError> {
    viewer.require(Permission::KeyManage)?;
    let found = store::api_key::revoke(app.runtime.database(), &Context::of(app, viewer), id).await?;
    app.keys.clear();
    found.ok_or(ServiceError::NotFound { what: "API key" })
}

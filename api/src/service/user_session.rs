//! Sessions of people who signed in at the provider. The provider's tokens stay here; the browser has a cookie that
//! means nothing elsewhere. The provider is asked again each time that its access token runs out: it may say that the
//! session is over, but its silence says nothing.

use std::sync::Arc;
use std::time::Duration;

use engine::id::{ConnectionId, SecretId, SessionId, UserId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use reqwest::Url;
use runtime::database::wall;
use runtime::secret::{Sealed, Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

use super::audit::Context;
use super::login::{self, Unopened};
use super::{ServiceError, member};
use crate::app::App;
use crate::auth::Viewer;
use crate::auth::oidc::{OidcError, Person, Provider, Tokens, random};
use crate::store;

/// How long a session lasts without anybody asking for anything.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// How long it lasts whatever anybody does.
pub const LIVES: Duration = Duration::from_secs(12 * 3_600);
/// How long what the provider said is believed, whatever its tokens say.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long before that the provider is asked again.
const EARLY: Duration = Duration::from_secs(30);
/// How soon a provider that is away is asked again.
const AGAIN: Duration = Duration::from_secs(30);
/// How long one asking may take before others believe that its process is gone.
const LEASE: Duration = Duration::from_secs(30);
/// How long a request waits for the provider before it goes on with what is known.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is noted that the person is there.
const NOTED: Duration = Duration::from_secs(60);
/// What cookies of these sessions begin with.
const PREFIX: &str = "ffs_";
/// What the sealed tokens are called.
const FIELD: &str = "provider tokens";

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// SHA-256 of the cookie.
    pub(crate) hash: Digest,
    pub(crate) user: UserId,
    /// What it opens when nobody chose another, and whose key seals the tokens.
    pub(crate) workspace: WorkspaceId,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) provider_session: Option<String>,
    /// Rises with the tokens.
    pub(crate) version: i32,
    pub(crate) sealed: Sealed,
    pub(crate) seen_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) refresh_at: Timestamp,
    /// The workspace that the person chose since.
    pub(crate) chosen: Option<WorkspaceId>,
    /// Whether it also opens for somebody who is in no workspace.
    pub(crate) is_guest: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The person signed out.
    SignedOut,
    /// The provider said so.
    Provider,
    /// The provider would not go on with it.
    Refused,
}

impl Ending {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed out",
            Self::Provider => "signed out at the provider",
            Self::Refused => "the provider does not go on with it",
        }
    }
}

/// The provider's tokens, as they are sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Asks the provider whether the session goes on.
    refresh: Option<String>,
    /// Says at the provider who signs out.
    identity: Option<String>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.refresh.zeroize();
        self.identity.zeroize();
    }
}

/// Whether a credential has the form of such a session's cookie.
pub fn is_one(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// Opens a session for somebody whom the provider just vouched for: what the cookie says. A guest is in no workspace; the
/// one that is named then only seals the tokens.
pub(super) async fn open(
    app: &App,
    user: UserId,
    (workspace, is_guest): (WorkspaceId, bool),
    person: &Person,
    tokens: &Tokens,
    access_ends: Option<Timestamp>,
    request: Option<&str>,
) -> Result<String, Unopened> {
    let now = app.runtime.now();
    let secret = format!("{PREFIX}{}", random().map_err(ServiceError::internal)?);
    let id = SessionId(app.runtime.clock().new_id());
    let kept = kept(tokens, None);
    let session = Session {
        id,
        hash: hash(&secret),
        user,
        workspace,
        issuer: login::provider(app)?.config().issuer.clone(),
        subject: person.subject.clone(),
        provider_session: person.session.clone(),
        version: 1,
        sealed: seal(app, workspace, id, 1, &kept).await?,
        seen_at: now,
        expires_at: now.plus(LIVES),
        refresh_at: refresh_at(now, tokens, access_ends),
        chosen: None,
        is_guest,
    };
    let context = Context::signing_in(app, workspace, user, request);
    store::user_session::insert(app.runtime.database(), &context, &session).await.map_err(ServiceError::from)?;
    tracing::info!(user.id = %user, session.id = %id, "{user} signed in");
    Ok(secret)
}

/// Who has the session of this cookie, in the workspace that they ask for or in the session's own. `is_asking` says that
/// the person wants something just now; a page that only stays open keeps no session from ending.
///
/// # Errors
/// `Unauthenticated` when it is over; `NotFound` when they are not in the workspace.
pub async fn authenticate(
    app: &Arc<App>,
    token: &str,
    wanted: Option<&str>,
    is_asking: bool,
) -> Result<Viewer, ServiceError> {
    let provider = app.provider.as_ref().ok_or(ServiceError::Unauthenticated)?;
    let session = live(app, provider, token).await?;
    let now = app.runtime.now();
    if now >= session.refresh_at && !renewed(app, provider, &session).await {
        return Err(ServiceError::Unauthenticated);
    }
    if is_asking && now.since(session.seen_at) >= NOTED {
        store::user_session::seen(app.runtime.database(), session.id, now).await?;
    }
    let viewer = match wanted {
        Some(wanted) => member::viewer_in(app, session.user, Some(wanted)).await?,
        None => at_home(app, &session).await?,
    };
    Ok(Viewer { session: Some(session.id), ..viewer })
}

/// Who has a session, where they are when they name no workspace.
async fn at_home(app: &App, session: &Session) -> Result<Viewer, ServiceError> {
    for home in [session.chosen.unwrap_or(session.workspace), session.workspace] {
        match member::viewer_of(app, session.user, home).await {
            // They were taken out of that one; perhaps there is another.
            Err(ServiceError::NotFound { .. }) => {}
            found => return found,
        }
    }
    match member::viewer_in(app, session.user, None).await {
        Err(ServiceError::NotFound { .. }) if session.is_guest => member::guest(app, session.user).await,
        Err(ServiceError::NotFound { .. }) => Err(ServiceError::Unauthenticated),
        found => found,
    }
}

/// The session of a cookie, unless it is over.
async fn live(app: &App, provider: &Provider, token: &str) -> Result<Session, ServiceError> {
    let (database, now) = (app.runtime.database(), app.runtime.now());
    let found = store::user_session::find(database, hash(token)).await?;
    let session = found.ok_or(ServiceError::Unauthenticated)?;
    let is_over = now >= session.expires_at || now.since(session.seen_at) >= IDLE;
    // The settings may name another provider by now, which has not vouched for anybody here.
    if is_over || session.issuer != provider.config().issuer {
        return Err(ServiceError::Unauthenticated);
    }
    Ok(session)
}

/// Asks the provider whether the session goes on; false when it does not. One asks, in whatever process: a refresh token
/// works once, and a second use of it would end all sessions that came from it. The others go on as before meanwhile.
async fn renewed(app: &Arc<App>, provider: &Provider, session: &Session) -> bool {
    let (holder, now) = (app.runtime.clock().new_id(), app.runtime.now());
    match store::user_session::hold(app.runtime.database(), session, holder, now, now.plus(LEASE)).await {
        Ok(true) => {}
        Ok(false) => return true,
        Err(error) => {
            tracing::warn!(error = %error, session.id = %session.id, "a session could not be looked after; it goes on for now");
            return true;
        }
    }
    let (job_app, job_provider, session) = (Arc::clone(app), provider.clone(), session.clone());
    // Not part of the request: new tokens must be kept also when nobody waits for the answer any more.
    let work = async move { renew(&job_app, &job_provider, &session, holder).await };
    let job = app.tasks.spawn(wall::of_system(work));
    match tokio::time::timeout(PATIENCE, job).await {
        Ok(Ok(goes_on)) => goes_on,
        Ok(Err(_)) | Err(_) => true,
    }
}

async fn renew(app: &App, provider: &Provider, session: &Session, holder: Uuid) -> bool {
    match asked(app, provider, session, holder).await {
        Ok(goes_on) => goes_on,
        Err(error) => {
            tracing::warn!(error = %error, session.id = %session.id, "the provider could not be asked about a session; it goes on");
            let again = app.runtime.now().plus(AGAIN);
            let released = store::user_session::release(app.runtime.database(), session.id, holder, None, again);
            if let Err(error) = released.await {
                tracing::warn!(error = %error, session.id = %session.id, "a session stays held for half a minute");
            }
            true
        }
    }
}

/// Asks, keeps what came, and takes over what it says; an error says that nothing was learned.
async fn asked(app: &App, provider: &Provider, session: &Session, holder: Uuid) -> Result<bool, Unopened> {
    let before = unseal(app, session).await?;
    let Some(refresh) = &before.refresh else { return over(app, session).await };
    let tokens = match provider.refresh(refresh).await {
        Ok(tokens) => tokens,
        Err(OidcError::Refused(why)) => {
            tracing::info!(session.id = %session.id, "the provider does not go on with a session: {why}");
            return over(app, session).await;
        }
        Err(error) => return Err(error.into()),
    };
    // Kept before anything else can fail: the old token does not work any more.
    let (now, version) = (app.runtime.now(), session.version.saturating_add(1));
    let sealed = seal(app, session.workspace, session.id, version, &kept(&tokens, Some(&before))).await?;
    let next = refresh_at(now, &tokens, None);
    let database = app.runtime.database();
    store::user_session::release(database, session.id, holder, Some((version, &sealed)), next)
        .await
        .map_err(ServiceError::from)?;
    match said(app, provider, session, &tokens).await {
        Ok(()) => Ok(true),
        // What it says of roles is taken over the next time.
        Err(Unopened::Unavailable(why)) => {
            tracing::warn!("roles of {} were not taken over: {why}", session.user);
            Ok(true)
        }
        Err(error) => {
            tracing::warn!(error = %error, session.id = %session.id, "a session ends: its new tokens cannot be believed");
            over(app, session).await
        }
    }
}

/// Takes over what new tokens say of the person. They must be the same person's.
async fn said(app: &App, provider: &Provider, session: &Session, tokens: &Tokens) -> Result<(), Unopened> {
    let person = match &tokens.identity {
        Some(identity) => provider.identity(identity, None, &tokens.access).await?,
        None => provider.access(&tokens.access).await?,
    };
    if person.subject != session.subject {
        return Err(Unopened::Refused("they are of somebody else".to_owned()));
    }
    login::known(app, provider, &person, &tokens.access).await.map(drop)
}

async fn over(app: &App, session: &Session) -> Result<bool, Unopened> {
    let context = Context::signing_in(app, session.workspace, session.user, None);
    let ended = store::user_session::end(app.runtime.database(), &context, session, Ending::Refused).await;
    ended.map_err(ServiceError::from)?;
    Ok(false)
}

/// Signs the person of this cookie out: here at once, in other processes within a second. Where the browser goes to sign
/// out at the provider too, when that is known.
///
/// # Errors
/// When the database fails.
pub async fn close(app: &App, token: &str, request: Option<&str>) -> Result<Option<Url>, ServiceError> {
    let Some(provider) = &app.provider else { return Ok(None) };
    let session = match live(app, provider, token).await {
        Ok(session) => session,
        Err(ServiceError::Unauthenticated) => return Ok(None),
        Err(error) => return Err(error),
    };
    let context = Context::signing_in(app, session.workspace, session.user, request);
    store::user_session::end(app.runtime.database(), &context, &session, Ending::SignedOut).await?;
    // Without its name the provider asks the person whether they mean it.
    let kept = unseal(app, &session).await.ok();
    let identity = kept.as_ref().and_then(|kept| kept.identity.as_deref());
    let home = provider.config().public_url.join("/sign-in").map_err(ServiceError::internal)?;
    match provider.sign_out_url(identity, home.as_str()).await {
        Ok(url) => Ok(url),
        Err(error) => {
            tracing::warn!(error = %error, "somebody signed out here while the provider is away");
            Ok(None)
        }
    }
}

/// Ends the sessions that a logout token means; how many there were. A token counts once.
///
/// # Errors
/// [`Unopened::Refused`] for a token that cannot be believed, others when nobody can tell.
pub async fn logged_out(app: &App, token: &str) -> Result<usize, Unopened> {
    let provider = login::provider(app)?;
    let logout = provider.logout(token).await?;
    let (database, now) = (app.runtime.database(), app.runtime.now());
    let id = Digest::of(b"logout token", logout.id.as_bytes());
    let before = || Unopened::Refused("the logout token came before".to_owned());
    if store::user_session::logout_came(database, id).await.map_err(ServiceError::from)? {
        return Err(before());
    }
    let issuer = &provider.config().issuer;
    let (subject, session) = (logout.subject.as_deref(), logout.session.as_deref());
    let meant = store::user_session::meant(database, issuer, subject, session).await.map_err(ServiceError::from)?;
    for session in &meant {
        let context = Context::signing_in(app, session.workspace, session.user, None);
        let ended = store::user_session::end(database, &context, session, Ending::Provider).await;
        ended.map_err(ServiceError::from)?;
        tracing::info!(session.id = %session.id, user.id = %session.user, "signed out at the provider");
    }
    // Only now: a token whose sessions could not be ended is sent again, and must count then.
    let is_first = store::user_session::logout_once(database, id, now, now.plus(BELIEVED)).await;
    if is_first.map_err(ServiceError::from)? { Ok(meant.len()) } else { Err(before()) }
}

/// When to ask again: before the access token is over, and before what it says is too old.
fn refresh_at(now: Timestamp, tokens: &Tokens, access_ends: Option<Timestamp>) -> Timestamp {
    let said = tokens.expires_in.unwrap_or(BELIEVED).min(BELIEVED);
    let ends = access_ends.map_or(now.plus(said), |ends| ends.min(now.plus(said)));
    // A token of seconds must not make every request ask.
    ends.minus(EARLY).max(now.plus(Duration::from_secs(5)))
}

/// What is kept of new tokens. A provider that does not rotate them sends no new ones.
fn kept(tokens: &Tokens, before: Option<&Kept>) -> Kept {
    let text = |token: &Option<Zeroizing<String>>| token.as_ref().map(|token| token.to_string());
    Kept {
        refresh: text(&tokens.refresh).or_else(|| before.and_then(|before| before.refresh.clone())),
        identity: text(&tokens.identity).or_else(|| before.and_then(|before| before.identity.clone())),
    }
}

async fn seal(app: &App, workspace: WorkspaceId, id: SessionId, version: i32, kept: &Kept) -> Result<Sealed, Unopened> {
    let key = app.runtime.secrets().workspace_key(workspace).await?;
    let text = Zeroizing::new(serde_json::to_string(kept).map_err(ServiceError::internal)?);
    Ok(key.seal(slot(id, version), &text)?)
}

async fn unseal(app: &App, session: &Session) -> Result<Kept, Unopened> {
    let slot = slot(session.id, session.version);
    let text = app.runtime.secrets().unseal(session.workspace, slot, &session.sealed).await?;
    Ok(serde_json::from_str(text.expose()).map_err(ServiceError::internal)?)
}

/// The place of a session's tokens: no connection has a session's id.
fn slot(id: SessionId, version: i32) -> Slot<'static> {
    Slot { connection: ConnectionId(id.0), field: FIELD, secret: SecretId(id.0), version }
}

fn hash(secret: &str) -> Digest {
    Digest::of(b"session cookie", secret.as_bytes())
}

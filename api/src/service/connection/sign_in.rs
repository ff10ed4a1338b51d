//! People sign connections in: they let FlowForge act for them at a service (OAuth 2.0, authorization code with PKCE).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::error::ErrorInfo;
use engine::id::ConnectionId;
use engine::time::Timestamp;
use engine::value::Digest;
use nodes::connection::{ACCESS_TOKEN, Granted, REFRESH_TOKEN};
use runtime::secret::redact::Redactor;
use tokio::time::Instant;

use super::{Connection, TRIES, get, seal};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::ServiceError;
use crate::service::audit::Context;
use crate::store;

/// How long a person may take at the service.
const LASTS: Duration = Duration::from_secs(600);
/// How long the service may take to turn a code into a grant.
const EXCHANGE_WITHIN: Duration = Duration::from_secs(15);
/// Longest address to come back to.
const MOST_REDIRECT: usize = 2_000;

/// A sign-in that was begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// Digest of the `state` that comes back.
    pub(crate) state: Digest,
    /// What is signed in.
    pub(crate) connection: ConnectionId,
    /// Who began it; somebody else's consent must not end up here.
    pub(crate) by: String,
    /// What the code can be used with alone.
    pub(crate) verifier: String,
    /// Where the service sends the person back to.
    pub(crate) redirect: String,
    /// Until when.
    pub(crate) expires: Timestamp,
}

/// Begins to sign a connection in: the address at which the service asks the person. It sends them back to `redirect`
/// with a code and a state, which [`finish`] wants.
///
/// # Errors
/// When they may not, it is not there, or nobody signs such a connection in.
pub async fn begin(app: &App, viewer: &Viewer, id: ConnectionId, redirect: &str) -> Result<String, ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    check_redirect(redirect)?;
    let gone = || ServiceError::NotFound { what: "connection" };
    store::connection::find(app.runtime.database(), &viewer.scope(), id).await?.ok_or_else(gone)?;
    let opened = app.runtime.secrets().open(viewer.workspace, id).await?.ok_or_else(gone)?;
    let (state, verifier) = (random()?, random()?);
    let url = opened.consent_url(&state, &verifier, redirect);
    let url = url.map_err(|error| ServiceError::Conflict { message: error.message })?;
    let begun = Begun {
        state: digest(&state),
        connection: id,
        by: viewer.actor(),
        verifier,
        redirect: redirect.to_owned(),
        expires: app.runtime.now().plus(LASTS),
    };
    store::sign_in::insert(app.runtime.database(), viewer.workspace, &begun).await?;
    Ok(url.into())
}

/// Ends what the same person began, with the code that the service sent them back with.
///
/// # Errors
/// When they may not, they began nothing like that or too long ago, or the service does not take the code.
pub async fn finish(app: &App, viewer: &Viewer, state: &str, code: &str) -> Result<Connection, ServiceError> {
    viewer.require(Permission::ConnectionManage)?;
    let (database, now) = (app.runtime.database(), app.runtime.now());
    let begun = store::sign_in::take(database, viewer.workspace, &viewer.actor(), digest(state), now).await?;
    let begun = begun.ok_or(ServiceError::NotFound { what: "sign-in" })?;
    let granted = exchanged(app, viewer, &begun, code).await;
    let granted = granted.map_err(|error| ServiceError::Conflict { message: error.to_string() })?;
    let key = app.runtime.secrets().workspace_key(viewer.workspace).await?;
    for _ in 0..TRIES {
        let before = get(app, viewer, begun.connection).await?;
        let mut after = Connection {
            revision: before.revision.saturating_add(1),
            updated_by: viewer.actor(),
            updated_at: app.runtime.now(),
            tested: None,
            ..before.clone()
        };
        // A grant of its own: tokens that were had by the one before are not used for it.
        after.secrets.remove(REFRESH_TOKEN);
        after.secrets.remove(ACCESS_TOKEN);
        let values = [(granted.field.to_owned(), granted.token.clone())].into();
        let sealed = seal(app, &key, &mut after, &values)?;
        if store::connection::update(database, &Context::of(app, viewer), &before, &after, &sealed).await? {
            tracing::info!(connection.id = %after.id, "connection {} signed in", after.name);
            return Ok(after);
        }
    }
    Err(ServiceError::Conflict { message: "the connection is being changed by others; sign it in again".to_owned() })
}

async fn exchanged(app: &App, viewer: &Viewer, begun: &Begun, code: &str) -> Result<Granted, ErrorInfo> {
    let opened = app.runtime.secrets().open(viewer.workspace, begun.connection).await?;
    let opened = opened.ok_or_else(|| ErrorInfo::permanent("CONNECTION_UNKNOWN", "the connection was just deleted"))?;
    let redactor = Redactor::of(&opened);
    let _clean_lines = redactor.watch();
    let outgoing = app.runtime.outgoing_of(viewer.workspace).await.map_err(super::no_way_out)?;
    let deadline = Instant::now() + EXCHANGE_WITHIN;
    let mut granted = opened.exchange(&outgoing, deadline, code, &begun.verifier, &begun.redirect).await;
    if let Err(error) = &mut granted {
        redactor.error(error);
    }
    granted
}

fn check_redirect(text: &str) -> Result<(), ServiceError> {
    let fits = reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if fits && text.len() <= MOST_REDIRECT {
        return Ok(());
    }
    Err(ServiceError::invalid(
        "redirectUri",
        "must be an address such as `https://flowforge.example.com/oauth/callback`",
    ))
}

fn random() -> Result<String, ServiceError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(ServiceError::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn digest(state: &str) -> Digest {
    Digest::of(b"connection sign-in", state.as_bytes())
}

/// Whether somebody has signed it in; `None` for a type that nobody signs in.
pub fn is_signed_in(connection: &Connection) -> Option<bool> {
    let kind = nodes::connection::connection_type(&connection.r#type)?;
    let grants = kind.is_signed_in_by_people();
    grants.then(|| [REFRESH_TOKEN, ACCESS_TOKEN].iter().any(|field| connection.secrets.contains_key(*field)))
}

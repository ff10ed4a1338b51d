//! People sign in at the provider: a browser goes there, comes back with a code, and gets a session.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::id::{UserId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use reqwest::Url;

use super::member::{self, Source};
use super::user::Subject;
use super::workspace::DEFAULT_SLUG;
use super::{ServiceError, user, user_session};
use crate::app::App;
use crate::auth::RoleRef;
use crate::auth::guess::network;
use crate::auth::oidc::{Authorization, OidcError, Person, Provider, random};
use crate::store;

/// How long a person may take at the provider.
const LASTS: Duration = Duration::from_secs(600);
/// Most sign-ins that may be under way from one address: an office may be behind it.
const MOST_FROM_THERE: u64 = 100;
/// Most that may be under way in all.
const MOST: u64 = 10_000;
/// Longest way back.
const MOST_RETURN: usize = 2_000;
/// The page where a person accepts an invitation: the only one that opens for somebody who is in no workspace yet.
const INVITATION: &str = "/invitation";
/// Where a person lands who wanted nothing in particular.
const HOME: &str = "/";

/// A sign-in that was begun.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Digest of the `state` that comes back.
    pub(crate) state: Digest,
    /// Digest of the cookie of the browser; an answer that comes by another browser is somebody else's.
    pub(crate) browser: Digest,
    /// What the ID token must repeat.
    pub(crate) nonce: String,
    /// What the code can be used with alone.
    pub(crate) verifier: String,
    /// The page that wanted somebody signed in.
    pub(crate) return_to: String,
    /// Until when.
    pub(crate) expires_at: Timestamp,
    /// The network that it came from, as far as that is known.
    pub(crate) address: Option<String>,
}

/// What a browser brings back from the provider.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Names the attempt.
    pub state: Option<String>,
    /// Gets the tokens.
    pub code: Option<String>,
    /// Who answers.
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// A session that was just opened: the only time its secret is known.
#[derive(Debug)]
pub struct Opened {
    /// What the cookie says.
    pub secret: String,
    /// The page that wanted somebody signed in.
    pub return_to: String,
}

/// Why nobody was signed in. The page says it in words; the log says more.
#[derive(Debug, thiserror::Error)]
pub enum Unopened {
    /// This browser began nothing like that, too long ago, or has come back already.
    #[error("no sign-in of this browser waits for this answer")]
    Expired,
    /// The person, or the provider for them, said no.
    #[error("the provider says `{0}`")]
    Denied(String),
    /// What came back cannot be believed.
    #[error("the provider's answer cannot be believed: {0}")]
    Refused(String),
    /// The provider says who it is, and nobody here has heard of them.
    #[error("the person may not enter any workspace: no row of `auth.oidc.grants` is for them, and nobody added them")]
    Stranger,
    /// Too many began and did not end.
    #[error("too many sign-ins are under way, from there or in all")]
    Busy,
    /// Another time perhaps.
    #[error("{0}")]
    Unavailable(String),
}

impl Unopened {
    /// The word that the page knows it by.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Denied(_) => "denied",
            Self::Refused(_) => "unbelieved",
            Self::Stranger => "stranger",
            Self::Busy => "busy",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<OidcError> for Unopened {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::Unavailable(_) | OidcError::Misconfigured { .. } => Self::Unavailable(error.to_string()),
            OidcError::Refused(_) | OidcError::Token(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<ServiceError> for Unopened {
    fn from(error: ServiceError) -> Self {
        Self::Unavailable(match error {
            ServiceError::Internal(cause) => cause.to_string(),
            error => error.to_string(),
        })
    }
}

impl From<runtime::secret::SecretError> for Unopened {
    fn from(error: runtime::secret::SecretError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The provider, where there is one.
///
/// # Errors
/// `NotFound` where nobody signs in that way.
pub fn provider(app: &App) -> Result<&Provider, ServiceError> {
    app.provider.as_ref().ok_or(ServiceError::NotFound { what: "OpenID provider" })
}

/// Begins a sign-in for the browser of this cookie: where it goes.
///
/// # Errors
/// When the provider is away and was never heard of, too many are under way, or the database fails.
pub async fn begin(app: &App, browser: &str, return_to: &str) -> Result<Url, Unopened> {
    let provider = provider(app)?;
    let authorization = Authorization::draw().map_err(ServiceError::internal)?;
    let url = provider.authorize_url(&authorization).await?;
    let now = app.runtime.now();
    let attempt = Attempt {
        state: state_digest(&authorization.state),
        browser: browser_digest(browser),
        nonce: authorization.nonce,
        verifier: authorization.verifier,
        return_to: local(return_to).to_owned(),
        expires_at: now.plus(LASTS),
        address: crate::telemetry::request::current()
            .and_then(|notes| notes.address())
            .map(|address| network(address).to_string()),
    };
    let kept = store::login_attempt::insert(app.runtime.database(), &attempt, (MOST_FROM_THERE, MOST), now).await;
    if kept.map_err(ServiceError::from)? { Ok(url) } else { Err(Unopened::Busy) }
}

/// Ends the sign-in that the browser of this cookie began: with a session of its own, whatever it had before.
///
/// # Errors
/// When nobody is signed in by this.
pub async fn finish(
    app: &App,
    browser: Option<&str>,
    answer: &Answer,
    request: Option<&str>,
) -> Result<Opened, Unopened> {
    let provider = provider(app)?;
    let (database, now) = (app.runtime.database(), app.runtime.now());
    let (Some(browser), Some(state)) = (browser, &answer.state) else { return Err(Unopened::Expired) };
    // Taken before anything else: an answer counts once, whatever comes of it.
    let taken = store::login_attempt::take(database, state_digest(state), browser_digest(browser), now).await;
    let attempt = taken.map_err(ServiceError::from)?.ok_or(Unopened::Expired)?;
    if !provider.answered(answer.issuer.as_deref()).await? {
        return Err(Unopened::Refused("it comes from another issuer".to_owned()));
    }
    let code = match (&answer.error, &answer.code) {
        (Some(error), _) => return Err(Unopened::Denied(error.chars().take(100).collect())),
        (None, Some(code)) => code,
        (None, None) => return Err(Unopened::Refused("it has no code".to_owned())),
    };
    let tokens = provider.exchange(code, &attempt.verifier).await?;
    let identity = tokens.identity.as_ref().ok_or_else(|| Unopened::Refused("it has no ID token".to_owned()))?;
    let person = provider.identity(identity, Some(&attempt.nonce), &tokens.access).await?;
    let (user, access_ends) = known(app, provider, &person, &tokens.access).await?;
    let home = home(app, user, &attempt.return_to).await?;
    let secret = user_session::open(app, user, home, &person, &tokens, access_ends, request).await?;
    Ok(Opened { secret, return_to: attempt.return_to })
}

/// The workspace that a session is of, and whether the person is in none: that is so only for whoever comes to accept an
/// invitation, and the first workspace keeps their tokens then.
async fn home(app: &App, user: UserId, return_to: &str) -> Result<(WorkspaceId, bool), Unopened> {
    let stranger = |error| match error {
        ServiceError::Unauthenticated | ServiceError::NotFound { .. } => Unopened::Stranger,
        error => error.into(),
    };
    if let Some((workspace, _)) = member::workspaces_of(app, user).await?.first() {
        // Also refuses somebody who is disabled here.
        member::viewer_of(app, user, workspace.id).await.map_err(stranger)?;
        return Ok((workspace.id, false));
    }
    if !is_invitation(return_to) {
        return Err(Unopened::Stranger);
    }
    member::guest(app, user).await.map_err(stranger)?;
    let first = store::workspace::find_by_slug(app.runtime.database(), DEFAULT_SLUG).await;
    let first = first.map_err(ServiceError::from)?.ok_or(Unopened::Stranger)?;
    Ok((first.id, true))
}

/// Whether a way back leads to where invitations are accepted.
fn is_invitation(path: &str) -> bool {
    path.strip_prefix(INVITATION).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Keeps what the tokens of a sign-in or a refresh say of a person: who it is, and when the access token ends. Roles
/// count from the access token only where it is one for this API; else from the ID token alone.
pub(super) async fn known(
    app: &App,
    provider: &Provider,
    person: &Person,
    access: &str,
) -> Result<(UserId, Option<Timestamp>), Unopened> {
    let mut person = person.clone();
    let mut ends = None;
    match provider.access(access).await {
        Ok(found) if found.subject == person.subject => {
            ends = Some(found.expires_at);
            person.grants.extend(found.grants);
        }
        Ok(_) => return Err(Unopened::Refused("its tokens are of two people".to_owned())),
        Err(OidcError::Token(fault)) => {
            tracing::warn!(fault = %fault, "the access token of a sign-in is not for this API; its roles do not count");
        }
        Err(error) => return Err(error.into()),
    }
    Ok((told(app, provider, &person).await?, ends))
}

/// Keeps what the provider says of a person or a program, and what that means here.
pub(super) async fn told(app: &App, provider: &Provider, person: &Person) -> Result<UserId, ServiceError> {
    let subject = Subject { issuer: provider.config().issuer.clone(), subject: person.subject.clone() };
    let user = user::seen(app, subject, &person.name, person.email.as_deref()).await?.id;
    let mut meant = BTreeMap::new();
    for grant in &person.grants {
        let found = store::workspace::find_by_slug(app.runtime.database(), &grant.workspace).await?;
        let Some(workspace) = found else {
            tracing::warn!(workspace = grant.workspace, "`auth.oidc` gives a role in a workspace that is not there");
            continue;
        };
        let role = meant.entry(workspace.id).or_insert(grant.role);
        *role = grant.role.max(*role);
    }
    for (workspace, member) in member::workspaces_of(app, user).await? {
        if member.source == Source::Provider && !meant.contains_key(&workspace.id) {
            member::told_by_provider(app, user, workspace.id, None).await?;
        }
    }
    for (workspace, role) in meant {
        member::told_by_provider(app, user, workspace, Some(RoleRef::BuiltIn(role))).await?;
    }
    Ok(user)
}

/// A way back, when it leads to a page of this server; else its first page.
fn local(path: &str) -> &str {
    let is_local = path.starts_with('/')
        && path.len() <= MOST_RETURN
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
        && Url::parse("http://here.invalid").is_ok_and(|here| {
            // As a browser reads it, whatever it looks like.
            here.join(path).is_ok_and(|url| url.origin() == here.origin() && url.path().starts_with('/'))
        });
    if is_local && !path.starts_with("//") { path } else { HOME }
}

/// A cookie for a browser that has none yet.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_browser() -> Result<String, ServiceError> {
    random().map_err(ServiceError::internal)
}

fn state_digest(state: &str) -> Digest {
    Digest::of(b"sign-in state", state.as_bytes())
}

fn browser_digest(browser: &str) -> Digest {
    Digest::of(b"sign-in browser", browser.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_of_invitations_is_one() {
        for page in ["/invitation", "/invitation/x", "/invitation?token=x", "/invitation#x"] {
            assert!(is_invitation(page), "{page}");
        }
        for page in ["/", "/invitations", "/runs/invitation", "invitation", "/x?/invitation"] {
            assert!(!is_invitation(page), "{page}");
        }
    }

    #[test]
    fn only_a_page_of_ours_is_a_way_back() {
        for page in ["/", "/runs/run_1?tab=log#l5", "/workflows/default/a%20b"] {
            assert_eq!(local(page), page);
        }
        let long = format!("/{}", "x".repeat(MOST_RETURN));
        for elsewhere in [
            "",
            "//evil",
            "///evil",
            "/\\evil",
            "\\\\evil",
            "/\t/evil",
            "/\n//evil",
            "https:evil",
            "https://evil",
            "javascript:alert(1)",
            "evil",
            "/a\\b",
            "./a",
            &long,
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }
}

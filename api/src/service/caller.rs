//! Who asks, whatever they show: an API key, a session's cookie, or an access token of the provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::id::UserId;
use engine::time::Timestamp;
use runtime::database::wall;

use super::{ServiceError, key, login, member, user_session};
use crate::app::App;
use crate::auth::Viewer;
use crate::auth::oidc::{OidcError, Provider};

/// More people than this at once, and it is begun anew.
const MOST_PEOPLE: usize = 10_000;

/// What somebody shows, and where they want to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// The key, the cookie or the token.
    pub token: String,
    /// The workspace, by id or slug; without it the one that goes with the credential.
    pub workspace: Option<String>,
}

/// What tokens said last of people, so that one that is older takes nothing back, and one that was seen writes nothing.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashMap<String, (UserId, Timestamp)>>);

impl Told {
    fn find(&self, subject: &str, made_at: Timestamp) -> Option<UserId> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(subject).filter(|(_, at)| *at >= made_at).map(|(user, _)| *user)
    }

    fn put(&self, subject: String, user: UserId, made_at: Timestamp) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_PEOPLE {
            told.clear();
        }
        told.insert(subject, (user, made_at));
    }
}

/// The viewer of a credential, in the request of this id.
///
/// # Errors
/// As for [`authenticate`].
pub async fn authenticate_in(
    app: &Arc<App>,
    credential: &Credential,
    request: Option<&str>,
) -> Result<Viewer, ServiceError> {
    // Whose workspace it is, is what has to be found out.
    let viewer = wall::of_system(viewer(app, credential, true)).await?.in_request(request);
    if let Some(notes) = crate::telemetry::request::current() {
        notes.viewer(&viewer);
    }
    Ok(viewer)
}

/// The viewer of a credential under which something is open, without anybody asking just now.
///
/// # Errors
/// `Unauthenticated` when it opens nothing any more.
pub async fn authenticate(app: &Arc<App>, credential: &Credential) -> Result<Viewer, ServiceError> {
    wall::of_system(viewer(app, credential, false)).await
}

async fn viewer(app: &Arc<App>, credential: &Credential, is_asking: bool) -> Result<Viewer, ServiceError> {
    let Credential { token, workspace } = credential;
    if user_session::is_one(token) {
        return user_session::authenticate(app, token, workspace.as_deref(), is_asking).await;
    }
    match &app.provider {
        // No key has a dot.
        Some(provider) if token.contains('.') => bearer(app, provider, token, workspace.as_deref()).await,
        _ => match workspace.as_deref() {
            Some(wanted) => key::authenticate_at(app, token, wanted).await,
            None => key::authenticate(app, token).await,
        },
    }
}

/// Whoever has an access token of the provider: a person, or a program by its own credentials.
async fn bearer(app: &App, provider: &Provider, token: &str, wanted: Option<&str>) -> Result<Viewer, ServiceError> {
    let person = provider.access(token).await.map_err(|error| match error {
        OidcError::Token(fault) => {
            // Whoever shows it hears nothing of the reason; an operator may need it.
            tracing::info!(fault = %fault, "an access token was refused");
            ServiceError::Unauthenticated
        }
        error => {
            tracing::warn!(error = %error, "an access token could not be checked");
            ServiceError::Unavailable { message: "the OpenID provider does not answer; try again".to_owned() }
        }
    })?;
    let user = match app.told.find(&person.subject, person.made_at) {
        Some(user) => user,
        None => {
            let user = login::told(app, provider, &person).await?;
            app.told.put(person.subject, user, person.made_at);
            user
        }
    };
    match member::viewer_in(app, user, wanted).await {
        // The token is right, and whoever has it may enter nothing: the same as no token.
        Err(ServiceError::NotFound { .. }) if wanted.is_none() => Err(ServiceError::Unauthenticated),
        found => found,
    }
}

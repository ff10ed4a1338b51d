//! The OpenID provider: whom it is believed, and what. Nothing here knows the database; time comes from the clock.
//!
//! Every token passes the same gates: an algorithm that the settings allow, a key that the provider publishes for
//! exactly this use, the signature, and then the claims of its kind. What a token says of its own key is never read.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use runtime::clock::Clock;
use serde::de::DeserializeOwned;
use tokio_util::task::TaskTracker;

use crate::config::oidc::OidcConfig;

mod claims;
mod discovery;
mod flow;
mod grant;
mod keys;
mod token;

pub use self::claims::{Claims, Fault};
pub use self::flow::{Authorization, Tokens, random};
pub use self::token::{Logout, Person};

use self::discovery::Discovery;
use self::keys::Keys;

/// How long the provider may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Largest document that is read.
const MOST_BYTES: usize = 1024 * 1024;

/// Why the provider was of no help. No message holds a token, a code or a secret.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It cannot be asked now.
    #[error("the OpenID provider does not answer: {0}")]
    Unavailable(String),
    /// It says something that it must not say.
    #[error("the OpenID provider's {document} cannot be used: {fault}")]
    Misconfigured {
        /// Which document.
        document: &'static str,
        /// What is wrong.
        fault: String,
    },
    /// It said no, by this word of OAuth 2.0.
    #[error("the OpenID provider refused: {0}")]
    Refused(String),
    /// A token is not what it should be.
    #[error("{0}")]
    Token(#[from] Fault),
}

/// The provider, as far as this process knows it. Cheap to clone.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    config: OidcConfig,
    http: Client,
    clock: Clock,
    tasks: TaskTracker,
    discovery: Discovery,
    keys: Keys,
}

impl Provider {
    /// The provider of these settings. Nothing is asked yet: a server starts also while its provider is away.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(config: OidcConfig, clock: Clock, tasks: TaskTracker) -> Result<Self, OidcError> {
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .timeout(ANSWER_WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .pool_idle_timeout(Duration::from_secs(20))
            .user_agent(concat!("FlowForge/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| OidcError::Unavailable(error.to_string()))?;
        let (discovery, keys) = (Discovery::default(), Keys::default());
        Ok(Self(Arc::new(Inner { config, http, clock, tasks, discovery, keys })))
    }

    /// Its settings.
    pub fn config(&self) -> &OidcConfig {
        &self.0.config
    }
}

impl Inner {
    /// A JSON document of the provider.
    async fn get<T: DeserializeOwned>(&self, url: &Url, document: &'static str) -> Result<T, OidcError> {
        let response = self.http.get(url.clone()).send().await.map_err(unavailable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(OidcError::Unavailable(format!("its {document} answers {status}")));
        }
        let body = bounded(response).await?;
        serde_json::from_slice(&body).map_err(|error| OidcError::Misconfigured { document, fault: error.to_string() })
    }
}

/// A body, unless it is far too large.
async fn bounded(mut response: reqwest::Response) -> Result<Vec<u8>, OidcError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(OidcError::Unavailable("its answer is over 1 MiB".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What happened on the way, without the address: it may hold a code.
fn unavailable(error: reqwest::Error) -> OidcError {
    let mut words = error.without_url().to_string();
    if words.is_empty() {
        "it cannot be reached".clone_into(&mut words);
    }
    OidcError::Unavailable(words)
}

//! What the provider says of itself: read once in ten minutes, and believed for a day while it is away.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::time::Timestamp;
use reqwest::Url;
use serde::Deserialize;

use super::{Inner, OidcError, Provider};

/// How long a document is fresh.
pub(super) const FRESH: Duration = Duration::from_secs(600);
/// How long it is believed while the provider is away.
pub(super) const STALE: Duration = Duration::from_secs(86_400);
/// How often a provider that is away is asked again.
pub(super) const AGAIN: Duration = Duration::from_secs(30);

/// How long nobody asks a provider that was never reached and has just not answered: requests that wait for it would
/// each wait on their own, one after the other.
const AWAY: Duration = Duration::from_secs(2);

const DOCUMENT: &str = "discovery document";

/// The parts of the discovery document that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    pub(super) end_session_endpoint: Option<Url>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    code_challenge_methods_supported: Option<Vec<String>>,
}

#[derive(Debug, Default)]
struct Kept {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    tried_at: Option<Timestamp>,
    /// When nothing came of waiting for it, and why.
    failed: Option<(Timestamp, String)>,
}

/// The document, as it was read last.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    kept: Mutex<Kept>,
    /// One reads, the others wait for it.
    reading: tokio::sync::Mutex<()>,
}

impl Discovery {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known, and whether it should be read anew.
    fn known(&self, now: Timestamp) -> Option<(Arc<Metadata>, bool)> {
        let mut kept = self.kept();
        let (metadata, at) = kept.metadata.clone()?;
        let age = now.since(at);
        if age >= STALE {
            return None;
        }
        let old = age >= FRESH && kept.tried_at.is_none_or(|tried| now.since(tried) >= AGAIN);
        if old {
            kept.tried_at = Some(now);
        }
        Some((metadata, old))
    }
}

impl Provider {
    /// The provider's document; only when nothing is known of it, somebody waits for it.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let now = self.0.clock.now();
        if let Some((metadata, old)) = self.0.discovery.known(now) {
            if old {
                let inner = Arc::clone(&self.0);
                self.0.tasks.spawn(async move {
                    if let Err(error) = inner.discover().await {
                        tracing::warn!(error = %error, "the OpenID provider is away; what it said before is used for a day");
                    }
                });
            }
            return Ok(metadata);
        }
        let _one = self.0.discovery.reading.lock().await;
        if let Some((metadata, _)) = self.0.discovery.known(now) {
            return Ok(metadata);
        }
        let failed = self.0.discovery.kept().failed.clone();
        if let Some((_, why)) = failed.filter(|(at, _)| self.0.clock.now().since(*at) < AWAY) {
            return Err(OidcError::Unavailable(why));
        }
        let found = self.0.discover().await;
        let failed = found.as_ref().err().map(|error| match error {
            OidcError::Unavailable(why) => (self.0.clock.now(), why.clone()),
            error => (self.0.clock.now(), error.to_string()),
        });
        self.0.discovery.kept().failed = failed;
        found
    }
}

impl Inner {
    async fn discover(&self) -> Result<Arc<Metadata>, OidcError> {
        let text = format!("{}/.well-known/openid-configuration", self.config.issuer.trim_end_matches('/'));
        let wrong = |fault: String| OidcError::Misconfigured { document: DOCUMENT, fault };
        let url = Url::parse(&text).map_err(|error| wrong(error.to_string()))?;
        let metadata: Metadata = self.get(&url, DOCUMENT).await?;
        // Byte for byte: another issuer's document at this address would let that one sign people in here.
        if metadata.issuer != self.config.issuer {
            return Err(wrong(format!("it says the issuer is `{}`, not `{}`", metadata.issuer, self.config.issuer)));
        }
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        for endpoint in endpoints.into_iter().chain(&metadata.end_session_endpoint) {
            if !self.config.may_be_called(endpoint) {
                return Err(wrong(format!("{endpoint} is not spoken to by TLS")));
            }
        }
        if metadata.code_challenge_methods_supported.as_ref().is_some_and(|known| !known.iter().any(|m| m == "S256")) {
            return Err(wrong("it does not take PKCE by S256".to_owned()));
        }
        let metadata = Arc::new(metadata);
        self.discovery.kept().metadata = Some((Arc::clone(&metadata), self.clock.now()));
        Ok(metadata)
    }
}

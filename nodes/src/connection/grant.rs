//! Connections that a person signed in: the authorization code (RFC 6749, 4.1) with PKCE (RFC 7636), and refreshing.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::error::ErrorInfo;
use futures::future::BoxFuture;
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::token::{Given, Kept, SIGN_IN};
use super::{Connection, SecretText};
use crate::outgoing::Outgoing;

/// The secret field of a grant that can be refreshed. Nobody types it; signing in sets it.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The secret field of a token that lasts, from services that give nothing to refresh it by.
pub const ACCESS_TOKEN: &str = "access_token";

/// Where a connection's refresh token lies, for all processes. Services that give out a new one with each use take the
/// old one for stolen when it comes twice, so that one at a time may use it.
#[async_trait]
pub trait Grants: fmt::Debug + Send + Sync {
    /// Another one for each time that a person signed in.
    fn id(&self) -> String;

    /// Waits until nobody else refreshes, and hands out the token as it is by then.
    ///
    /// # Errors
    /// When that is not so in time, or the token cannot be read.
    async fn begin(&self, deadline: Instant) -> Result<SecretText, ErrorInfo>;

    /// Keeps the token that came in place of the old one.
    ///
    /// # Errors
    /// When it cannot be kept.
    async fn keep(&self, token: &SecretText) -> Result<(), ErrorInfo>;

    /// Lets others refresh.
    async fn end(&self);

    /// Does a job that must not end where it stands when whoever wanted it goes away.
    fn spawn(&self, job: BoxFuture<'static, ()>);
}

/// What a person's consent gave: a token to refresh by, or one that lasts.
#[derive(Debug)]
pub struct Granted {
    /// The secret field that it belongs into: [`REFRESH_TOKEN`] or [`ACCESS_TOKEN`].
    pub field: &'static str,
    /// The token.
    pub token: SecretText,
}

impl Connection {
    /// The same connection with its grants.
    #[must_use]
    pub fn with_grants(mut self, grants: Arc<dyn Grants>) -> Self {
        self.grants = Some(grants);
        self
    }

    /// Whether a person has to sign in before it can be used.
    pub fn is_signed_in_by_people(&self) -> bool {
        self.kind.is_signed_in_by_people()
    }

    /// Where a person is asked for consent, who then comes back to `redirect` with `state` and a code.
    ///
    /// # Errors
    /// When it is of another type, or a field is missing.
    pub fn consent_url(&self, state: &str, verifier: &str, redirect: &str) -> Result<Url, ErrorInfo> {
        if !self.is_signed_in_by_people() {
            let message =
                format!("the connection `{}` is of type `{}`, which nobody signs in", self.name, self.kind.name);
            return Err(ErrorInfo::permanent("CONNECTION_INVALID", message));
        }
        let mut url =
            super::http::test_url(self.needed("authorize_url")?).map_err(|why| self.unfit("authorize_url", why))?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", self.needed("client_id")?);
        query.append_pair("redirect_uri", redirect).append_pair("state", state);
        for field in ["scope", "audience"] {
            if let Some(value) = self.plain(field) {
                query.append_pair(field, value);
            }
        }
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        drop(query);
        Ok(url)
    }

    /// Turns a code into a grant.
    ///
    /// # Errors
    /// When the code is not taken, or nobody answers.
    pub async fn exchange(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<Granted, ErrorInfo> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        let given = self.token_url()?.ask(outgoing, deadline, &form).await?;
        Ok(match given.refresh {
            Some(token) => Granted { field: REFRESH_TOKEN, token },
            None => Granted { field: ACCESS_TOKEN, token: given.token.token },
        })
    }

    /// The token of a connection whose service gives nothing to refresh it by.
    pub(super) fn lasting_token(&self) -> Option<SecretText> {
        let is_lasting = self.is_signed_in_by_people() && self.secret(REFRESH_TOKEN).is_none();
        self.secret(ACCESS_TOKEN).filter(|_| is_lasting).cloned()
    }

    /// A token by the grant.
    pub(super) async fn refreshed(&self, outgoing: &Outgoing, deadline: Instant) -> Result<Kept, ErrorInfo> {
        let sign_in =
            || ErrorInfo::permanent(SIGN_IN, format!("the connection `{}` is not signed in; do that", self.name));
        self.secret(REFRESH_TOKEN).ok_or_else(sign_in)?;
        let grants = self.grants.clone().ok_or_else(sign_in)?;
        let (token_url, outgoing) = (self.token_url()?, outgoing.clone());
        let (tell, told) = oneshot::channel();
        let job = {
            let grants = Arc::clone(&grants);
            async move {
                let refreshed = async {
                    let old = grants.begin(deadline).await?;
                    let form = [("grant_type", "refresh_token"), ("refresh_token", old.expose())];
                    let given = token_url.ask(&outgoing, deadline, &form).await?;
                    // Before the token is used: whoever comes next needs the new one.
                    if let Some(new) = given.refresh.as_ref().filter(|new| **new != old) {
                        grants.keep(new).await?;
                    }
                    Ok((given, old))
                };
                let refreshed: Result<(Given, SecretText), ErrorInfo> = refreshed.await;
                grants.end().await;
                // Nobody may be there any more.
                drop(tell.send(refreshed));
            }
        };
        grants.spawn(Box::pin(job));
        let late = || ErrorInfo::transient("OAUTH2_UNAVAILABLE", "no token could be had in time");
        let (given, old) = tokio::time::timeout_at(deadline, told).await.map_err(|_| late())?.map_err(|_| late())??;
        self.learn(old);
        given.refresh.into_iter().for_each(|new| self.learn(new));
        Ok(given.token)
    }
}

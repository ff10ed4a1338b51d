//! Tokens that are fetched by a connection's credentials, and kept until they run out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine::error::ErrorInfo;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::field::LEAST_SECRET;
use super::kind::Put;
use super::{Connection, SecretText};
use crate::outgoing::{Outgoing, OutgoingRequest};

/// How long a token counts whose giver does not say.
const USUAL_LIFE: Duration = Duration::from_secs(300);
/// Longest time that a token is kept, whatever its giver says.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);
/// A token that runs out sooner than this is not used any more.
const MARGIN: Duration = Duration::from_secs(10);
/// Longest answer of a token URL, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Kept tokens beyond this number make room for others.
const MOST_KEPT: usize = 1_000;

/// What is known of one connection's token. Whoever holds it fetches; others wait and take what was fetched.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// A token and when it runs out.
pub(super) struct Kept {
    pub(super) token: SecretText,
    pub(super) until: Instant,
}

/// Tokens by a digest of the credentials that they were fetched with, so that other credentials never get them.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<[u8; 32], Slot>>);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    fn slot(&self, key: [u8; 32]) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_KEPT && !slots.contains_key(&key) {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

impl Connection {
    /// The token to send, and whether it was fetched just now. One that the service `refused` is not given out again.
    pub(super) async fn token(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
        refused: Option<&SecretText>,
    ) -> Result<(SecretText, bool), ErrorInfo> {
        if let Some(token) = self.lasting_token() {
            // Asking for another one would give nothing.
            return Ok((token, true));
        }
        let slot = outgoing.tokens().slot(self.token_key()?);
        let late = || ErrorInfo::transient("OAUTH2_UNAVAILABLE", "no token could be had in time");
        let mut kept = tokio::time::timeout_at(deadline, slot.lock()).await.map_err(|_| late())?;
        let usable = kept.as_ref().filter(|kept| kept.until > Instant::now() + MARGIN && Some(&kept.token) != refused);
        let (token, is_fresh) = match usable {
            Some(kept) => (kept.token.clone(), false),
            None => {
                *kept = None;
                let fetched = self.fetch_token(outgoing, deadline).await?;
                let token = fetched.token.clone();
                *kept = Some(fetched);
                (token, true)
            }
        };
        self.learn(token.clone());
        Ok((token, is_fresh))
    }

    pub(super) fn learn(&self, secret: SecretText) {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).push(secret);
    }

    fn token_key(&self) -> Result<[u8; 32], ErrorInfo> {
        let mut digest = Sha256::new();
        let secret = self.secret("client_secret").map(SecretText::expose);
        let plain = ["token_url", "client_id", "scope", "audience", "client_auth"].map(|field| self.plain(field));
        let of = self.grants.as_ref().map(|grants| grants.id());
        for part in plain.into_iter().chain([secret, of.as_deref()]) {
            let part = part.unwrap_or_default();
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(digest.finalize().into())
    }

    async fn fetch_token(&self, outgoing: &Outgoing, deadline: Instant) -> Result<Kept, ErrorInfo> {
        if self.kind.put == Put::SignedIn {
            return self.refreshed(outgoing, deadline).await;
        }
        // By client credentials (RFC 6749, 4.4).
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.plain("scope").map(|scope| ("scope", scope)));
        form.extend(self.plain("audience").map(|audience| ("audience", audience)));
        self.needed_secret("client_secret")?;
        Ok(self.token_url()?.ask(outgoing, deadline, &form).await?.token)
    }

    /// Where this connection's tokens are given out, and who asks there.
    pub(super) fn token_url(&self) -> Result<TokenUrl, ErrorInfo> {
        let url = super::http::test_url(self.needed("token_url")?).map_err(|why| self.unfit("token_url", why))?;
        Ok(TokenUrl {
            connection: self.name.clone(),
            url,
            id: self.needed("client_id")?.to_owned(),
            secret: self.secret("client_secret").cloned(),
            in_body: self.plain("client_auth") == Some("body"),
        })
    }
}

/// Where tokens are given out, and who asks there.
pub(super) struct TokenUrl {
    connection: String,
    url: Url,
    id: String,
    secret: Option<SecretText>,
    in_body: bool,
}

/// What was given out.
pub(super) struct Given {
    pub(super) token: Kept,
    pub(super) refresh: Option<SecretText>,
}

impl TokenUrl {
    /// Asks by this form, and by what shows who asks.
    pub(super) async fn ask(
        &self,
        outgoing: &Outgoing,
        deadline: Instant,
        form: &[(&str, &str)],
    ) -> Result<Given, ErrorInfo> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut form = form.to_vec();
        match self.secret.as_ref().map(SecretText::expose) {
            None => form.push(("client_id", &self.id)),
            Some(secret) if self.in_body => form.extend([("client_id", self.id.as_str()), ("client_secret", secret)]),
            Some(secret) => drop(headers.insert(AUTHORIZATION, self.basic(secret)?)),
        }
        let body = Some(Bytes::from(form_text(&form)).into());
        let url = self.url.clone();
        let request = OutgoingRequest { method: Method::POST, url, headers, body, portable_header: None, deadline };
        let asked = Instant::now();
        let response = outgoing.send(request).await.map_err(|error| {
            // Whether a token was given out that nobody got does not matter: another one is asked for.
            let error = ErrorInfo::from(error);
            if error.kind == engine::error::ErrorKind::Unknown {
                return ErrorInfo::transient("OAUTH2_UNAVAILABLE", "the token URL gave no complete answer");
            }
            error
        })?;
        let status = response.status;
        let answer: Value = match response.body(LONGEST_ANSWER).await {
            Ok(body) => serde_json::from_slice(&body).unwrap_or_default(),
            Err(_) => Value::Null,
        };
        // Some services answer 200 with an `error` in it.
        if !status.is_success() || answer.get("error").is_some() {
            return Err(self.refusal(status, &answer));
        }
        given(&answer, asked)
    }

    fn basic(&self, secret: &str) -> Result<HeaderValue, ErrorInfo> {
        let pair = Zeroizing::new(format!("{}:{}", encoded(&self.id).as_str(), encoded(secret).as_str()));
        let value = Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str()));
        let mut value = HeaderValue::from_str(&value).map_err(|_| {
            let message = format!("the connection `{}`: no header can hold its client's secret", self.connection);
            ErrorInfo::permanent("CONNECTION_INVALID", message)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn refusal(&self, status: reqwest::StatusCode, answer: &Value) -> ErrorInfo {
        // Only the words that RFC 6749 names; the rest of the body may repeat what was sent.
        let word = answer.get("error").and_then(Value::as_str).unwrap_or("no reason");
        let word: String = word.chars().take(100).filter(|c| c.is_ascii_graphic()).collect();
        let message = format!("the token URL of the connection `{}` answered {status}: {word}", self.connection);
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            ErrorInfo::transient("OAUTH2_UNAVAILABLE", message)
        } else if word == "invalid_grant" {
            ErrorInfo::permanent(SIGN_IN, format!("{message}. Sign the connection in again"))
        } else {
            ErrorInfo::permanent("OAUTH2_REFUSED", message)
        }
    }
}

/// The word of an error that a person can end by signing in.
pub(super) const SIGN_IN: &str = "OAUTH2_SIGN_IN";

fn given(answer: &Value, asked: Instant) -> Result<Given, ErrorInfo> {
    let wrong = |what: &str| ErrorInfo::permanent("OAUTH2_REFUSED", format!("the token URL's answer {what}"));
    let is_bearer =
        answer.get("token_type").and_then(Value::as_str).is_none_or(|word| word.eq_ignore_ascii_case("bearer"));
    if !is_bearer {
        return Err(wrong("has a `token_type` other than Bearer"));
    }
    let secret = |field: &str| {
        let text = answer.get(field).and_then(Value::as_str).filter(|text| text.len() >= LEAST_SECRET);
        text.map(|text| SecretText::new(text.to_owned()))
    };
    let token = secret("access_token").ok_or_else(|| wrong("has no `access_token`"))?;
    let life = match answer.get("expires_in") {
        Some(Value::Number(seconds)) => seconds.as_f64(),
        Some(Value::String(seconds)) => seconds.parse().ok(),
        _ => None,
    };
    let life = life.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(USUAL_LIFE);
    let token = Kept { token, until: asked + life.min(LONGEST_LIFE) };
    Ok(Given { token, refresh: secret("refresh_token") })
}

/// A text as a form has it; id and secret are written so inside of basic authentication, too (RFC 6749, 2.3.1).
fn encoded(text: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(form_text(&[("", text)]));
    Zeroizing::new(pair.trim_start_matches('=').to_owned())
}

fn form_text(pairs: &[(&str, &str)]) -> String {
    // The writer of queries is that of forms.
    let Ok(mut url) = Url::parse("form:") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;

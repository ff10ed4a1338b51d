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
struct Kept {
    token: SecretText,
    until: Instant,
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
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).push(token.clone());
        Ok((token, is_fresh))
    }

    fn token_key(&self) -> Result<[u8; 32], ErrorInfo> {
        let mut digest = Sha256::new();
        let secret = self.needed_secret("client_secret")?.expose();
        let plain = ["token_url", "client_id", "scope", "audience", "client_auth"].map(|field| self.plain(field));
        for part in plain.into_iter().chain([Some(secret)]) {
            let part = part.unwrap_or_default();
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(digest.finalize().into())
    }

    /// Asks for a token by client credentials (RFC 6749, 4.4).
    async fn fetch_token(&self, outgoing: &Outgoing, deadline: Instant) -> Result<Kept, ErrorInfo> {
        let (id, secret) = (self.needed("client_id")?, self.needed_secret("client_secret")?.expose());
        let url = super::http::test_url(self.needed("token_url")?).map_err(|why| self.unfit("token_url", why))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.plain("scope").map(|scope| ("scope", scope)));
        form.extend(self.plain("audience").map(|audience| ("audience", audience)));
        if self.plain("client_auth") == Some("body") {
            form.extend([("client_id", id), ("client_secret", secret)]);
        } else {
            let pair = Zeroizing::new(format!("{}:{}", encoded(id).as_str(), encoded(secret).as_str()));
            let value = Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str()));
            let mut value = HeaderValue::from_str(&value)
                .map_err(|_| self.unfit("client_secret", "holds characters that no header can"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let body = Some(Bytes::from(form_text(&form)));
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
        if !status.is_success() {
            // Only the words that RFC 6749 names; the rest of the body may repeat what was sent.
            let word = answer.get("error").and_then(Value::as_str).unwrap_or("no reason");
            let word: String = word.chars().take(100).filter(|c| c.is_ascii_graphic()).collect();
            let message = format!("the token URL of the connection `{}` answered {status}: {word}", self.name);
            let is_transient = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
            return Err(if is_transient {
                ErrorInfo::transient("OAUTH2_UNAVAILABLE", message)
            } else {
                ErrorInfo::permanent("OAUTH2_REFUSED", message)
            });
        }
        let wrong = |what: &str| ErrorInfo::permanent("OAUTH2_REFUSED", format!("the token URL's answer {what}"));
        let is_bearer =
            answer.get("token_type").and_then(Value::as_str).is_none_or(|word| word.eq_ignore_ascii_case("bearer"));
        if !is_bearer {
            return Err(wrong("has a `token_type` other than Bearer"));
        }
        let token = answer.get("access_token").and_then(Value::as_str).filter(|token| token.len() >= LEAST_SECRET);
        let token = token.ok_or_else(|| wrong("has no `access_token`"))?;
        let life = match answer.get("expires_in") {
            Some(Value::Number(seconds)) => seconds.as_f64(),
            Some(Value::String(seconds)) => seconds.parse().ok(),
            _ => None,
        };
        let life = life.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(USUAL_LIFE);
        Ok(Kept { token: SecretText::new(token.to_owned()), until: asked + life.min(LONGEST_LIFE) })
    }
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

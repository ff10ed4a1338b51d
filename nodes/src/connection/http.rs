//! Connections put to HTTP requests, and tested by one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::error::ErrorInfo;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::field::{FieldFault, LEAST_SECRET, texts};
use super::kind::Put;
use super::{Connection, HOSTS, SecretText, TEST_URL};
use crate::http::header::FRAMING;
use crate::outgoing::{AllowedHost, HARMLESS, Outgoing, OutgoingRequest};

/// Most headers of an `http.custom`.
const MOST_HEADERS: usize = 20;
/// How long a test waits for an answer.
const TEST_WITHIN: Duration = Duration::from_secs(10);

/// The name of a header that a connection may fill. Those that frame a message are ours, and those that go along to
/// other origins would take a secret there.
pub(super) fn own_header(text: &str) -> Result<HeaderName, &'static str> {
    let name = HeaderName::try_from(text).map_err(|_| "is no header name; use letters, digits and dashes")?;
    if FRAMING.contains(&name.as_str()) || HARMLESS.contains(&name.as_str()) {
        return Err("names a header that a connection may not fill");
    }
    Ok(name)
}

/// The header lines of an `http.custom`; empty lines are left out.
pub(super) fn header_lines(text: &str) -> Result<Vec<(HeaderName, &str)>, &'static str> {
    let mut headers: Vec<(HeaderName, &str)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or("must have one `Name: value` a line")?;
        let (name, value) = (own_header(name.trim())?, value.trim());
        if value.chars().count() < LEAST_SECRET || value.chars().any(char::is_control) {
            return Err("has a line whose value has fewer than 4 characters, or holds control characters");
        }
        if headers.iter().any(|(other, _)| *other == name) {
            return Err("has a header twice");
        }
        headers.push((name, value));
    }
    if headers.is_empty() || headers.len() > MOST_HEADERS {
        return Err("must have 1 to 20 lines of `Name: value`");
    }
    Ok(headers)
}

/// A secret, and the parts of it that a service sees by themselves: each header's value, and what follows a word such
/// as `Token` in one.
pub(super) fn parts(secret: &str, put: Put) -> Vec<&str> {
    let values: Vec<&str> = match put {
        Put::Headers => header_lines(secret).unwrap_or_default().into_iter().map(|(_, value)| value).collect(),
        Put::Header => vec![secret],
        Put::Bearer | Put::Basic | Put::Query | Put::Fetched | Put::SignedIn | Put::Session => Vec::new(),
    };
    let after_words = values.iter().filter_map(|value| value.split_once(' ')).map(|(_, rest)| rest.trim());
    let long: Vec<&str> = after_words.filter(|rest| rest.chars().count() >= LEAST_SECRET).collect();
    [&[secret], values.as_slice(), long.as_slice()].concat()
}

/// An address that a test may call. What the policy for outgoing calls says is asked when it is called.
pub(super) fn test_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL; write one such as `https://api.example.com/me`")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("must begin with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or a password");
    }
    Ok(url)
}

/// Whether the address to test lies where the credentials may go.
pub(super) fn may_test(hosts: Option<&Value>, url: Option<&Value>) -> Result<(), FieldFault> {
    let hosts: Vec<AllowedHost> = texts(hosts).filter_map(|host| host.parse().ok()).collect();
    let Some(url) = url.and_then(Value::as_str).and_then(|url| Url::parse(url).ok()) else { return Ok(()) };
    if hosts.is_empty() || hosts.iter().any(|host| host.covers(&url)) {
        return Ok(());
    }
    Err(FieldFault::new(TEST_URL, format!("lies at a host that `{HOSTS}` does not list")))
}

impl Connection {
    /// Puts the credentials to a request, fetching a token first where the type has one. `refused` is a token that the
    /// service did not take. The answer is the token and whether it was fetched just now; none for other types.
    ///
    /// # Errors
    /// As [`Connection::apply`], and when no token can be had.
    pub(crate) async fn fill(
        &self,
        request: &mut OutgoingRequest,
        outgoing: &Outgoing,
        refused: Option<&SecretText>,
    ) -> Result<Option<(SecretText, bool)>, ErrorInfo> {
        if !matches!(self.kind.put, Put::Fetched | Put::SignedIn) {
            return self.apply(request).map(|()| None);
        }
        self.may_go_to(&request.url)?;
        let (token, is_fresh) = self.token(outgoing, request.deadline, refused).await?;
        let value = Zeroizing::new(format!("Bearer {}", token.expose()));
        self.put(&mut request.headers, AUTHORIZATION, &value)?;
        Ok(Some((token, is_fresh)))
    }

    /// Puts the credentials to a request. They are marked, so that no layer below prints them, and stay behind when a
    /// redirect leaves the origin.
    ///
    /// # Errors
    /// When they may not go there, a field is missing, or the author filled the same header or parameter.
    fn apply(&self, request: &mut OutgoingRequest) -> Result<(), ErrorInfo> {
        self.may_go_to(&request.url)?;
        match self.kind.put {
            Put::Bearer => {
                let token = self.needed_secret("token")?;
                let value = Zeroizing::new(format!("Bearer {}", token.expose()));
                self.put(&mut request.headers, AUTHORIZATION, &value)
            }
            Put::Basic => {
                let (user, password) = (self.needed("username")?, self.needed_secret("password")?);
                let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
                let value =
                    Zeroizing::new(format!("Basic {}", Zeroizing::new(STANDARD.encode(pair.as_bytes())).as_str()));
                self.put(&mut request.headers, AUTHORIZATION, &value)
            }
            Put::Header => {
                let name = own_header(self.needed("name")?).map_err(|why| self.unfit("name", why))?;
                self.put(&mut request.headers, name, self.needed_secret("value")?.expose())
            }
            Put::Headers => {
                let lines = self.needed_secret("headers")?;
                let lines = header_lines(lines.expose()).map_err(|why| self.unfit("headers", why))?;
                lines.into_iter().try_for_each(|(name, value)| self.put(&mut request.headers, name, value))
            }
            Put::Query => {
                let (name, value) = (self.needed("name")?, self.needed_secret("value")?);
                if request.url.query_pairs().any(|(other, _)| other == name) {
                    return Err(self.filled_twice(&format!("the query parameter `{name}`")));
                }
                request.url.query_pairs_mut().append_pair(name, value.expose());
                Ok(())
            }
            Put::Fetched | Put::SignedIn | Put::Session => Err(self.unfit("type", "is none that a request can carry")),
        }
    }

    /// Tries the connection, under the policy for outgoing calls: an HTTP type calls its test URL, `oauth2` without one
    /// fetches a token, a database is asked for the number one, and others are signed in to. The answer says what
    /// happened.
    ///
    /// # Errors
    /// `CONNECTION_TEST_FAILED` when there is no test URL or the answer is not 2xx; else as the use itself.
    pub async fn test(&self, outgoing: &Outgoing) -> Result<String, ErrorInfo> {
        let deadline = Instant::now() + TEST_WITHIN;
        match (self.kind.name, self.plain(TEST_URL)) {
            ("mysql" | "postgres" | "sqlite", _) => {
                crate::sql::test(self, outgoing, deadline).await.map(|()| "the database answered".to_owned())
            }
            ("redis", _) => {
                crate::redis::test(self, outgoing, deadline).await.map(|()| "the server answered".to_owned())
            }
            ("smtp", _) => {
                let signed_in = crate::mail::test(self, outgoing, deadline).await;
                signed_in.map(|()| "the server takes mail by these credentials".to_owned())
            }
            ("oauth2" | "oauth2.code", None) => {
                self.token(outgoing, deadline, None).await.map(|_| "a token was given out".to_owned())
            }
            ("webhook.signing", _) => Err(ErrorInfo::permanent(
                "CONNECTION_TEST_FAILED",
                "there is nothing to call: the secret is tried by the next delivery, and `triggerEvents` says how that went",
            )),
            (_, url) => self.test_by(url, outgoing, deadline).await,
        }
    }

    async fn test_by(&self, url: Option<&str>, outgoing: &Outgoing, deadline: Instant) -> Result<String, ErrorInfo> {
        let failed = |message: String| ErrorInfo::permanent("CONNECTION_TEST_FAILED", message);
        let url = url.ok_or_else(|| {
            failed(format!("the connection `{}` has no `{TEST_URL}`, so there is nothing to test it by", self.name))
        })?;
        let url = test_url(url).map_err(|why| self.unfit(TEST_URL, why))?;
        let headers = HeaderMap::new();
        let mut request =
            OutgoingRequest { method: Method::GET, url, headers, body: None, portable_header: None, deadline };
        self.fill(&mut request, outgoing, None).await?;
        let status = outgoing.send(request).await?.status;
        let answered = format!("the service answered {status}");
        if status.is_success() { Ok(answered) } else { Err(failed(answered)) }
    }

    fn put(&self, headers: &mut HeaderMap, name: HeaderName, text: &str) -> Result<(), ErrorInfo> {
        if headers.contains_key(&name) {
            return Err(self.filled_twice(&format!("the header `{name}`")));
        }
        let mut value = HeaderValue::from_bytes(text.as_bytes())
            .map_err(|_| self.unfit(name.as_str(), "holds characters that no header can"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }

    fn filled_twice(&self, what: &str) -> ErrorInfo {
        let message = format!("the config sets {what}, which the connection `{}` fills; leave it out", self.name);
        ErrorInfo::permanent("CONFIG_INVALID", message)
    }

    pub(super) fn unfit(&self, field: &str, why: &str) -> ErrorInfo {
        let message = format!("the connection `{}`: `{field}` {why}", self.name);
        ErrorInfo::permanent("CONNECTION_INVALID", message)
    }
}

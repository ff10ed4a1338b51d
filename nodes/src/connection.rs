//! Credentials that nodes use by name: which types there are, what fields each has, and how one is put to a request.
//!
//! A node sees an opened connection only inside an attempt and never the text of its secrets: it asks the connection to
//! put itself to a request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use engine::error::ErrorInfo;
use reqwest::Url;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::outgoing::AllowedHost;

mod field;
mod grant;
mod http;
mod kind;
pub(crate) mod server;
mod token;

pub use self::field::{Field, FieldFault, Form, LEAST_SECRET, MOST_SECRET, Text};
pub use self::grant::{ACCESS_TOKEN, Granted, Grants, REFRESH_TOKEN};
pub use self::kind::{ConnectionType, connection_type, connection_types};
pub(crate) use self::token::Tokens;

/// The types that put themselves to an HTTP request.
pub const HTTP: &[&str] =
    &["http.basic", "http.bearer", "http.custom", "http.header", "http.query", "oauth2", "oauth2.code"];

/// The plain field of HTTP types that says where their secrets may go.
const HOSTS: &str = "hosts";
/// The plain field of HTTP types that a test calls.
const TEST_URL: &str = "test_url";

/// The value of a secret field. Its memory is overwritten when it is dropped, and printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// A connection with its secrets in the open, for the length of one call.
#[derive(Debug)]
pub struct Connection {
    name: String,
    kind: &'static ConnectionType,
    plain: Map<String, Value>,
    secrets: BTreeMap<String, SecretText>,
    /// Secrets that were given out to it while it was open.
    learned: Mutex<Vec<SecretText>>,
    /// Where its refresh token lies, when a person signs it in.
    grants: Option<Arc<dyn Grants>>,
}

impl Connection {
    /// A connection of this name and type.
    pub fn new(
        name: impl Into<String>,
        kind: &'static ConnectionType,
        plain: Map<String, Value>,
        secrets: BTreeMap<String, SecretText>,
    ) -> Self {
        Self { name: name.into(), kind, plain, secrets, learned: Mutex::default(), grants: None }
    }

    /// What nodes call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type.
    pub fn kind(&self) -> &'static ConnectionType {
        self.kind
    }

    /// A field that is no secret.
    pub fn plain(&self, field: &str) -> Option<&str> {
        self.plain.get(field).and_then(Value::as_str)
    }

    /// A secret field.
    pub fn secret(&self, field: &str) -> Option<&SecretText> {
        self.secrets.get(field)
    }

    /// Every text that must not be written down: its secrets, and the parts of them that a service sees by themselves.
    pub fn hidden(&self) -> Vec<&str> {
        self.secrets.values().flat_map(|secret| http::parts(secret.expose(), self.kind.put)).collect()
    }

    /// Secrets that services gave out to it while it was open, such as tokens; they must not be written down either.
    pub fn learned(&self) -> Vec<SecretText> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its secrets may be sent there.
    ///
    /// # Errors
    /// `CONNECTION_HOST_DENIED` when it names hosts and this is none of them.
    fn may_go_to(&self, url: &Url) -> Result<(), ErrorInfo> {
        let hosts: Vec<AllowedHost> =
            field::texts(self.plain.get(HOSTS)).filter_map(|host| host.parse().ok()).collect();
        if hosts.is_empty() || hosts.iter().any(|host| host.covers(url)) {
            return Ok(());
        }
        let message = format!(
            "the connection `{}` may not be used for {}; its field `hosts` says where it may",
            self.name,
            crate::outgoing::origin(url)
        );
        Err(ErrorInfo::permanent("CONNECTION_HOST_DENIED", message))
    }

    fn needed_secret(&self, field: &str) -> Result<&SecretText, ErrorInfo> {
        self.secret(field).ok_or_else(|| self.incomplete(field))
    }

    pub(crate) fn needed(&self, field: &str) -> Result<&str, ErrorInfo> {
        self.plain(field).ok_or_else(|| self.incomplete(field))
    }

    fn incomplete(&self, field: &str) -> ErrorInfo {
        let message = format!("the connection `{}` has no `{field}`; set it", self.name);
        ErrorInfo::permanent("CONNECTION_INCOMPLETE", message)
    }
}

#[cfg(test)]
mod tests;

//! What a token says, read piece by piece, and what can be wrong with it.

use std::time::Duration;

use engine::time::Timestamp;
use serde_json::{Map, Value};

/// What is wrong with a token. For logs: whoever showed it hears only that it is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has not the form of one.
    #[error("this is no signed token")]
    Form,
    /// Signed by an algorithm that the settings do not allow.
    #[error("the token's algorithm is not allowed")]
    Algorithm,
    /// It demands to be understood in ways that nobody here knows.
    #[error("the token has critical extensions")]
    Critical,
    /// No published key of this name is for such signatures.
    #[error("the provider publishes no key of the token's name for its algorithm")]
    Key,
    /// The signature is not by the key.
    #[error("the token's signature is wrong")]
    Signature,
    /// It is a token of another kind.
    #[error("the token is of another kind than is wanted here")]
    Kind,
    /// By somebody else.
    #[error("the token is by another issuer")]
    Issuer,
    /// For somebody else.
    #[error("the token is for another audience; does the provider add this API's to access tokens?")]
    Audience,
    /// Given to somebody else.
    #[error("the token was given to another client")]
    Party,
    /// It does not say when it ends.
    #[error("the token says no time of its end")]
    Endless,
    /// It is over.
    #[error("the token is over")]
    Expired,
    /// It begins later, or was made later.
    #[error("the token is from the future")]
    Early,
    /// It does not say about whom it is.
    #[error("the token names nobody")]
    Subject,
    /// It answers another question.
    #[error("the token does not belong to this sign-in")]
    Nonce,
    /// The access token beside it is not the one it came with.
    #[error("the token came with another access token")]
    Hash,
    /// A logout token that says too little, or what it must not say.
    #[error("the token does not say that somebody signed out")]
    Logout,
}

/// A token's claims, after its signature was found right.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub(super) Map<String, Value>);

impl Claims {
    /// A claim, when it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A claim, whatever it is.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The texts that a JSON pointer leads to: a list of them, or one.
    pub(super) fn texts_at(&self, pointer: &str) -> Vec<&str> {
        let mut rest = pointer.strip_prefix('/').unwrap_or(pointer).splitn(2, '/');
        let first = rest.next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let found = self.0.get(&first);
        let found = match rest.next() {
            Some(below) => found.and_then(|value| value.pointer(&format!("/{below}"))),
            None => found,
        };
        match found {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }

    /// A time in seconds since 1970, also with a fraction.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => {
                // Ten thousand years; nobody means a later time, and a float of it is exact.
                let seconds = value.as_f64().filter(|seconds| (0.0..3.2e11).contains(seconds)).ok_or(Fault::Form)?;
                #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
                Ok(Some(Timestamp((seconds * 1_000_000.0) as i64)))
            }
        }
    }

    pub(super) fn check_issuer(&self, issuer: &str) -> Result<(), Fault> {
        if self.text("iss") == Some(issuer) { Ok(()) } else { Err(Fault::Issuer) }
    }

    pub(super) fn audiences(&self) -> Vec<&str> {
        self.texts_at("/aud")
    }

    pub(super) fn check_audience(&self, wanted: &str) -> Result<(), Fault> {
        if self.audiences().contains(&wanted) { Ok(()) } else { Err(Fault::Audience) }
    }

    /// Begin, end and making, with what clocks may differ.
    pub(super) fn check_times(&self, now: Timestamp, leeway: Duration) -> Result<(), Fault> {
        let end = self.time("exp")?.ok_or(Fault::Endless)?;
        if now >= end.plus(leeway) {
            return Err(Fault::Expired);
        }
        for name in ["nbf", "iat"] {
            if self.time(name)?.is_some_and(|from| from > now.plus(leeway)) {
                return Err(Fault::Early);
            }
        }
        Ok(())
    }

    pub(super) fn subject(&self) -> Result<&str, Fault> {
        self.text("sub").filter(|subject| (1..=255).contains(&subject.len())).ok_or(Fault::Subject)
    }
}

//! What went wrong in a node, in a form that rules can act on and people can read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest message kept of an error, in bytes; more is cut.
pub const MESSAGE_LIMIT: usize = 2_000;

/// What an error lets the rules do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ErrorKind {
    /// The same attempt would fail again: never retried.
    Permanent,
    /// A definite answer that may be another one later (a 503, a refused connection): retried under the policy.
    Transient,
    /// Nobody knows whether the outside acted (a timeout, a connection lost after sending). An idempotent node is
    /// retried with the same key; an effectful one becomes UNCERTAIN.
    Unknown,
}

/// The error of an attempt, of a node run, or of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorInfo {
    /// A stable word, such as `HTTP_STATUS` or `EXPRESSION_FAILED`.
    pub code: String,
    /// What, where, why and what next, for people. Never holds a secret.
    pub message: String,
    /// What the rules may do.
    pub kind: ErrorKind,
    /// The least delay before another attempt that the other side asked for.
    pub retry_after: Option<Duration>,
    /// The node that failed, on a run's error.
    pub node: Option<String>,
}

impl ErrorInfo {
    /// An error of this kind; the message is cut at [`MESSAGE_LIMIT`].
    pub fn new(kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        let mut message: String = message.into();
        if message.len() > MESSAGE_LIMIT {
            let mut end = MESSAGE_LIMIT - '…'.len_utf8();
            while !message.is_char_boundary(end) {
                end -= 1;
            }
            message.truncate(end);
            message.push('…');
        }
        Self { code: code.to_owned(), message, kind, retry_after: None, node: None }
    }

    /// An error that would come again.
    pub fn permanent(code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permanent, code, message)
    }

    /// An error that may not come again.
    pub fn transient(code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, code, message)
    }

    /// An error that leaves open whether the outside acted.
    pub fn unknown(code: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unknown, code, message)
    }

    /// The same error, naming the node it happened in.
    #[must_use]
    pub fn at_node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }
}

impl std::fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ErrorInfo {}

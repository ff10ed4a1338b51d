//! Why a call did not give an answer, sorted by what the rules may do about it.

use std::error::Error as _;
use std::fmt::Write as _;

use engine::error::ErrorInfo;

/// The policy forbids the call. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calls to {host} are denied: {reason}{cure}")]
pub struct Denied {
    /// The host as it stands in the URL.
    pub host: String,
    /// What about it is denied.
    pub reason: String,
    /// Who can allow it, and how.
    pub cure: Cure,
}

/// Who can allow a denied call, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cure {
    /// An operator, by this entry of the allow list: the narrowest that permits it.
    Entry(String),
    /// An admin of the workspace.
    Workspace,
    /// Nobody.
    None,
}

impl std::fmt::Display for Cure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entry(entry) => {
                write!(f, ". An operator can allow it by adding `{entry}` to FLOWFORGE__HTTP__ALLOW_HOSTS")
            }
            Self::Workspace => f.write_str(". An admin of the workspace can add it by `setAllowedHosts`"),
            Self::None => Ok(()),
        }
    }
}

/// Why a call did not give an answer. No message shows a path, a query, a header or credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// By the policy for outgoing calls.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Only http and https are spoken.
    #[error("the URL's scheme is `{scheme}`; only http and https are allowed")]
    Scheme {
        /// The scheme that came.
        scheme: String,
    },
    /// No connection could be made, so nothing was sent.
    #[error("cannot connect to {origin}: {why}")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// The chain of causes.
        why: String,
    },
    /// The request could not be put on the wire as it stands.
    #[error("the request to {origin} cannot be sent: {why}")]
    Request {
        /// Scheme, host and port.
        origin: String,
        /// The chain of causes.
        why: String,
    },
    /// A connection was there, but no full answer came in time.
    #[error("{origin} did not answer in time; it may have acted all the same")]
    Timeout {
        /// Scheme, host and port.
        origin: String,
    },
    /// The connection broke after the request was, or may have been, sent.
    #[error(
        "the connection to {origin} was lost before the answer was complete; it may have acted all the same: {why}"
    )]
    Lost {
        /// Scheme, host and port.
        origin: String,
        /// The chain of causes.
        why: String,
    },
    /// The answer's body is longer than allowed.
    #[error("the answer is larger than {limit} bytes")]
    BodyTooLarge {
        /// The most that was allowed.
        limit: usize,
    },
    /// A file that was to be sent cannot be read. Nothing was sent.
    #[error("{}", .0.message)]
    File(ErrorInfo),
    /// The answer redirects to where we do not follow.
    #[error("the answer redirects in a way that is not followed: {why}")]
    Redirect {
        /// What is wrong with it.
        why: String,
    },
    /// The first server took the request and redirected to where nothing could be read.
    #[error("the request was taken, but following its redirect failed: {cause}")]
    AfterActing {
        /// What went wrong on the way to the answer.
        cause: Box<OutgoingError>,
    },
}

impl OutgoingError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "HTTP_HOST_DENIED",
            Self::Scheme { .. } => "HTTP_SCHEME_DENIED",
            Self::Connect { .. } => "HTTP_CONNECT",
            Self::Request { .. } => "HTTP_REQUEST_INVALID",
            Self::Timeout { .. } => "HTTP_TIMEOUT",
            Self::Lost { .. } => "HTTP_CONNECTION_LOST",
            Self::BodyTooLarge { .. } => "HTTP_BODY_TOO_LARGE",
            Self::File(_) => "FILE_UNREADABLE",
            Self::Redirect { .. } => "HTTP_REDIRECT_DENIED",
            Self::AfterActing { cause } => cause.code(),
        }
    }

    /// The same error, remembering that an earlier hop may have acted.
    pub(super) fn after_acting(self, acted: bool) -> Self {
        if acted { Self::AfterActing { cause: Box::new(self) } } else { self }
    }

    /// Sorts an error of sending. `is_connect` covers the name, the TCP and the TLS handshake, all of which end before
    /// the first byte of a request. A request that was queued on a pooled connection which closed before a byte was
    /// written is sent again by the pool itself and never gets here.
    pub(super) fn from_send(error: reqwest::Error, origin: &str) -> Self {
        if let Some(denied) = denial(&error) {
            return Self::Denied(denied);
        }
        let origin = origin.to_owned();
        if error.is_connect() {
            Self::Connect { origin, why: causes(&error) }
        } else if error.is_builder() {
            Self::Request { origin, why: causes(&error) }
        } else {
            Self::Lost { origin, why: causes(&error) }
        }
    }

    pub(super) fn lost(error: &reqwest::Error, origin: &str) -> Self {
        Self::Lost { origin: origin.to_owned(), why: causes(error) }
    }
}

impl From<OutgoingError> for ErrorInfo {
    fn from(error: OutgoingError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            OutgoingError::Connect { .. } => Self::transient(code, message),
            OutgoingError::File(error) => error,
            OutgoingError::Timeout { .. } | OutgoingError::Lost { .. } => Self::unknown(code, message),
            OutgoingError::Denied(_)
            | OutgoingError::Scheme { .. }
            | OutgoingError::Request { .. }
            | OutgoingError::BodyTooLarge { .. }
            | OutgoingError::Redirect { .. } => Self::permanent(code, message),
            OutgoingError::AfterActing { cause } => match Self::from(*cause).kind {
                engine::error::ErrorKind::Permanent => Self::permanent(code, message),
                engine::error::ErrorKind::Transient | engine::error::ErrorKind::Unknown => Self::unknown(code, message),
            },
        }
    }
}

/// The resolver's verdict, wrapped by every layer between it and us.
fn denial(error: &reqwest::Error) -> Option<Denied> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(denied) = error.downcast_ref::<Denied>() {
            return Some(denied.clone());
        }
        source = error.source();
    }
    None
}

/// The causes below reqwest's own message, which holds the URL.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Layers repeat each other's words.
        if !text.ends_with(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            let _ = write!(text, "{separator}{cause}");
        }
        source = error.source();
    }
    if text.is_empty() { "unknown cause".to_owned() } else { text }
}

//! Why a use case did not do what it was asked.

use super::draft::Draft;
use crate::auth::Permission;
use crate::code::Code;

/// `Display` is what a stranger may read; `source()` is for the log.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No or no valid credential.
    #[error("show an API key: `Authorization: Bearer ff_…`")]
    Unauthenticated,
    /// Not there, or in another workspace: nobody can tell which.
    #[error("there is no {what} of that id or name")]
    NotFound {
        /// The noun, such as `run`.
        what: &'static str,
    },
    /// What it would be part of is there, and it is not.
    #[error("{message}")]
    Absent {
        /// What is not there, and why.
        message: String,
    },
    /// The role does not have the permission.
    #[error("the role `{role}` does not have the permission `{}`", permission.as_str())]
    Forbidden {
        /// What the viewer's role is called.
        role: String,
        /// What it would take.
        permission: Permission,
    },
    /// Too much came from where this comes from.
    #[error("too many wrong credentials came from this address; wait {} s", wait.as_secs() + 1)]
    RateLimited {
        /// How long to wait.
        wait: std::time::Duration,
    },
    /// A field of the request cannot be used.
    #[error("{message}")]
    Invalid {
        /// The input field, in the API's spelling.
        field: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The thing is in a state that does not allow it.
    #[error("{message}")]
    Conflict {
        /// Which state, and what it forbids.
        message: String,
    },
    /// What an earlier run gave cannot be taken over.
    #[error("{message}")]
    NotReusable {
        /// What stands in the way, and where to begin instead.
        message: String,
        /// Keys of nodes that are not what they were.
        changed: Vec<String>,
        /// Keys of nodes that did not succeed.
        unfinished: Vec<String>,
    },
    /// There is one of that name already.
    #[error("there is a {what} named `{name}` already; choose another name")]
    NameTaken {
        /// The input field, in the API's spelling.
        field: &'static str,
        /// The noun, such as `workflow`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Somebody else changed the draft since the revision that the change was made for.
    #[error("the draft is at revision {} by now; look at it, then make the change again", .0.revision)]
    RevisionConflict(Box<Draft>),
    /// The idempotency key was used before with another request.
    #[error("this idempotency key was used within 24 hours for another request")]
    IdempotencyMismatch,
    /// What follows the cursor is not kept any more.
    #[error("events after this cursor are not kept any more; go on after `oldestCursor` and read the state anew")]
    CursorExpired {
        /// The cursor of the oldest place that can be read from.
        oldest: String,
    },
    /// The value does not fit an answer.
    #[error("the value has {bytes} bytes; at most {limit} are answered as JSON; read `preview` or `download` instead")]
    ValueTooLarge {
        /// Its size.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// A bound of the workspace forbids it.
    #[error("{0}; wait, or let an admin raise it")]
    QuotaExceeded(runtime::QuotaExceeded),
    /// A version is not what was published, as far as its signature tells.
    #[error(
        "the signature of version {number} is wrong or missing: what the database has is not what was published here; \
         publish the workflow again, and find out who changed the database"
    )]
    SignatureInvalid {
        /// The version's number in its workflow.
        number: i32,
    },
    /// It would work at another time.
    #[error("{message}")]
    Unavailable {
        /// What is missing.
        message: String,
    },
    /// Our fault; the cause goes to the log only.
    #[error("something went wrong here; the log says what")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ServiceError {
    /// The stable public word.
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The row of the table of codes.
    pub fn kind(&self) -> Code {
        match self {
            Self::Unauthenticated => Code::Unauthenticated,
            Self::NotFound { .. } | Self::Absent { .. } => Code::NotFound,
            Self::Forbidden { .. } => Code::Forbidden,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::Invalid { .. } => Code::BadUserInput,
            Self::Conflict { .. } => Code::Conflict,
            Self::NotReusable { .. } => Code::NotReusable,
            Self::NameTaken { .. } => Code::NameTaken,
            Self::RevisionConflict(_) => Code::RevisionConflict,
            Self::IdempotencyMismatch => Code::IdempotencyMismatch,
            Self::CursorExpired { .. } => Code::CursorExpired,
            Self::ValueTooLarge { .. } => Code::ValueTooLarge,
            Self::QuotaExceeded(_) => Code::QuotaExceeded,
            Self::SignatureInvalid { .. } => Code::SignatureInvalid,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// A field that cannot be used, and why.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }

    /// A cause that only the log may tell.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<sea_orm::DbErr> for ServiceError {
    fn from(error: sea_orm::DbErr) -> Self {
        match error {
            sea_orm::DbErr::ConnectionAcquire(_) => {
                Self::Unavailable { message: "the database is busy; try again".to_owned() }
            }
            other if runtime::is_unusable_text(&other) => Self::invalid(
                "input",
                "a text of the request holds the character U+0000, which the database does not take; leave it out",
            ),
            other => Self::internal(other),
        }
    }
}

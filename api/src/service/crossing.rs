//! From the runtime's errors to ours.

use engine::run::reuse::NotReusable;
use runtime::again::AgainError;
use runtime::definition::DefinitionError;
use runtime::journal::JournalError;
use runtime::value::ValueError;
use runtime::{PostError, ReadError, StartError};

use super::ServiceError;

impl From<StartError> for ServiceError {
    fn from(error: StartError) -> Self {
        let message = error.to_string();
        match error {
            StartError::KeyReused => Self::IdempotencyMismatch,
            StartError::TriggerMissing(_) => Self::Invalid { field: "trigger", message },
            StartError::InputInvalid(_) => Self::Invalid { field: "input", message },
            StartError::Refused(_) => Self::Invalid { field: "input", message },
            StartError::Value(error) => error.into(),
            StartError::Definition(DefinitionError::Database(error)) => error.into(),
            StartError::Definition(DefinitionError::Unknown { .. }) => Self::Conflict { message },
            StartError::Definition(error) => Self::internal(error),
            // Whether the run exists is not known; the same idempotency key tells.
            StartError::Journal(cause) => {
                tracing::warn!(error.cause = %cause, "a start got no answer from the database");
                let message = "the database did not answer; ask again with the same idempotency key".to_owned();
                Self::Unavailable { message }
            }
            StartError::Quota(exceeded) => Self::QuotaExceeded(exceeded),
            StartError::Stopping => Self::Unavailable { message },
        }
    }
}

impl From<AgainError> for ServiceError {
    fn from(error: AgainError) -> Self {
        let message = error.to_string();
        match error {
            AgainError::NodeMissing(_) => Self::Invalid { field: "node", message },
            AgainError::NotReusable(NotReusable::Upstream { changed, unfinished, .. }) => {
                let unfinished = unfinished.into_iter().map(|(key, _)| key).collect();
                Self::NotReusable { message, changed, unfinished }
            }
            AgainError::NotReusable(NotReusable::SourcesMissing { missing, .. }) => {
                Self::NotReusable { message, changed: Vec::new(), unfinished: missing }
            }
            AgainError::NotReusable(NotReusable::NotReached(_) | NotReusable::Pinned(_)) => {
                Self::NotReusable { message, changed: Vec::new(), unfinished: Vec::new() }
            }
            AgainError::Unreadable(_) => Self::Conflict { message },
            AgainError::Start(error) => error.into(),
            AgainError::Journal(JournalError::RunMissing(_)) => Self::NotFound { what: "run" },
            AgainError::Journal(error) => Self::internal(error),
        }
    }
}

impl From<PostError> for ServiceError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::NotFound => Self::NotFound { what: "run" },
            PostError::Ended => Self::Conflict { message: error.to_string() },
            PostError::Value(error) => error.into(),
            PostError::Journal(error) => Self::internal(error),
            PostError::Database(error) => error.into(),
        }
    }
}

impl From<ReadError> for ServiceError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Database(error) => error.into(),
            ReadError::Codec(error) => Self::internal(error),
        }
    }
}

impl From<ValueError> for ServiceError {
    fn from(error: ValueError) -> Self {
        match error {
            ValueError::TooLarge { .. } => Self::Invalid { field: "input", message: error.to_string() },
            ValueError::Database(error) => error.into(),
            ValueError::Blob(_) | ValueError::Missing(_) | ValueError::Malformed(_) => Self::internal(error),
        }
    }
}

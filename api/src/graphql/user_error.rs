//! What the asker can mend, as data beside the payload.

use async_graphql::{Enum, Json, SimpleObject};
use serde_json::{Value, json};

use super::{GraphqlError, Result};
use crate::service::ServiceError;

/// What kind of mistake it is. More may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A field of the input cannot be used.
    BadUserInput,
    /// What the input names is not there, or is in another workspace.
    NotFound,
    /// The thing is in a state that does not allow it.
    Conflict,
    /// What an earlier run gave cannot be taken over; `details` names the nodes that `changed` and that are `unfinished`.
    NotReusable,
    /// There is one of that name already.
    NameTaken,
    /// Somebody else changed the draft since `expectedRevision`; `details` has the draft as it is by now: `revision`,
    /// `document`, `sidecar` and `updatedBy`.
    RevisionConflict,
    /// The idempotency key was used for another request within 24 hours.
    IdempotencyMismatch,
    /// A quota of the workspace is used up; `details` has its name as `quota`, `limit`, `used` and `resetAt`.
    QuotaExceeded,
    /// A version is not what was published, as far as its signature tells.
    SignatureInvalid,
    /// The definition has problems; the payload lists them.
    DefinitionInvalid,
}

/// A mistake in what was asked.
#[derive(Debug, Clone, SimpleObject)]
pub struct UserError {
    /// What kind of mistake it is.
    pub code: UserErrorCode,
    /// What is wrong, for people.
    pub message: String,
    /// The path of the input field, outermost first; empty when it is no single field.
    pub field: Vec<String>,
    /// More about it, for programs.
    pub details: Option<Json<Value>>,
}

impl UserError {
    fn new(code: UserErrorCode, message: String) -> Self {
        Self { code, message, field: Vec::new(), details: None }
    }

    /// The definition has this many problems of severity ERROR.
    pub(super) fn definition_invalid(errors: usize) -> Self {
        let message =
            format!("the definition has {errors} problem{}; see `problems`", if errors == 1 { "" } else { "s" });
        Self {
            field: vec!["input".to_owned(), "definition".to_owned()],
            details: Some(Json(json!({"errors": errors}))),
            ..Self::new(UserErrorCode::DefinitionInvalid, message)
        }
    }
}

/// Sorts a use case's answer: mistakes of the asker become data, everything else fails the field.
pub(super) fn settle<T>(answer: std::result::Result<T, ServiceError>) -> Result<(Option<T>, Vec<UserError>)> {
    let error = match answer {
        Ok(done) => return Ok((Some(done), Vec::new())),
        Err(error) => error,
    };
    let message = error.to_string();
    let mistake = match error {
        ServiceError::NotFound { .. } | ServiceError::Absent { .. } => UserError::new(UserErrorCode::NotFound, message),
        ServiceError::Invalid { field, message } => UserError {
            field: vec!["input".to_owned(), field.to_owned()],
            ..UserError::new(UserErrorCode::BadUserInput, message)
        },
        ServiceError::Conflict { message } => UserError::new(UserErrorCode::Conflict, message),
        ServiceError::NotReusable { message, changed, unfinished } => UserError {
            details: Some(Json(json!({"changed": changed, "unfinished": unfinished}))),
            ..UserError::new(UserErrorCode::NotReusable, message)
        },
        ServiceError::NameTaken { field, .. } => UserError {
            field: vec!["input".to_owned(), field.to_owned()],
            ..UserError::new(UserErrorCode::NameTaken, message)
        },
        ServiceError::RevisionConflict(draft) => UserError {
            field: vec!["input".to_owned(), "expectedRevision".to_owned()],
            details: Some(Json(json!({
                "revision": draft.revision,
                "document": draft.document,
                "sidecar": draft.sidecar,
                "updatedBy": draft.updated_by,
            }))),
            ..UserError::new(UserErrorCode::RevisionConflict, message)
        },
        ServiceError::IdempotencyMismatch => UserError {
            field: vec!["input".to_owned(), "idempotencyKey".to_owned()],
            ..UserError::new(UserErrorCode::IdempotencyMismatch, message)
        },
        ServiceError::SignatureInvalid { .. } => UserError::new(UserErrorCode::SignatureInvalid, message),
        ServiceError::QuotaExceeded(exceeded) => UserError {
            details: Some(Json(crate::service::quota::details(&exceeded))),
            ..UserError::new(UserErrorCode::QuotaExceeded, message)
        },
        error @ (ServiceError::Unauthenticated
        | ServiceError::Forbidden { .. }
        | ServiceError::RateLimited { .. }
        | ServiceError::CursorExpired { .. }
        | ServiceError::ValueTooLarge { .. }
        | ServiceError::Unavailable { .. }
        | ServiceError::Internal(_)) => return Err(GraphqlError(error)),
    };
    Ok((None, vec![mistake]))
}

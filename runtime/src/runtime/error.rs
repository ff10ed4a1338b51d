//! What can go wrong with a runtime.

use std::sync::Arc;

use engine::run::codec::CodecError;

use crate::definition::DefinitionError;
use crate::journal::JournalError;
use crate::quota::QuotaExceeded;
use crate::value::ValueError;

/// Why a runtime does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The blob store cannot be used.
    #[error(transparent)]
    Blob(#[from] crate::blob::BlobError),
    /// The bus cannot be used.
    #[error(transparent)]
    Bus(#[from] crate::event::BusError),
    /// No thread for the heartbeat.
    #[error("the heartbeat's thread did not start: {0}")]
    Thread(#[from] std::io::Error),
}

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The idempotency key was used within 24 h with another input.
    #[error("this idempotency key was used with another input; use a new key for a new start")]
    KeyReused,
    /// The definition has no such trigger.
    #[error("the version has no trigger node `{0}`")]
    TriggerMissing(String),
    /// The input does not fit the workflow's `input_schema`.
    #[error("the input does not fit the workflow's input schema: {0}")]
    InputInvalid(String),
    /// The input is too large or cannot be kept.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The definition cannot be run here.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The database failed. The run may or may not exist; the same idempotency key tells.
    #[error("the database did not answer: {0}")]
    Journal(Arc<JournalError>),
    /// The database cannot take this run's data. There is no run.
    #[error("the database refuses what the run was given: {0}")]
    Refused(String),
    /// A bound of the workspace forbids it. There is no run.
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    /// The process is stopping.
    #[error("this process is stopping; start the run at another one, or again")]
    Stopping,
}

/// Why a message was not posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// There is no such run in the workspace.
    #[error("there is no such run")]
    NotFound,
    /// The run has ended.
    #[error("the run has already ended")]
    Ended,
    /// What it carries is too large or cannot be kept.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The database failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
    /// A record cannot be read.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

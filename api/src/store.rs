//! SQL of what people make: workspaces, projects, workflows, versions, deployments, keys. Runs belong to the runtime;
//! [`run`] only reads them. Every query starts from a workspace, save the two that find out which one it is: a key's
//! and a webhook's.

use std::str::FromStr;

use engine::value::Digest;
pub(crate) use runtime::database::{from_column as timestamp, to_column as at};
use sea_orm::{DbErr, SqlErr};

use crate::service::ServiceError;

pub(crate) mod access;
pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod audit_chain;
pub(crate) mod change;
pub(crate) mod connection;
pub(crate) mod definition;
pub(crate) mod deployment;
pub(crate) mod draft;
pub(crate) mod egress;
pub(crate) mod environment;
pub(crate) mod feed;
pub(crate) mod hook;
pub(crate) mod invitation;
pub(crate) mod keyset;
pub(crate) mod login_attempt;
pub(crate) mod login_link;
pub(crate) mod member;
pub(crate) mod notification;
pub(crate) mod outbox;
pub(crate) mod project;
pub(crate) mod publication;
pub(crate) mod quota;
pub(crate) mod role;
pub(crate) mod run;
mod scope;
pub(crate) mod service_account;
pub(crate) mod sign_in;
pub(crate) mod signal_key;
pub(crate) mod trigger;
pub(crate) mod user;
pub(crate) mod user_session;
pub(crate) mod variable;
pub(crate) mod version;
pub(crate) mod version_hashes;
pub(crate) mod version_signature;
pub(crate) mod workflow;
pub(crate) mod workspace;

/// A row's hash.
fn digest(bytes: &[u8]) -> Result<Digest, DbErr> {
    let bytes = bytes.try_into().map_err(|_| DbErr::Type(format!("a hash has 32 bytes, not {}", bytes.len())))?;
    Ok(Digest(bytes))
}

/// A column of JSON.
fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}

/// A text that names something, such as an id.
fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, DbErr> {
    text.parse().map_err(|error: T::Err| DbErr::Type(error.to_string()))
}

/// A text that rows keep as empty when there is none.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Says of an insert that failed under a unique constraint that the name is taken.
fn unless_taken<T>(
    inserted: Result<T, DbErr>,
    field: &'static str,
    what: &'static str,
    name: &str,
) -> Result<T, ServiceError> {
    inserted.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => ServiceError::NameTaken { field, what, name: name.to_owned() },
        _ => error.into(),
    })
}

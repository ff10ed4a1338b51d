//! What resolvers read from their request.

use std::str::FromStr;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, HashMapCache};
use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use engine::time::Timestamp;

use super::Result;
use super::loader::Reads;
use crate::app::App;
use crate::auth::Viewer;
use crate::service::ServiceError;

/// What a request carries besides its text.
pub(super) trait Asked {
    /// The handles.
    fn app(&self) -> Result<&Arc<App>>;
    /// Who asks.
    fn viewer(&self) -> Result<&Viewer>;
    /// Reads that are gathered over a whole request.
    fn reads(&self) -> Result<&DataLoader<Reads, HashMapCache>>;
}

/// The header `Idempotency-Key` of a request: what a start goes by that brings no key of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The header's value, when there is one.
    pub(super) fn of(header: Option<&str>) -> Self {
        Self(header.map(str::to_owned))
    }
}

/// The key of one start: its own, or else the request's. One request with several fields would start each under the
/// same key, so the key carries the name that the field has in the answer.
pub(super) fn start_key(ctx: &Context<'_>, own: Option<String>) -> Option<String> {
    if own.is_some() {
        return own;
    }
    let header = ctx.data_opt::<IdempotencyKey>()?.0.as_deref()?;
    Some(ctx.item.node.alias.as_ref().map_or_else(|| header.to_owned(), |alias| format!("{header} {}", alias.node)))
}

impl Asked for Context<'_> {
    fn app(&self) -> Result<&Arc<App>> {
        self.data_opt().ok_or_else(|| missing("app"))
    }

    fn viewer(&self) -> Result<&Viewer> {
        self.data_opt().ok_or_else(|| missing("viewer"))
    }

    fn reads(&self) -> Result<&DataLoader<Reads, HashMapCache>> {
        self.data_opt().ok_or_else(|| missing("reads"))
    }
}

fn missing(what: &str) -> super::GraphqlError {
    ServiceError::internal(format!("the request carries no {what}")).into()
}

/// Reads an id; one of another kind is like one that does not exist.
pub(super) fn id<T: FromStr>(text: &ID, what: &'static str) -> Result<T, ServiceError> {
    text.parse().map_err(|_| ServiceError::NotFound { what })
}

/// A time as clients read it; microseconds that no calendar has are the epoch.
pub(super) fn time(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.0).unwrap_or_default()
}

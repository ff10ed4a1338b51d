//! Who changed what.

use async_graphql::{Context, Enum, ID, InputObject, Json, Object};
use chrono::{DateTime, Utc};
use engine::time::Timestamp;
use serde_json::Value;

use super::Result;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, time};
use crate::service::audit::{self, Actor, Entry, EntryFilter, Outcome};

/// What kind of actor changed something. More may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditActorKind {
    /// Whoever showed an API key.
    ApiKey,
    /// A person who signed in.
    User,
    /// A program that is a member.
    ServiceAccount,
    /// A command on the server itself, by somebody who has its settings.
    Command,
}

/// What came of what somebody wanted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditResult {
    /// It was done.
    Done,
    /// They may not.
    Denied,
}

/// One row of the audit: who changed what. Rows are never changed.
pub struct AuditEntry(pub(super) Entry);

/// One row of the audit: who changed what. Rows are never changed.
#[Object]
impl AuditEntry {
    /// The id, `aud_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Counts from 1 in the workspace, without a gap.
    async fn seq(&self) -> i64 {
        self.0.seq
    }

    /// What was done, such as `version.published`. More words may come.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The id of what it was done to.
    async fn entity_id(&self) -> ID {
        self.0.entity.clone().into()
    }

    /// What kind of actor it was.
    async fn actor_kind(&self) -> AuditActorKind {
        match self.0.actor {
            Actor::ApiKey(_) => AuditActorKind::ApiKey,
            Actor::User(_) => AuditActorKind::User,
            Actor::ServiceAccount(_) => AuditActorKind::ServiceAccount,
            Actor::Command => AuditActorKind::Command,
        }
    }

    /// Which one, such as the id of a person or of an API key; null for a command.
    async fn actor_id(&self) -> Option<ID> {
        self.0.actor.id().map(ID::from)
    }

    /// What changed, as it was: an object without secrets.
    async fn before(&self) -> Option<Json<Value>> {
        self.0.before.clone().map(Json)
    }

    /// What changed, as it is: an object without secrets.
    async fn after(&self) -> Option<Json<Value>> {
        self.0.after.clone().map(Json)
    }

    /// The request it was part of, as the log and the header `X-Request-Id` name it.
    async fn request_id(&self) -> Option<&str> {
        self.0.request.as_deref()
    }

    /// What came of it.
    async fn result(&self) -> AuditResult {
        match self.0.outcome {
            Outcome::Done => AuditResult::Done,
            Outcome::Denied { .. } => AuditResult::Denied,
        }
    }

    /// How often it happened within a minute; more than once only for what was denied.
    async fn times(&self) -> u32 {
        match self.0.outcome {
            Outcome::Done => 1,
            Outcome::Denied { times } => times,
        }
    }

    /// The address that the request came from, when it is known.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// SHA-256 over this row and the hash of the one before, as hex; null for rows of before the chain.
    async fn hash(&self) -> Option<String> {
        self.0.hash.map(|hash| hex::encode(hash.0))
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        time(self.0.at)
    }
}

/// Which rows of the audit; all that is said must hold.
#[derive(InputObject, Default)]
pub struct AuditFilter {
    /// About the thing of this id.
    entity_id: Option<ID>,
    /// By the actor of this id.
    actor_id: Option<ID>,
    /// One of these, such as `version.published`.
    actions: Option<Vec<String>>,
    /// Only what came to this.
    result: Option<AuditResult>,
    /// Not before this time.
    since: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
}

/// Reading the audit.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who changed what in the viewer's workspace, the latest first. For admins only.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn audit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when absent.")] filter: Option<AuditFilter>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<AuditEntry>> {
        let filter = filter.unwrap_or_default();
        let time = |at: DateTime<Utc>| Timestamp(at.timestamp_micros());
        let filter = EntryFilter {
            entity: filter.entity_id.map(|id| id.to_string()),
            actor: filter.actor_id.map(|id| id.to_string()),
            actions: filter.actions.unwrap_or_default(),
            denied: filter.result.map(|result| result == AuditResult::Denied),
            since: filter.since.map(time),
            until: filter.until.map(time),
        };
        let page = audit::list(ctx.app()?, ctx.viewer()?, &filter, &window(first, after, last, before)?).await?;
        Ok(connection(page, AuditEntry))
    }
}

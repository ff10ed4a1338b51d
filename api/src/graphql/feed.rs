//! Following a workspace: what changes in it, by number.

use async_graphql::{Context, ID, InputObject, Json, Object, SimpleObject, Subscription};
use engine::id::{DraftId, RunId};
use engine::run::status::RunStatus;
use futures::Stream;
use serde_json::Value;

use super::Result;
use super::draft::DraftChangeObject;
use super::envelope::{EventEnvelope, EventPayload, after, enveloped};
use super::request::{Asked as _, id};
use super::run::{RunModeName, RunObject, RunStatusName};
use crate::service::ServiceError;
use crate::service::draft;
use crate::service::feed::Happening;
use crate::service::follow::{self, FeedFilter};
use crate::service::run::{self, RunMode};

/// A run was created or changed its status.
#[derive(Debug)]
pub struct RunChange {
    run: RunId,
    kind: String,
    workflow: ID,
    status: RunStatus,
    mode: RunMode,
    environment: String,
    actor: Option<String>,
}

/// A run was created or changed its status.
#[Object]
impl RunChange {
    /// What happened: `run.created`, `run.started`, `run.waiting`, `run.resumed`, `run.paused`, `run.queued` or
    /// `run.finished`. More kinds may come.
    async fn kind(&self) -> &str {
        &self.kind
    }

    /// The id of the run.
    async fn run_id(&self) -> ID {
        self.run.to_string().into()
    }

    /// The run as it is now, which may be further on than this event; null once it is no longer kept.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        match run::get(ctx.app()?, ctx.viewer()?, self.run).await {
            Ok(run) => Ok(Some(RunObject(run))),
            Err(ServiceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The id of its workflow.
    async fn workflow_id(&self) -> &ID {
        &self.workflow
    }

    /// The status that it had at this event.
    async fn status(&self) -> RunStatusName {
        self.status.into()
    }

    /// Whether it counts.
    async fn mode(&self) -> RunModeName {
        self.mode.into()
    }

    /// The environment that it runs in.
    async fn environment(&self) -> &str {
        &self.environment
    }

    /// Who started it, for `run.created`: the id of an API key, or what kind of trigger.
    async fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }
}

/// A draft was edited.
#[derive(Debug)]
pub struct DraftUpdate {
    draft: DraftId,
    workflow: ID,
    revision: i64,
    actor: Option<String>,
}

/// A draft was edited.
#[Object]
impl DraftUpdate {
    /// The id of the draft; `node` reads it as it is now.
    async fn draft_id(&self) -> ID {
        self.draft.to_string().into()
    }

    /// The id of its workflow.
    async fn workflow_id(&self) -> &ID {
        &self.workflow
    }

    /// The revision that this change made.
    async fn revision(&self) -> i64 {
        self.revision
    }

    /// The change itself, to be made in a copy of the revision before; null once the draft is gone.
    async fn change(&self, ctx: &Context<'_>) -> Result<Option<DraftChangeObject>> {
        let found = draft::change(ctx.app()?, ctx.viewer()?, self.draft, self.revision).await?;
        Ok(found.map(DraftChangeObject::from))
    }

    /// Who made it: the id of an API key.
    async fn actor(&self) -> Option<&str> {
        self.actor.as_deref()
    }
}

fn draft_update(happening: &Happening) -> Option<DraftUpdate> {
    Some(DraftUpdate {
        draft: happening.entity.parse().ok()?,
        workflow: happening.workflow?.to_string().into(),
        revision: happening.data.get("revision")?.as_i64()?,
        actor: happening.actor.clone(),
    })
}

/// Something other than a run or a draft changed.
#[derive(Debug, SimpleObject)]
pub struct WorkspaceEvent {
    /// What happened, such as `version.published`. More kinds may come.
    kind: String,
    /// The id of what it happened to; `node` reads it.
    entity_id: ID,
    /// The id of the workflow that this is part of.
    workflow_id: Option<ID>,
    /// Who did it: the id of an API key; null for a command on the server itself.
    actor: Option<String>,
    /// What changed, as it is after the change: an object that may grow.
    data: Json<Value>,
}

/// An event as its envelope carries it.
pub(super) fn happened(happening: Happening) -> EventPayload {
    let draft = || draft_update(&happening).map(EventPayload::DraftUpdate);
    run_change(&happening).map(EventPayload::RunChange).or_else(draft).unwrap_or_else(|| {
        EventPayload::WorkspaceEvent(WorkspaceEvent {
            kind: happening.kind.clone(),
            entity_id: happening.entity.clone().into(),
            workflow_id: happening.workflow.map(|id| id.to_string().into()),
            actor: happening.actor.clone(),
            data: Json(happening.data.clone()),
        })
    })
}

fn run_change(happening: &Happening) -> Option<RunChange> {
    let word = |name: &str| happening.data.get(name).and_then(Value::as_str);
    Some(RunChange {
        run: happening.entity.parse().ok()?,
        kind: happening.kind.clone(),
        workflow: happening.workflow?.to_string().into(),
        status: RunStatus::parse(word("status")?)?,
        mode: if word("mode")? == "TEST" { RunMode::Test } else { RunMode::Live },
        environment: word("environment")?.to_owned(),
        actor: happening.actor.clone(),
    })
}

/// Which events; all that is said must hold.
#[derive(InputObject, Default)]
pub struct WorkspaceEventFilter {
    /// One of these kinds, such as `run.finished`, or `run.*`.
    kinds: Option<Vec<String>>,
    /// Part of this workflow.
    workflow_id: Option<ID>,
    /// About the thing of this id.
    entity_id: Option<ID>,
}

/// Following a workspace.
#[derive(Default)]
pub struct WorkspaceSubscription;

#[Subscription]
impl WorkspaceSubscription {
    /// What happens in the viewer's workspace: the stored events after the cursor, then CaughtUp once, then live ones.
    /// Events are kept for 7 days; a cursor from before them fails with CURSOR_EXPIRED and `oldestCursor`.
    async fn workspace_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when absent.")] filter: Option<WorkspaceEventFilter>,
        #[graphql(desc = "The cursor of the last delivery received; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = async_graphql::Result<EventEnvelope>> + use<>> {
        let filter = filter.unwrap_or_default();
        let filter = FeedFilter {
            kinds: filter.kinds.unwrap_or_default(),
            workflow: filter.workflow_id.map(|text| id(&text, "workflow")).transpose()?,
            entity: filter.entity_id.map(|id| id.to_string()),
        };
        let after = self::after(ctx, after);
        let events = follow::workspace_events(ctx.app()?, ctx.viewer()?, filter, after.as_deref()).await?;
        Ok(enveloped(ctx, events))
    }

    /// What is edited in a workflow's drafts: the stored changes after the cursor, then CaughtUp once, then live ones.
    /// Kept as long as workspace events are.
    async fn draft_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workflow.")] workflow_id: ID,
        #[graphql(desc = "The cursor of the last delivery received; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = async_graphql::Result<EventEnvelope>> + use<>> {
        let workflow = id(&workflow_id, "workflow")?;
        let after = self::after(ctx, after);
        let events = follow::draft_events(ctx.app()?, ctx.viewer()?, workflow, after.as_deref()).await?;
        Ok(enveloped(ctx, events))
    }
}

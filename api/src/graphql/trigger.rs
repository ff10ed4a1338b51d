//! Deployed triggers, what came to them, and holding them back.

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Result;
use super::node_run::Siblings;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, time};
use super::run::{RunObject, TriggerKindName};
use super::user_error::{UserError, settle};
use super::value::ValueObject;
use super::version::VersionObject;
use super::webhook::WebhookObject;
use super::workflow::WorkflowObject;
use crate::service::ServiceError;
use crate::service::trigger::{self, Binding, Event, EventFilter};
use crate::service::value::download::Place;

pub mod backfill;
pub mod redelivery;

use self::backfill::BackfillObject;

/// Firings that are told ahead when nobody says how many.
const AHEAD: i32 = 10;

/// A trigger in an environment. It outlives versions: whatever is deployed next, a pause stays.
pub struct TriggerBindingObject(pub(super) Binding);

/// A trigger in an environment. It outlives versions: whatever is deployed next, a pause stays.
#[Object(name = "TriggerBinding")]
impl TriggerBindingObject {
    /// The id, `trg_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The environment.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The key of the trigger node.
    async fn node(&self) -> &str {
        &self.0.node
    }

    /// What kind of trigger.
    async fn kind(&self) -> TriggerKindName {
        self.0.kind.into()
    }

    /// Its URLs, when it is a webhook; null for other kinds.
    async fn webhook(&self) -> Option<WebhookObject> {
        (self.0.kind == runtime::TriggerKind::Webhook).then_some(WebhookObject(self.0.id))
    }

    /// The version that is deployed with it; null while nothing deployed has this trigger.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        let Some(version) = self.0.version else { return Ok(None) };
        Ok(ctx.reads()?.load_one(version).await?.map(VersionObject))
    }

    /// Since when it is paused; null when it is not.
    async fn paused_at(&self) -> Option<DateTime<Utc>> {
        self.0.paused.as_ref().map(|(at, _)| time(*at))
    }

    /// Who paused it: the id of an API key.
    async fn paused_by(&self) -> Option<&str> {
        self.0.paused.as_ref().map(|(_, by)| by.as_str())
    }

    /// When it fires next, the soonest first; none while it is paused, not deployed, or its workflow is archived.
    #[graphql(complexity = "5")]
    async fn next_firings(
        &self,
        #[graphql(desc = "How many, 1 to 100.", default_with = "AHEAD")] first: i32,
    ) -> Result<Vec<DateTime<Utc>>> {
        let most = usize::try_from(first).ok().filter(|most| (1..=trigger::MOST_AHEAD).contains(most));
        let most = most.ok_or_else(|| ServiceError::invalid("first", "ask for 1 to 100 firings"))?;
        Ok(self.0.next_firings(most).into_iter().map(time).collect())
    }

    /// A time that waits until the run of the one before has ended.
    async fn waiting_since(&self) -> Option<DateTime<Utc>> {
        self.0.held.map(time)
    }

    /// The last time for which it started a run, as its rule names it.
    async fn last_fired_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_tick.map(time)
    }

    /// The run that it started last; null when there is none, or it is not kept any more.
    async fn last_run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(run) = self.0.last_run else { return Ok(None) };
        Ok(ctx.reads()?.load_one(run).await?.map(RunObject))
    }
}

/// Something that came to a trigger.
pub struct TriggerEventObject(pub(super) Event);

/// Something that came to a trigger: it names the run that it started, or the reason why there is none.
#[Object(name = "TriggerEvent")]
impl TriggerEventObject {
    /// The id, `evt_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The workflow that it was for; null when that was deleted.
    async fn workflow(&self, ctx: &Context<'_>) -> Result<Option<WorkflowObject>> {
        Ok(ctx.reads()?.load_one(self.0.workflow).await?.map(WorkflowObject))
    }

    /// The environment.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The key of the trigger node.
    async fn node(&self) -> &str {
        &self.0.node
    }

    /// What kind of trigger.
    async fn kind(&self) -> TriggerKindName {
        self.0.kind.into()
    }

    /// What became of it.
    async fn outcome(&self) -> TriggerOutcome {
        self.0.outcome().into()
    }

    /// The run that it started; null when it started none, or the run is not kept any more.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(run) = self.0.run else { return Ok(None) };
        Ok(ctx.reads()?.load_one(run).await?.map(RunObject))
    }

    /// Why it started none, as a stable word such as `MISSED` or `OVERLAP`.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The reason in a sentence.
    async fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// SHA-256 that tells what it carried from other payloads of the workspace.
    async fn payload_digest(&self) -> String {
        self.0.payload.digest.to_string()
    }

    /// What it carried; null when that is not kept: it was too large, or its run is not kept any more.
    #[graphql(complexity = "5 + child_complexity")]
    async fn payload(&self, ctx: &Context<'_>) -> Result<Option<ValueObject>> {
        if let Some(run) = self.0.run {
            let Some(run) = ctx.reads()?.load_one(run).await? else { return Ok(None) };
            return Ok(Some(ValueObject::new(run.input.clone(), Place::Input(run.id), &Siblings::of(&run))));
        }
        let payload = trigger::payload(ctx.app()?, ctx.viewer()?, &self.0).await?;
        Ok(payload.map(|payload| ValueObject::of_event(payload, self.0.clone())))
    }

    /// The run inside that it comes from: it published the event, failed or ended. Null for what comes from outside.
    async fn source_run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(run) = self.0.source_run else { return Ok(None) };
        Ok(ctx.reads()?.load_one(run).await?.map(RunObject))
    }

    /// How many runs before it started each other inside; 0 for what comes from outside.
    async fn depth(&self) -> u32 {
        self.0.depth
    }

    /// What was delivered again with it; null when it came for the first time, or that is not kept any more.
    #[graphql(complexity = "5 + child_complexity")]
    async fn redelivery_of(&self, ctx: &Context<'_>) -> Result<Option<TriggerEventObject>> {
        let Some(event) = self.0.redelivery_of else { return Ok(None) };
        match trigger::event(ctx.app()?, ctx.viewer()?, event).await {
            Ok(event) => Ok(Some(Self(event))),
            Err(ServiceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The id of the backfill that asked for a run for this time of the past.
    async fn backfill_id(&self) -> Option<ID> {
        self.0.backfill.map(|backfill| backfill.to_string().into())
    }

    /// What is kept of a request that started nothing: an object of `method`, some `headers`, the length of the body as
    /// `bytes`, and the first 1,024 bytes of it as `body` when its sender was believed. Null otherwise.
    async fn refused_request(&self) -> Option<Json<Value>> {
        self.0.request.clone().map(Json)
    }

    /// The time that a schedule's rule names; null for other kinds.
    async fn scheduled_at(&self) -> Option<DateTime<Utc>> {
        self.0.tick.map(time)
    }

    /// When it came, or was decided.
    async fn received_at(&self) -> DateTime<Utc> {
        time(self.0.received_at)
    }
}

/// What became of something that came to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "trigger::Outcome")]
pub enum TriggerOutcome {
    /// It started a run.
    Started,
    /// It started none; `reason` says why.
    Refused,
    /// It waits for its turn.
    Waiting,
}

/// Which events; all that is said must hold.
#[derive(InputObject, Default)]
#[graphql(name = "TriggerEventFilter")]
pub struct TriggerEventFilterInput {
    /// For this workflow.
    workflow_id: Option<ID>,
    /// In this environment.
    environment: Option<String>,
    /// To this trigger node.
    node: Option<String>,
    /// Of this kind.
    kind: Option<TriggerKindName>,
    /// With this outcome.
    outcome: Option<TriggerOutcome>,
}

/// Reading what came to triggers.
#[derive(Default)]
pub struct TriggerQuery;

#[Object]
impl TriggerQuery {
    /// What came to triggers, the latest first: every start, and every tick that started nothing.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn trigger_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.", default)] filter: TriggerEventFilterInput,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<TriggerEventObject>> {
        let filter = EventFilter {
            workflow: filter.workflow_id.as_ref().map(|workflow| id(workflow, "workflow")).transpose()?,
            environment: filter.environment,
            node: filter.node,
            kind: filter.kind.map(Into::into),
            outcome: filter.outcome.map(Into::into),
        };
        let page = window(first, after, last, before)?;
        let page = trigger::events(ctx.app()?, ctx.viewer()?, &filter, &page).await?;
        Ok(connection(page, TriggerEventObject))
    }
}

/// One thing that came to a trigger, and what was asked of triggers.
#[derive(Default)]
pub struct TriggerEventQuery;

#[Object]
impl TriggerEventQuery {
    /// One thing that came to a trigger.
    async fn trigger_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `evt_…`.")] id: ID,
    ) -> Result<Option<TriggerEventObject>> {
        let wanted = super::request::id(&id, "trigger event")?;
        Ok(Some(TriggerEventObject(trigger::event(ctx.app()?, ctx.viewer()?, wanted).await?)))
    }

    /// The backfills of a schedule, the latest first.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn trigger_backfills(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the schedule's binding, `trg_…`.")] trigger_id: ID,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when neither `first` nor `last` is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "The cursor to end before.")] before: Option<String>,
    ) -> Result<Relay<BackfillObject>> {
        let of = id(&trigger_id, "trigger")?;
        let page = window(first, after, last, before)?;
        let page = trigger::backfill::list(ctx.app()?, ctx.viewer()?, of, &page).await?;
        Ok(connection(page, BackfillObject))
    }
}

/// Which trigger to hold back.
#[derive(InputObject)]
pub struct PauseTriggerInput {
    /// The id of its binding, `trg_…`.
    trigger_id: ID,
}

/// What came of holding a trigger back.
#[derive(SimpleObject)]
pub struct PauseTriggerPayload {
    /// The trigger.
    trigger: Option<TriggerBindingObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Which trigger goes on.
#[derive(InputObject)]
pub struct ResumeTriggerInput {
    /// The id of its binding, `trg_…`.
    trigger_id: ID,
}

/// What came of letting a trigger go on.
#[derive(SimpleObject)]
pub struct ResumeTriggerPayload {
    /// The trigger.
    trigger: Option<TriggerBindingObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Holding triggers back.
#[derive(Default)]
pub struct TriggerMutation;

#[Object]
impl TriggerMutation {
    /// Holds a trigger back: it starts nothing until it is resumed, whatever is deployed. Runs under way go on.
    async fn pause_trigger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which trigger.")] input: PauseTriggerInput,
    ) -> Result<PauseTriggerPayload> {
        let answer = match id(&input.trigger_id, "trigger") {
            Ok(trigger) => trigger::pause(ctx.app()?, ctx.viewer()?, trigger).await,
            Err(error) => Err(error),
        };
        let (trigger, user_errors) = settle(answer)?;
        Ok(PauseTriggerPayload { trigger: trigger.map(TriggerBindingObject), user_errors })
    }

    /// Lets a trigger go on from now. What came due while it was paused starts nothing and leaves no event.
    async fn resume_trigger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which trigger.")] input: ResumeTriggerInput,
    ) -> Result<ResumeTriggerPayload> {
        let answer = match id(&input.trigger_id, "trigger") {
            Ok(trigger) => trigger::resume(ctx.app()?, ctx.viewer()?, trigger).await,
            Err(error) => Err(error),
        };
        let (trigger, user_errors) = settle(answer)?;
        Ok(ResumeTriggerPayload { trigger: trigger.map(TriggerBindingObject), user_errors })
    }
}

//! Runs: reading, and what people say to one under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::error::ErrorInfo;
use engine::id::NodeRunId;
use engine::run::status;
use engine::time::Timestamp;
use serde_json::Value;

use super::Result;
use super::artifact::ArtifactObject;
use super::loader::CallbackOf;
use super::node_run::{NodeRunObject, NodeRunStatusName, Siblings};
use super::notification::NotificationObject;
use super::page::{Relay, connection, cost, window};
use super::request::{Asked as _, id, start_key, time};
use super::user_error::{UserError, settle};
use super::value::ValueObject;
use super::version::VersionObject;
use super::workflow::WorkflowObject;
use crate::auth::Permission;
use crate::service::run::{self, Run, RunFilter, RunMode, RunOrder, Signal};
use crate::service::value::download::Place;
use crate::service::{ServiceError, artifact};

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "RunStatus", remote = "status::RunStatus")]
pub enum RunStatusName {
    /// Committed, not yet looked at by a driver.
    Queued,
    /// Something is under way.
    Running,
    /// Only time, a signal or a person moves it on.
    Waiting,
    /// Held back by an operator or as a dead letter.
    Paused,
    /// Every node settled and none failed unhandled.
    Succeeded,
    /// A node failed and nothing handled it.
    Failed,
    /// Somebody stopped it.
    Canceled,
    /// Its time was up.
    TimedOut,
}

/// Whether a run counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "RunMode", remote = "RunMode")]
pub enum RunModeName {
    /// A run of a deployed or named version.
    Live,
    /// A try: it stays out of figures and alerts.
    Test,
}

/// Why a run failed.
#[derive(SimpleObject)]
pub struct RunError {
    /// A stable word, such as `HTTP_STATUS`.
    code: String,
    /// What, where, why and what next, for people.
    message: String,
    /// The key of the node that failed.
    node: Option<String>,
}

impl From<ErrorInfo> for RunError {
    fn from(error: ErrorInfo) -> Self {
        Self { code: error.code, message: error.message, node: error.node }
    }
}

/// One execution of a version.
pub struct RunObject(pub(super) Run);

/// One execution of a version.
#[Object(name = "Run")]
impl RunObject {
    /// The id, `run_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Whether the viewer may stop it, resume it, or say how an uncertain node run ended.
    async fn viewer_can_control(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::RunControl))
    }

    /// Whether the viewer may send it a signal.
    async fn viewer_can_signal(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::RunSignal))
    }

    /// Whether the viewer may start it again.
    async fn viewer_can_retry(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.may(Permission::RunStart))
    }

    /// The workflow; null once it was deleted.
    async fn workflow(&self, ctx: &Context<'_>) -> Result<Option<WorkflowObject>> {
        Ok(ctx.reads()?.load_one(self.0.workflow).await?.map(WorkflowObject))
    }

    /// The version; it never changes during a run. Null for a try of a definition that was never published, and once
    /// the workflow was deleted.
    async fn version(&self, ctx: &Context<'_>) -> Result<Option<VersionObject>> {
        let Some(id) = self.0.version else { return Ok(None) };
        Ok(ctx.reads()?.load_one(id).await?.map(VersionObject))
    }

    /// The environment it runs in.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// Whether it counts.
    async fn mode(&self) -> RunModeName {
        self.0.mode.into()
    }

    /// What it is doing.
    async fn status(&self) -> RunStatusName {
        self.0.status.into()
    }

    /// The business key it was started with.
    async fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The labels it was started with: an object of texts.
    async fn labels(&self) -> Json<BTreeMap<String, String>> {
        Json(self.0.labels.clone())
    }

    /// Whom it tells that it has ended; null when it was started without a callback.
    async fn callback(&self, ctx: &Context<'_>) -> Result<Option<NotificationObject>> {
        Ok(ctx.reads()?.load_one(CallbackOf(self.0.id)).await?.map(NotificationObject))
    }

    /// The key of the node that started it.
    async fn trigger(&self) -> &str {
        &self.0.trigger
    }

    /// What it was given.
    async fn input(&self) -> ValueObject {
        ValueObject::new(self.0.input.clone(), Place::Input(self.0.id), &Siblings::of(&self.0))
    }

    /// Its result, once it succeeded.
    async fn output(&self) -> Option<ValueObject> {
        let output = self.0.output.clone()?;
        Some(ValueObject::new(output, Place::Output(self.0.id), &Siblings::of(&self.0)))
    }

    /// Why it failed, or will.
    async fn error(&self, ctx: &Context<'_>) -> Result<Option<RunError>> {
        let Some(error) = self.0.error.clone() else { return Ok(None) };
        Ok(Some(Siblings::of(&self.0).error(ctx, self.0.id, error).await?.into()))
    }

    /// Its node runs, by node key; the items of a `for_each` after their node.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn node_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
        #[graphql(desc = "Only those with one of these.")] status: Option<Vec<NodeRunStatusName>>,
    ) -> Result<Relay<NodeRunObject>> {
        let wanted: Vec<_> = status.unwrap_or_default().into_iter().map(Into::into).collect();
        let page =
            run::node_runs(ctx.app()?, ctx.viewer()?, &self.0, &wanted, &window(first, after, last, before)?).await?;
        let siblings = Siblings::of(&self.0);
        Ok(connection(page, |node_run| NodeRunObject(node_run, Arc::clone(&siblings))))
    }

    /// Its files, in the order in which they were kept.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    async fn artifacts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<ArtifactObject>> {
        let page = window(first, after, last, before)?;
        let page = artifact::of_run(ctx.app()?, ctx.viewer()?, &self.0, &page).await?;
        Ok(connection(page, ArtifactObject))
    }

    /// The number of its last event.
    async fn last_seq(&self) -> u64 {
        self.0.last_seq
    }

    /// When it was committed.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it left QUEUED.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at.map(time)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at.map(time)
    }

    /// The run that it tries again.
    async fn retry_of(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(id) = self.0.retry_of else { return Ok(None) };
        Ok(ctx.reads()?.load_one(id).await?.map(RunObject))
    }

    /// The key of the node that a retried run begins at; null for the start.
    async fn retried_from(&self) -> Option<&str> {
        self.0.retried_from.as_deref()
    }

    /// Who started it: the id of an API key, or what kind of trigger.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }
}

/// A label that a run must have.
#[derive(InputObject)]
pub struct LabelInput {
    /// The label's name.
    name: String,
    /// The label's value.
    value: String,
}

/// Which runs; all that is said must hold.
#[derive(InputObject, Default)]
#[graphql(name = "RunFilter")]
pub struct RunFilterInput {
    /// One of these.
    status: Option<Vec<RunStatusName>>,
    /// Of this workflow.
    workflow_id: Option<ID>,
    /// Live runs or test runs; both when absent.
    mode: Option<RunModeName>,
    /// In this environment.
    environment: Option<String>,
    /// With this business key.
    key: Option<String>,
    /// With this label.
    label: Option<LabelInput>,
    /// With all of these labels.
    labels: Option<Vec<LabelInput>>,
    /// Committed at this time or later.
    created_since: Option<DateTime<Utc>>,
    /// Committed before this time.
    created_until: Option<DateTime<Utc>>,
    /// Started by this one, as `createdBy` names it.
    created_by: Option<String>,
    /// Started by one of these kinds of trigger.
    trigger_kind: Option<Vec<TriggerKindName>>,
    /// Trying this run again.
    retry_of_id: Option<ID>,
}

/// What kind of trigger started a run. More may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "TriggerKind", remote = "runtime::TriggerKind")]
pub enum TriggerKindName {
    /// A person or a program, through the API.
    Manual,
    /// A call to `/hooks/…`.
    Webhook,
    /// The clock, by a node `trigger.schedule`.
    Schedule,
    /// An event that a workflow published, by a node `trigger.event`.
    Event,
    /// A run that failed, by a node `trigger.error`.
    Error,
    /// A run that ended, by a node `trigger.workflow`.
    Workflow,
}

/// In which order runs are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "RunOrder", remote = "RunOrder")]
pub enum RunOrderName {
    /// The newest first.
    NewestFirst,
    /// The oldest first.
    OldestFirst,
}

impl RunFilterInput {
    fn read(self) -> Result<RunFilter, ServiceError> {
        let time = |at: DateTime<Utc>| Timestamp(at.timestamp_micros());
        let labels = self.labels.unwrap_or_default().into_iter().chain(self.label);
        Ok(RunFilter {
            statuses: self.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            workflow: self.workflow_id.map(|text| self::id(&text, "workflow")).transpose()?,
            mode: self.mode.map(Into::into),
            environment: self.environment,
            key: self.key,
            labels: labels.map(|label| (label.name, label.value)).collect(),
            created_since: self.created_since.map(time),
            created_until: self.created_until.map(time),
            created_by: self.created_by,
            triggers: self.trigger_kind.unwrap_or_default().into_iter().map(Into::into).collect(),
            retry_of: self.retry_of_id.map(|text| self::id(&text, "run")).transpose()?,
        })
    }
}

/// Reading runs.
#[derive(Default)]
pub struct RunQuery;

#[Object]
impl RunQuery {
    /// The run; null with NOT_FOUND when there is none.
    async fn run(&self, ctx: &Context<'_>, #[graphql(desc = "`run_…`")] id: ID) -> Result<Option<RunObject>> {
        let run = run::get(ctx.app()?, ctx.viewer()?, self::id(&id, "run")?).await?;
        Ok(Some(RunObject(run)))
    }

    /// Runs by the time they were committed.
    #[graphql(complexity = "cost(first.or(last), child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and what it is of")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when absent.")] filter: Option<RunFilterInput>,
        #[graphql(desc = "In which order; the newest first when absent.")] order_by: Option<RunOrderName>,
        #[graphql(desc = "How many from the beginning, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100, instead of `first`.")] last: Option<i32>,
        #[graphql(desc = "The cursor to stop before.")] before: Option<String>,
    ) -> Result<Relay<RunObject>> {
        let filter = filter.unwrap_or_default().read()?;
        let order = order_by.map(Into::into).unwrap_or_default();
        let page = window(first, after, last, before)?;
        let page = run::list(ctx.app()?, ctx.viewer()?, &filter, order, &page).await?;
        Ok(connection(page, RunObject))
    }
}

/// A message to a waiting run.
#[derive(InputObject)]
pub struct SignalRunInput {
    /// The run.
    run_id: ID,
    /// The name that a node waits for.
    name: String,
    /// Tells waits of the same name apart.
    key: Option<String>,
    /// What leaves the waiting node.
    payload: Option<Json<Value>>,
    /// Up to 255 characters: the same key within 24 hours sends the run one signal, also when the first has ended it. The
    /// header `Idempotency-Key` stands for it when it is absent.
    idempotency_key: Option<String>,
}

/// Which run to stop, and why.
#[derive(InputObject)]
pub struct CancelRunInput {
    /// The run.
    run_id: ID,
    /// Why, for people.
    reason: Option<String>,
    /// Do not wait for effects in flight.
    #[graphql(default = false)]
    force: bool,
}

/// Which run to let go on.
#[derive(InputObject)]
pub struct ResumeRunInput {
    /// The run.
    run_id: ID,
}

/// How an uncertain node run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NodeRunResolution {
    /// It did not happen, or twice is harmless: do it again with the same idempotency key.
    Retry,
    /// It happened, and `output` is its result.
    Succeed,
    /// Treat it as failed.
    Fail,
}

/// What a person says about an uncertain node run.
#[derive(InputObject)]
pub struct ResolveNodeRunInput {
    /// The node run.
    node_run_id: ID,
    /// How it ended.
    resolution: NodeRunResolution,
    /// Its result, for SUCCEED.
    output: Option<Json<Value>>,
}

/// What came of a message to a run. It is durable; the run takes it up in a moment.
#[derive(SimpleObject)]
pub struct RunPayload {
    /// The run, as it is now.
    run: Option<RunObject>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

impl RunPayload {
    fn settle(answer: std::result::Result<Run, ServiceError>) -> Result<Self> {
        let (run, user_errors) = settle(answer)?;
        Ok(Self { run: run.map(RunObject), user_errors })
    }
}

/// What people say to a run under way.
#[derive(Default)]
pub struct RunMutation;

#[Object]
impl RunMutation {
    /// Sends a signal to a run.
    async fn signal_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The signal.")] input: SignalRunInput,
    ) -> Result<RunPayload> {
        let once = start_key(ctx, input.idempotency_key);
        let signal = Signal {
            name: input.name,
            key: input.key.unwrap_or_default(),
            payload: input.payload.map_or(Value::Null, |json| json.0),
        };
        RunPayload::settle(match id(&input.run_id, "run") {
            Ok(run) => run::signal(ctx.app()?, ctx.viewer()?, run, &signal, once.as_deref()).await,
            Err(error) => Err(error),
        })
    }

    /// Stops a run; nodes that already finished keep their results.
    async fn cancel_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run.")] input: CancelRunInput,
    ) -> Result<RunPayload> {
        let reason = input.reason.unwrap_or_default();
        RunPayload::settle(match id(&input.run_id, "run") {
            Ok(run) => run::cancel(ctx.app()?, ctx.viewer()?, run, &reason, input.force).await,
            Err(error) => Err(error),
        })
    }

    /// Lets a dead letter go on: a run that was put aside because it could not be driven, with status PAUSED.
    async fn resume_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run.")] input: ResumeRunInput,
    ) -> Result<RunPayload> {
        RunPayload::settle(match id(&input.run_id, "run") {
            Ok(run) => run::resume(ctx.app()?, ctx.viewer()?, run).await,
            Err(error) => Err(error),
        })
    }

    /// Says how an uncertain node run ended.
    async fn resolve_node_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The node run and its end.")] input: ResolveNodeRunInput,
    ) -> Result<RunPayload> {
        let says = match input.resolution {
            NodeRunResolution::Retry => run::Says::Retry,
            NodeRunResolution::Succeed => run::Says::Succeed(input.output.map_or(Value::Null, |json| json.0)),
            NodeRunResolution::Fail => run::Says::Fail,
        };
        RunPayload::settle(match id::<NodeRunId>(&input.node_run_id, "node run") {
            Ok(node_run) => run::resolve(ctx.app()?, ctx.viewer()?, &node_run, says).await,
            Err(error) => Err(error),
        })
    }
}

//! Runs: reading, and what people say to one under way.

use std::collections::BTreeMap;

use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::error::ErrorInfo;
use engine::id::NodeRunId;
use engine::run::status;
use serde_json::Value;

use super::Result;
use super::node_run::{NodeRunObject, NodeRunStatusName};
use super::page::{connection, cost, request};
use super::request::{Asked as _, id, time};
use super::user_error::{UserError, settle};
use super::value::ValueObject;
use super::version::VersionObject;
use super::workflow::WorkflowObject;
use crate::service::ServiceError;
use crate::service::run::{self, Run, RunFilter, RunMode};

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

    /// The key of the node that started it.
    async fn trigger(&self) -> &str {
        &self.0.trigger
    }

    /// What it was given.
    async fn input(&self) -> ValueObject {
        ValueObject(self.0.input.clone())
    }

    /// Its result, once it succeeded.
    async fn output(&self) -> Option<ValueObject> {
        self.0.output.clone().map(ValueObject)
    }

    /// Why it failed, or will.
    async fn error(&self) -> Option<RunError> {
        self.0.error.clone().map(RunError::from)
    }

    /// Its node runs, by node key; the items of a `for_each` after their node.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn node_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
        #[graphql(desc = "Only those with one of these.")] status: Option<Vec<NodeRunStatusName>>,
    ) -> Result<Connection<String, NodeRunObject>> {
        let wanted: Vec<_> = status.unwrap_or_default().into_iter().map(Into::into).collect();
        let page = run::node_runs(ctx.app()?, ctx.viewer()?, &self.0, &wanted, &request(first, after)?).await?;
        Ok(connection(page, NodeRunObject))
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
    /// With this business key.
    key: Option<String>,
    /// With this label.
    label: Option<LabelInput>,
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

    /// Runs, the newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when absent.")] filter: Option<RunFilterInput>,
        #[graphql(desc = "How many, 1 to 100; 25 when absent.")] first: Option<i32>,
        #[graphql(desc = "The cursor to go on after.")] after: Option<String>,
    ) -> Result<Connection<String, RunObject>> {
        let filter = filter.unwrap_or_default();
        let filter = RunFilter {
            statuses: filter.status.unwrap_or_default().into_iter().map(Into::into).collect(),
            workflow: filter.workflow_id.map(|text| self::id(&text, "workflow")).transpose()?,
            key: filter.key,
            label: filter.label.map(|label| (label.name, label.value)),
        };
        let page = run::list(ctx.app()?, ctx.viewer()?, &filter, &request(first, after)?).await?;
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
        let payload = input.payload.map_or(Value::Null, |json| json.0);
        let key = input.key.as_deref().unwrap_or_default();
        RunPayload::settle(match id(&input.run_id, "run") {
            Ok(run) => run::signal(ctx.app()?, ctx.viewer()?, run, &input.name, key, &payload).await,
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

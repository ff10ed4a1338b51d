//! One node's execution in a run.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::catalog;
use engine::error::{self, ErrorInfo};
use engine::id::{NodeRunId, RunId};
use engine::run::event::ReusedFrom;
use engine::run::status;
use tokio::sync::OnceCell;

use super::Result;
use super::request::{Asked as _, time};
use super::run::RunObject;
use super::value::ValueObject;
use crate::service::ServiceError;
use crate::service::attempt::{self, Attempt};
use crate::service::run::{NodeRun, Run};
use crate::service::value::download::Place;
use crate::service::veil::{self, Veil};

/// What a node run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "NodeRunStatus", remote = "status::NodeRunStatus")]
pub enum NodeRunStatusName {
    /// Waits for what comes before it.
    Pending,
    /// Ready, waits for a worker.
    Queued,
    /// An attempt is under way.
    Running,
    /// Waits for time, a signal or a person.
    Waiting,
    /// Another attempt is due later.
    Retrying,
    /// Has its output.
    Succeeded,
    /// Has no further attempt.
    Failed,
    /// No path led here.
    Skipped,
    /// Stopped before its end.
    Canceled,
    /// Its time with all attempts was up.
    TimedOut,
    /// Its undo is under way.
    Compensating,
    /// Undone.
    Compensated,
    /// Nobody knows whether its effect happened; `resolveNodeRun` says it.
    Uncertain,
}

/// What a repeat of a node may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EffectClass", remote = "catalog::EffectClass")]
pub enum EffectClassName {
    /// Nothing outside is touched.
    Pure,
    /// Twice with the same key is as once.
    Idempotent,
    /// Twice is not once: never repeated unless the author said so.
    Effectful,
}

/// What an error lets the rules do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "ErrorKind", remote = "error::ErrorKind")]
pub enum ErrorKindName {
    /// It would come again: never retried.
    Permanent,
    /// It may not come again: retried under the node's policy.
    Transient,
    /// Nobody knows whether the outside acted.
    Unknown,
}

/// The last error of a node run.
#[derive(Debug, SimpleObject)]
pub struct NodeRunError {
    /// A stable word, such as `HTTP_STATUS`.
    code: String,
    /// What, where, why and what next, for people.
    message: String,
    /// What the rules may do about it.
    kind: ErrorKindName,
}

impl From<ErrorInfo> for NodeRunError {
    fn from(error: ErrorInfo) -> Self {
        Self { code: error.code, message: error.message, kind: error.kind.into() }
    }
}

/// One try of a node run.
pub struct AttemptObject {
    attempt: Attempt,
    run: RunId,
    siblings: Arc<Siblings>,
}

/// One try of a node run.
#[Object(name = "Attempt")]
impl AttemptObject {
    /// Counts from 1.
    async fn number(&self) -> u32 {
        self.attempt.number
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        time(self.attempt.started_at)
    }

    /// When it gave a result or an error, asked to wait, or was given up.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.attempt.finished_at.map(time)
    }

    /// What went wrong.
    async fn error(&self) -> Option<NodeRunError> {
        self.attempt.error.clone().map(NodeRunError::from)
    }

    /// What it wrote for people to read, such as the console of code; null when it wrote nothing.
    #[graphql(complexity = "5 + child_complexity")]
    async fn log(&self, ctx: &Context<'_>) -> Result<Option<AttemptLogObject>> {
        let Some(log) = &self.attempt.log else { return Ok(None) };
        let (app, viewer) = (ctx.app()?, ctx.viewer()?);
        let lines = attempt::lines(app, viewer, log, self.siblings.veil(ctx, self.run).await?).await?;
        Ok(Some(AttemptLogObject { lines: lines.into_iter().map(Into::into).collect(), dropped: log.dropped }))
    }
}

/// What an attempt wrote for people to read. It keeps up to 1,000 lines and 64 KiB.
#[derive(Debug, SimpleObject)]
#[graphql(name = "AttemptLog")]
pub struct AttemptLogObject {
    /// The lines, in order.
    lines: Vec<AttemptLogLine>,
    /// How many more it wrote, which were not kept.
    dropped: u64,
}

/// A line that an attempt wrote.
#[derive(Debug, SimpleObject)]
pub struct AttemptLogLine {
    /// How much it matters.
    level: LogLevelName,
    /// What it says.
    message: String,
}

impl From<attempt::LogLine> for AttemptLogLine {
    fn from(line: attempt::LogLine) -> Self {
        Self { level: line.level.into(), message: line.message }
    }
}

/// How much a line of a log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "LogLevel", remote = "attempt::LogLevel")]
pub enum LogLevelName {
    /// For whoever looks for a fault.
    Debug,
    /// What is going on.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// What a node run waits for.
#[derive(SimpleObject)]
pub struct WaitingFor {
    /// The name of a signal; null when it waits for time only.
    signal: Option<String>,
    /// Tells waits for signals of the same name apart.
    key: Option<String>,
    /// When it stops waiting, or the next attempt is due.
    until: Option<DateTime<Utc>>,
}

/// What the node runs of one answer share: their run, and its attempts once somebody asked for one's.
#[derive(Default)]
pub(super) struct Siblings {
    run: OnceCell<Run>,
    attempts: OnceCell<HashMap<NodeRunId, Vec<Attempt>>>,
    veil: OnceCell<Option<Veil>>,
}

impl Siblings {
    /// The node runs of this run.
    pub(super) fn of(run: &Run) -> Arc<Self> {
        Arc::new(Self { run: OnceCell::new_with(Some(run.clone())), ..Self::default() })
    }

    /// Their run.
    pub(super) async fn run(&self, ctx: &Context<'_>, id: RunId) -> Result<&Run> {
        let read = async || -> Result<Run> {
            Ok(ctx.reads()?.load_one(id).await?.ok_or(ServiceError::NotFound { what: "run" })?)
        };
        self.run.get_or_try_init(read).await
    }

    /// What is hidden of the run's data.
    pub(super) async fn veil(&self, ctx: &Context<'_>, id: RunId) -> Result<Option<&Veil>> {
        let run = self.run(ctx, id).await?;
        let (app, viewer) = (ctx.app()?, ctx.viewer()?);
        let read = async || veil::of(app, viewer, run).await;
        Ok(self.veil.get_or_try_init(read).await?.as_ref())
    }

    /// An error as the viewer may see it.
    pub(super) async fn error(&self, ctx: &Context<'_>, id: RunId, error: ErrorInfo) -> Result<ErrorInfo> {
        Ok(match self.veil(ctx, id).await? {
            Some(veil) => veil.error(error),
            None => error,
        })
    }
}

/// One node's execution in a run; inside a `for_each`, one for each item and one for the whole.
pub struct NodeRunObject(pub(super) NodeRun, pub(super) Arc<Siblings>);

/// One node's execution in a run; inside a `for_each`, one for each item and one for the whole.
#[Object(name = "NodeRun")]
impl NodeRunObject {
    /// The id, `nrun_…`: run, node key and item.
    pub(super) async fn id(&self) -> ID {
        self.0.id().to_string().into()
    }

    /// The run.
    async fn run(&self, ctx: &Context<'_>) -> Result<RunObject> {
        Ok(RunObject(self.1.run(ctx, self.0.run).await?.clone()))
    }

    /// The node's key.
    async fn node(&self) -> &str {
        &self.0.node
    }

    /// Which item: indexes joined by `/`, empty for a node that runs once and for the whole of a `for_each`.
    async fn scope(&self) -> String {
        self.0.scope.to_string()
    }

    /// The node type, such as `http.request@1`.
    async fn r#type(&self) -> &str {
        &self.0.node_type
    }

    /// What it is doing.
    async fn status(&self) -> NodeRunStatusName {
        self.0.status.into()
    }

    /// Its last attempt, from 1; 0 for the whole of a `for_each` and before the first.
    async fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Its attempts, the first one first, as the journal tells them; none for the whole of a `for_each`, and none when its
    /// result was taken over.
    #[graphql(complexity = "5 + child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<AttemptObject>> {
        let run = self.1.run(ctx, self.0.run).await?;
        let (app, viewer) = (ctx.app()?, ctx.viewer()?);
        let read = async || attempt::of_run(app, viewer, run).await;
        let all = self.1.attempts.get_or_try_init(read).await?;
        let own = all.get(&self.0.id()).cloned().unwrap_or_default();
        let object = |attempt| AttemptObject { attempt, run: self.0.run, siblings: Arc::clone(&self.1) };
        Ok(own.into_iter().map(object).collect())
    }

    /// The run that its result was taken over from; null when it ran here or was pinned.
    async fn reused_from(&self) -> Option<ID> {
        match self.0.reused_from? {
            ReusedFrom::Run(run) => Some(RunId(run).to_string().into()),
            ReusedFrom::Pin => None,
        }
    }

    /// Whether a pin stands for it.
    async fn pinned(&self) -> bool {
        self.0.reused_from == Some(ReusedFrom::Pin)
    }

    /// What a repeat may do.
    async fn effect(&self) -> EffectClassName {
        self.0.effect.into()
    }

    /// The port it left by.
    async fn port(&self) -> Option<&str> {
        self.0.port.as_deref()
    }

    /// Its result.
    async fn output(&self) -> Option<ValueObject> {
        self.0
            .output
            .clone()
            .filter(|_| self.0.status == engine::run::status::NodeRunStatus::Succeeded)
            .map(|value| ValueObject::new(value, Place::Node(self.0.id()), &self.1))
    }

    /// Its last error.
    async fn error(&self, ctx: &Context<'_>) -> Result<Option<NodeRunError>> {
        let Some(error) = self.0.error.clone() else { return Ok(None) };
        Ok(Some(self.1.error(ctx, self.0.run, error).await?.into()))
    }

    /// What it waits for, while it waits.
    async fn waiting_for(&self) -> Option<WaitingFor> {
        let waits = matches!(self.0.status, status::NodeRunStatus::Waiting | status::NodeRunStatus::Retrying);
        waits.then(|| WaitingFor {
            signal: self.0.signal.as_ref().map(|signal| signal.name.clone()),
            key: self.0.signal.as_ref().map(|signal| signal.key.clone()),
            until: self.0.due_at.map(time),
        })
    }

    /// How many items a `for_each` has; null elsewhere.
    async fn items(&self) -> Option<u32> {
        self.0.items
    }

    /// How many of them are settled; null elsewhere.
    async fn items_settled(&self) -> Option<u32> {
        self.0.items.map(|_| self.0.items_settled)
    }

    /// When its first attempt began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at.map(time)
    }

    /// When it settled.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at.map(time)
    }
}

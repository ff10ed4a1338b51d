//! Starting a run: checked, its input kept, then handed to the intake.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::expression::ExpressionError;
use engine::graph::Graph;
use engine::id::{ProjectId, RunId, TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::run::event::NodeIx;
use engine::value::{Digest, ValueRef};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Runtime, StartError, TriggerKind};
use crate::intake::{Beginning, Request};
use crate::journal::{Fence, Firing};
use crate::refusal::{Asked, Carried};
use crate::trace::TraceContext;
use crate::value::{Tenant, ValueError};

/// A run to start.
#[derive(Debug, Clone)]
pub struct StartRun {
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its project.
    pub project: ProjectId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// Its version; none for a test run.
    pub version: Option<VersionId>,
    /// Its definition.
    pub definition_hash: Digest,
    /// Its environment.
    pub environment: String,
    /// Key of the trigger node.
    pub trigger_node: String,
    /// What starts it.
    pub kind: TriggerKind,
    /// What the trigger gives.
    pub input: Value,
    /// The same key within 24 h is the same start.
    pub idempotency_key: Option<String>,
    /// Business key.
    pub key: Option<String>,
    /// What it is found by.
    pub labels: BTreeMap<String, String>,
    /// Higher is taken first.
    pub priority: i16,
    /// Who.
    pub created_by: String,
    /// The span that it is asked for in.
    pub trace: Option<TraceContext>,
}

/// A run that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run: RunId,
    /// Whether it had been started before under the same idempotency key.
    pub replayed: bool,
    /// The stored event.
    pub event: TriggerEventId,
}

/// A start that can begin.
struct Checked {
    graph: Arc<Graph>,
    tenant: Tenant,
    trigger: NodeIx,
    input: ValueRef,
}

impl Runtime {
    /// Starts a run; returns once it is durable.
    ///
    /// # Errors
    /// When it was not started, or it is not known whether it was.
    pub async fn start(&self, request: StartRun) -> Result<Started, StartError> {
        self.start_noted(request, Beginning::default()).await
    }

    /// Starts a run under an id that was drawn for it; a repeated idempotency key still answers with the first run.
    /// `asked` is what counts as the same again, where that is not the input.
    ///
    /// # Errors
    /// When it was not started, or it is not known whether it was.
    pub async fn start_as_run(
        &self,
        request: StartRun,
        run: RunId,
        asked: Option<Value>,
    ) -> Result<Started, StartError> {
        let asked = match asked {
            Some(asked) => {
                let (_, tenant) = self.0.definitions.get(request.workspace, request.definition_hash).await?;
                Some(ValueRef::of(&tenant.salt, &asked).0.digest)
            }
            None => None,
        };
        self.start_noted(request, Beginning { run: Some(run), asked, ..Beginning::default() }).await
    }

    /// Starts the run of a delivery: its key is remembered for a time of its own, and what counts as the same again is
    /// what the caller says, whatever the input holds besides. Files that came with it were promised to `run`.
    ///
    /// # Errors
    /// When it was not started, or it is not known whether it was.
    pub async fn start_delivery(
        &self,
        request: StartRun,
        key_lives: Duration,
        asked: Digest,
        run: Option<RunId>,
    ) -> Result<Started, StartError> {
        let beginning = Beginning { key_lives: Some(key_lives), asked: Some(asked), run, ..Beginning::default() };
        self.start_noted(request, beginning).await
    }

    /// A start that leaves an event when it is refused.
    async fn start_noted(&self, mut request: StartRun, beginning: Beginning) -> Result<Started, StartError> {
        let asked = Asked::of(&request);
        let Checked { graph, tenant, trigger, input } = match self.checked(&mut request).await {
            Ok(checked) => checked,
            Err(error) => {
                self.note_refusal(&asked, Carried::Value(&request.input), &error).await;
                return Err(error);
            }
        };
        let started = self.begin(request, tenant, graph, trigger, input.clone(), beginning).await;
        if let Err(error) = &started {
            self.note_refusal(&asked, Carried::Kept(input), error).await;
        }
        started
    }

    /// Starts the run of a tick and decides the tick with it.
    pub(crate) async fn start_firing(&self, request: StartRun, firing: Firing) -> Result<Started, StartError> {
        self.start_as(request, Beginning { fence: Some(Fence::Tick(firing)), ..Beginning::default() }).await
    }

    /// Starts the run of an event that waits for its turn, while it still does.
    pub(crate) async fn start_waiting(&self, request: StartRun, event: TriggerEventId) -> Result<Started, StartError> {
        self.start_as(request, Beginning { fence: Some(Fence::Waiting(event)), ..Beginning::default() }).await
    }

    pub(crate) async fn start_as(&self, mut request: StartRun, beginning: Beginning) -> Result<Started, StartError> {
        let Checked { graph, tenant, trigger, input } = self.checked(&mut request).await?;
        self.begin(request, tenant, graph, trigger, input, beginning).await
    }

    /// A start whose trigger is there and whose input fits and is kept.
    async fn checked(&self, request: &mut StartRun) -> Result<Checked, StartError> {
        let inner = &self.0;
        let (graph, tenant) = inner.definitions.get(request.workspace, request.definition_hash).await?;
        let trigger = crate::again::trigger(&graph, &request.trigger_node)?;
        graph.check_input(&request.input).map_err(StartError::InputInvalid)?;
        let told = |error: ExpressionError| format!("the workflow's settings{} fail: {}", error.path, error.message);
        let found = graph.found_by(&request.input).map_err(|error| StartError::InputInvalid(told(error)))?;
        request.key = request.key.take().or(found.key);
        // What the caller says goes before what the definition gives.
        for (name, value) in found.labels {
            request.labels.entry(name).or_insert(value);
        }
        let input = inner.values.keep(&tenant, request.input.clone()).await?;
        Ok(Checked { graph, tenant, trigger, input })
    }

    /// Hands a checked start to the intake.
    pub(crate) async fn begin(
        &self,
        start: StartRun,
        tenant: Tenant,
        graph: Arc<Graph>,
        trigger: NodeIx,
        input: ValueRef,
        beginning: Beginning,
    ) -> Result<Started, StartError> {
        let vars = match graph.reads_vars() {
            true => Some(self.vars(&tenant, start.project, &start.environment).await?.into()),
            false => None,
        };
        let (answer, answered) = oneshot::channel();
        let request = Request { start, tenant, graph, trigger, input, vars, beginning, answer };
        self.0.intake.send(request).await.map_err(|_| StartError::Stopping)?;
        answered.await.unwrap_or(Err(StartError::Stopping))
    }

    /// What `vars` is for a run that starts now.
    pub(crate) async fn vars(
        &self,
        tenant: &Tenant,
        project: ProjectId,
        environment: &str,
    ) -> Result<ValueRef, ValueError> {
        let vars = crate::store::variable::all(&self.0.database, tenant.id, project, environment).await?;
        self.0.values.keep(tenant, vars).await
    }
}

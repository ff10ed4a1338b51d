//! Does a piece of work: reads the values it needs, puts expressions in, executes the node, keeps what comes out, and
//! says it all in one fact.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use engine::catalog::{Catalog as _, EffectClass};
use engine::definition::ForEach;
use engine::error::ErrorInfo;
use engine::expression::{Budget, ExpressionError, Scope as ExpressionScope};
use engine::graph::{Graph, GraphNode};
use engine::id::{RunId, WorkflowId, WorkspaceId};
use engine::run::event::{Event, NodeIx, NodeRunRef, SignalName, WaitFor};
use engine::time::Timestamp;
use engine::value::ValueRef;
use futures::FutureExt;
use nodes::code::CodeCeiling;
use nodes::connection::{Connection, SecretText};
use nodes::file::Files;
use nodes::outgoing::Outgoing;
use nodes::{Attempt, NodeContext, NodeOutcome, Registry, Wait};
use serde_json::{Map, Value};

use crate::artifact::{Artifacts, RunFiles};
use crate::clock::Clock;
use crate::crash;
use crate::egress::Egress;
use crate::quota::Quotas;
use crate::runtime::Mode;
use crate::secret::Secrets;
use crate::secret::redact::Redactor;
use crate::trace::{AttemptSpan, RunTrace};
use crate::value::{Tenant, ValueError, Values};
use crate::work::{Inputs, ItemEnd, Names, Source, Task};

/// Inputs of more bytes than this are worked on where they do not hold up other runs.
const HEAVY: u64 = 1024 * 1024;

/// What every piece of work shares.
pub(crate) struct Executor {
    pub(crate) registry: Registry,
    pub(crate) egress: Arc<Egress>,
    pub(crate) values: Values,
    pub(crate) secrets: Secrets,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) artifacts: Artifacts,
    pub(crate) clock: Clock,
}

/// The run that a piece of work belongs to.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) run: RunId,
    pub(crate) workflow: WorkflowId,
    pub(crate) tenant: Tenant,
    pub(crate) graph: Arc<Graph>,
    /// Whether it counts in figures.
    pub(crate) mode: Mode,
    /// The trace that it is in, when there is one to tell of or to hand on.
    pub(crate) trace: Option<Arc<RunTrace>>,
}

impl Executor {
    /// Does the work. Never fails: what goes wrong is a fact like any other.
    pub(crate) async fn execute(&self, place: &Place, task: Task) -> Event {
        if weight(&task) > HEAVY {
            let handle = tokio::runtime::Handle::current();
            return tokio::task::block_in_place(|| handle.block_on(self.dispatch(place, task)));
        }
        self.dispatch(place, task).await
    }

    async fn dispatch(&self, place: &Place, task: Task) -> Event {
        match task {
            Task::Attempt { at, attempt, class, key, names, began } => {
                self.attempt(place, at, attempt, class, key, names, began).await
            }
            Task::ListItems { node, names } => match self.list_items(place, node, &names).await {
                Ok((count, items)) => Event::ItemsListed { node, count, items },
                Err(error) => Event::EvaluationFailed { node: Some(node), error },
            },
            Task::Collect { node, ends } => match self.collect(place, ends).await {
                Ok(output) => Event::ItemsCollected { node, output },
                Err(error) => Event::EvaluationFailed { node: Some(node), error },
            },
            Task::Output { names, last } => match self.output(place, &names, last).await {
                Ok(output) => Event::OutputEvaluated { output },
                Err(error) => Event::EvaluationFailed { node: None, error },
            },
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one attempt, used once")]
    async fn attempt(
        &self,
        place: &Place,
        at: NodeRunRef,
        attempt: u32,
        class: EffectClass,
        key: String,
        names: Names,
        began: Option<Timestamp>,
    ) -> Event {
        let failed = |error: ErrorInfo| Event::AttemptFailed { at: at.clone(), attempt, error };
        let Some(node) = place.graph.node(at.node) else {
            return failed(ErrorInfo::permanent("NODE_MISSING", "the definition has no such node"));
        };
        let timeout = node.patience.timeout;
        let is_call = class != EffectClass::Pure;
        let trace = place.trace.as_ref().filter(|_| is_call);
        let span = AttemptSpan::begin(trace, &self.clock, node, &at.scope, attempt);
        let whole =
            AssertUnwindSafe(self.attempt_node(place, node, &at, attempt, class, key, &names, began)).catch_unwind();
        let fact = match tokio::time::timeout(timeout, whole).await {
            Ok(Ok(Ok(fact))) => fact,
            Ok(Ok(Err(error))) => failed(error),
            Ok(Err(_)) => failed(ErrorInfo::permanent(
                "NODE_PANICKED",
                format!("the node type {} panicked; this is a defect of the node type", node.r#type),
            )),
            Err(_) => failed(ErrorInfo::unknown(
                "ATTEMPT_TIMEOUT",
                format!("the attempt took longer than its timeout of {timeout:?}"),
            )),
        };
        if let Some(span) = span {
            span.end(&fact);
        }
        fact
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one attempt, used once")]
    async fn attempt_node(
        &self,
        place: &Place,
        node: &GraphNode,
        at: &NodeRunRef,
        attempt: u32,
        class: EffectClass,
        key: String,
        names: &Names,
        began: Option<Timestamp>,
    ) -> Result<Event, ErrorInfo> {
        if let Some(port) = &node.passes {
            let input = self.scope(place, names).await?.input;
            let output = self.keep(place, input.as_ref().clone()).await?;
            return Ok(Event::AttemptSucceeded { at: at.clone(), attempt, port: port.clone(), output });
        }
        let Some(node_type) = self.registry.get(&node.r#type) else {
            return Err(ErrorInfo::permanent(
                "NODE_TYPE_UNKNOWN",
                format!("this process has no node type {}", node.r#type),
            ));
        };
        let scope = self.scope(place, names).await?;
        let config = node.config.render(&scope, &mut Budget::default()).map_err(expression_failed)?;
        let trace = place.trace.as_ref().filter(|_| class != EffectClass::Pure);
        let trace = trace.and_then(|trace| trace.propagated(&node.key, &at.scope, attempt));
        let request = Attempt {
            run: place.run,
            node: node.key.clone(),
            scope: at.scope.clone(),
            number: attempt,
            idempotency_key: key,
            timeout: node.patience.timeout,
            config,
            input: scope.input.clone(),
            trace,
        };
        let outgoing = match class {
            EffectClass::Pure => self.egress.unused(),
            _ => self.egress.of(place.tenant.id).await.map_err(no_way_out)?,
        };
        let connection = self.connection(place, node).await?;
        let now = self.clock.now();
        let mut context = Context {
            now,
            began: began.unwrap_or(now),
            workspace: place.tenant.id,
            run: place.run,
            node: &node.key,
            artifacts: &self.artifacts,
            quotas: &self.quotas,
            scope: &scope,
            outgoing: &outgoing,
            connection,
        };
        let redactor = context.connection.as_ref().map(Redactor::of);
        let _clean_lines = redactor.as_ref().map(Redactor::watch);
        if class != EffectClass::Pure {
            crash::point("before_effect");
        }
        let mut outcome = node_type.execute(&context, &request).await;
        if class != EffectClass::Pure {
            crash::point("after_effect");
        }
        let learned = context.connection.take().map(|connection| connection.learned()).unwrap_or_default();
        // Before anything else sees what came back: a service may answer with what it was sent.
        if let Some(redactor) = redactor {
            redactor.outcome(&mut outcome);
        }
        if !learned.is_empty() {
            Redactor::of_values(learned.iter().map(SecretText::expose)).outcome(&mut outcome);
        }
        match outcome? {
            NodeOutcome::Done { port, output } => {
                let output = self.keep(place, output).await?;
                Ok(Event::AttemptSucceeded { at: at.clone(), attempt, port: port.into_owned(), output })
            }
            NodeOutcome::Wait(wait) => {
                let passes = self.keep(place, scope.input.as_ref().clone()).await?;
                let wait = match wait {
                    Wait::Until(until) => WaitFor { signal: None, until: Some(until), passes },
                    Wait::Signal { name, key, until } => {
                        WaitFor { signal: Some(SignalName { name, key }), until, passes }
                    }
                };
                Ok(Event::AttemptWaits { at: at.clone(), attempt, wait })
            }
        }
    }

    /// The connection that a node names, its secrets in the open until the attempt is over.
    async fn connection(&self, place: &Place, node: &GraphNode) -> Result<Option<Connection>, ErrorInfo> {
        let Some(name) = &node.connection else { return Ok(None) };
        let fits = self.registry.descriptor(&node.r#type).map_or(&[] as &[&str], |descriptor| descriptor.auth);
        Ok(Some(self.secrets.open_for_run(place.tenant.id, place.run, name, fits).await?))
    }

    /// Keeps a result. The effect has happened by now, so a store that fails leaves its outcome unknown.
    async fn keep(&self, place: &Place, value: Value) -> Result<ValueRef, ErrorInfo> {
        self.values.keep(&place.tenant, value).await.map_err(|error| match error {
            ValueError::TooLarge { .. } => ErrorInfo::permanent("VALUE_TOO_LARGE", error.to_string()),
            error => ErrorInfo::unknown("ARTIFACT_STORE_FAILED", format!("the result could not be kept: {error}")),
        })
    }

    async fn list_items(&self, place: &Place, node: NodeIx, names: &Names) -> Result<(u32, ValueRef), ErrorInfo> {
        let for_each = place.graph.node(node).and_then(|node| node.for_each.as_ref());
        let for_each =
            for_each.ok_or_else(|| ErrorInfo::permanent("NODE_MISSING", "the definition has no such for_each"))?;
        let scope = self.scope(place, names).await?;
        let items = for_each.items.render(&scope, &mut Budget::default()).map_err(expression_failed)?;
        let Value::Array(list) = &items else {
            let found = engine::value::ValueKind::of(&items);
            return Err(ErrorInfo::permanent(
                "ITEMS_NOT_A_LIST",
                format!("`for_each.items` gave a {found:?}, not a list"),
            ));
        };
        let most = ForEach::MOST_ITEMS;
        let count = u32::try_from(list.len()).ok().filter(|count| *count <= most).ok_or_else(|| {
            ErrorInfo::permanent(
                "TOO_MANY_ITEMS",
                format!("`for_each.items` gave {} items; at most {most} are taken", list.len()),
            )
        })?;
        Ok((count, self.keep(place, items).await?))
    }

    async fn collect(&self, place: &Place, ends: Vec<ItemEnd>) -> Result<ValueRef, ErrorInfo> {
        let mut outputs = Vec::with_capacity(ends.len());
        for end in ends {
            outputs.push(match end {
                ItemEnd::Output(output) => self.get(place, &output).await?.as_ref().clone(),
                ItemEnd::Error(error) => Value::Object(Map::from_iter([("error".to_owned(), error_value(&error))])),
                ItemEnd::Nothing => Value::Null,
            });
        }
        self.keep(place, Value::Array(outputs)).await
    }

    async fn output(&self, place: &Place, names: &Names, last: Vec<(String, ValueRef)>) -> Result<ValueRef, ErrorInfo> {
        let value = match &place.graph.output {
            Some(template) => {
                let scope = self.scope(place, names).await?;
                template.render(&scope, &mut Budget::default()).map_err(expression_failed)?
            }
            None if last.is_empty() => Value::Null,
            None => {
                let mut outputs = Map::new();
                for (key, output) in last {
                    outputs.insert(key, self.get(place, &output).await?.as_ref().clone());
                }
                Value::Object(outputs)
            }
        };
        self.keep(place, value).await
    }

    async fn get(&self, place: &Place, reference: &ValueRef) -> Result<Arc<Value>, ErrorInfo> {
        self.values.get(place.tenant.id, reference).await.map_err(|error| {
            ErrorInfo::transient("VALUE_UNAVAILABLE", format!("a value that the node reads cannot be had: {error}"))
        })
    }

    async fn scope(&self, place: &Place, names: &Names) -> Result<NodeScope, ErrorInfo> {
        let trigger = match &names.run_input {
            Some(input) => self.get(place, input).await?,
            None => Arc::new(Value::Null),
        };
        let mut outputs = Vec::with_capacity(names.nodes.len());
        for (key, output) in &names.nodes {
            outputs.push((key.clone(), self.get(place, output).await?));
        }
        let input = match &names.inputs {
            Some(inputs) => self.input(place, inputs).await?,
            None => trigger.clone(),
        };
        let item = match &names.item {
            Some((list, index)) => {
                Some(Item { list: self.get(place, list).await?, at: *index as usize, index: Value::from(*index) })
            }
            None => None,
        };
        let run = names.wants_run.then(|| {
            Value::Object(Map::from_iter([
                ("id".to_owned(), Value::from(place.run.to_string())),
                ("input".to_owned(), trigger.as_ref().clone()),
            ]))
        });
        let vars = match &names.vars {
            Some(vars) => self.get(place, vars).await?,
            None => Arc::new(Value::Object(Map::new())),
        };
        Ok(NodeScope { input, trigger, run: run.unwrap_or_default(), outputs, item, vars })
    }

    /// What arrives at a node's port.
    fn input<'a>(
        &'a self,
        place: &'a Place,
        inputs: &'a Inputs,
    ) -> futures::future::BoxFuture<'a, Result<Arc<Value>, ErrorInfo>> {
        async move {
            if !inputs.many {
                return match inputs.sources.first() {
                    Some((_, source)) => self.source(place, source).await,
                    None => Ok(Arc::new(Value::Null)),
                };
            }
            let mut by_source = Map::new();
            for (key, source) in &inputs.sources {
                by_source.insert(key.clone(), self.source(place, source).await?.as_ref().clone());
            }
            Ok(Arc::new(Value::Object(by_source)))
        }
        .boxed()
    }

    async fn source(&self, place: &Place, source: &Source) -> Result<Arc<Value>, ErrorInfo> {
        match source {
            Source::Output(output) => self.get(place, output).await,
            Source::Error(error, inputs) => {
                let input = self.input(place, inputs).await?;
                let fields = [("error".to_owned(), error_value(error)), ("input".to_owned(), input.as_ref().clone())];
                Ok(Arc::new(Value::Object(Map::from_iter(fields))))
            }
        }
    }
}

/// How many bytes of values a task reads.
fn weight(task: &Task) -> u64 {
    let sources = |inputs: &Inputs| -> u64 {
        inputs.sources.iter().map(|(_, source)| if let Source::Output(output) = source { output.len } else { 0 }).sum()
    };
    match task {
        Task::Attempt { class, names, .. } if *class == EffectClass::Pure && names.item.is_none() => {
            names.inputs.as_ref().map_or(0, sources) + names.nodes.iter().map(|(_, output)| output.len).sum::<u64>()
        }
        // An item of a large list reads one place in it, and a call mostly waits.
        Task::Attempt { .. } => 0,
        Task::ListItems { names, .. } | Task::Output { names, .. } => {
            names.nodes.iter().map(|(_, output)| output.len).sum::<u64>() + names.inputs.as_ref().map_or(0, sources)
        }
        Task::Collect { ends, .. } => {
            ends.iter().map(|end| if let ItemEnd::Output(output) = end { output.len } else { 0 }).sum()
        }
    }
}

/// An error as expressions see it.
fn error_value(error: &ErrorInfo) -> Value {
    serde_json::json!({"code": error.code, "message": error.message, "kind": error.kind, "node": error.node})
}

fn no_way_out(error: sea_orm::DbErr) -> ErrorInfo {
    let message = format!("nothing was called, because the workspace's list of hosts cannot be read: {error}");
    ErrorInfo::transient("OUTGOING_POLICY_UNREADABLE", message)
}

fn expression_failed(error: ExpressionError) -> ErrorInfo {
    let place = if error.path.is_empty() { String::new() } else { format!("at {}: ", error.path) };
    ErrorInfo::permanent(error.code.as_str(), format!("{place}{}", error.message))
}

/// What a node's expressions see.
struct NodeScope {
    input: Arc<Value>,
    trigger: Arc<Value>,
    run: Value,
    outputs: Vec<(String, Arc<Value>)>,
    item: Option<Item>,
    vars: Arc<Value>,
}

struct Item {
    list: Arc<Value>,
    at: usize,
    index: Value,
}

impl ExpressionScope for NodeScope {
    fn root(&self, name: &str) -> Option<&Value> {
        match name {
            "input" => Some(&self.input),
            "trigger" => Some(&self.trigger),
            "run" => Some(&self.run),
            "vars" => Some(&self.vars),
            "item" => self.item.as_ref().and_then(|item| item.list.get(item.at)),
            "index" => self.item.as_ref().map(|item| &item.index),
            _ => None,
        }
    }

    fn node_output(&self, key: &str) -> Option<&Value> {
        self.outputs.iter().find(|(name, _)| name == key).map(|(_, output)| output.as_ref())
    }
}

struct Context<'a> {
    now: Timestamp,
    began: Timestamp,
    workspace: WorkspaceId,
    quotas: &'a Quotas,
    scope: &'a NodeScope,
    outgoing: &'a Outgoing,
    connection: Option<Connection>,
    run: RunId,
    node: &'a str,
    artifacts: &'a Artifacts,
}

#[async_trait]
impl NodeContext for Context<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn began(&self) -> Timestamp {
        self.began
    }

    fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    fn scope(&self) -> &dyn ExpressionScope {
        self.scope
    }

    fn outgoing(&self) -> &Outgoing {
        self.outgoing
    }

    fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    fn files(&self) -> Arc<dyn Files> {
        let (workspace, run, node) = (self.workspace, self.run, self.node.to_owned());
        Arc::new(RunFiles { artifacts: self.artifacts.clone(), workspace, run, node })
    }

    async fn code_ceiling(&self) -> Result<CodeCeiling, ErrorInfo> {
        let quota = self.quotas.of(self.workspace).await.map_err(|error| {
            let message = format!("nothing was run, because the workspace's bounds cannot be read: {error}");
            ErrorInfo::transient("QUOTA_UNREADABLE", message)
        })?;
        Ok(CodeCeiling { time: quota.code_time, memory: quota.code_memory_bytes })
    }
}

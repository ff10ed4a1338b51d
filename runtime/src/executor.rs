//! Does a piece of work: reads the values it needs, puts expressions in, executes the node, keeps what comes out, and
//! says it all in one fact.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_trait::async_trait;
use engine::catalog::{Catalog as _, EffectClass};
use engine::definition::ForEach;
use engine::error::ErrorInfo;
use engine::expression::{Budget, ExpressionError, Extent, References, Scope as ExpressionScope};
use engine::graph::{Graph, GraphNode};
use engine::id::{RunId, WorkflowId, WorkspaceId};
use engine::run::event::{AttemptLog, Event, NodeIx, NodeRunRef, SignalName, WaitFor};
use engine::time::Timestamp;
use engine::value::ValueRef;
use futures::FutureExt;
use nodes::code::CodeCeiling;
use nodes::connection::{Connection, SecretText};
use nodes::file::Files;
use nodes::outgoing::Outgoing;
use nodes::{Attempt, LogLevel, NodeContext, NodeOutcome, Registry, Wait};
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
use crate::value::{Tenant, ValueError, Values, nothing};
use crate::work::{Inputs, ItemEnd, ItemOf, Names, Source, Task};

/// Items of a large list are read by so many bytes at once.
const AT_ONCE: u64 = 1024 * 1024;

mod told;

use self::told::Told;

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
        let failed = |error: ErrorInfo| Event::AttemptFailed { at: at.clone(), attempt, error, log: None };
        let Some(node) = place.graph.node(at.node) else {
            return failed(ErrorInfo::permanent("NODE_MISSING", "the definition has no such node"));
        };
        let timeout = node.patience.timeout;
        let is_call = class != EffectClass::Pure;
        let trace = place.trace.as_ref().filter(|_| is_call);
        let span = AttemptSpan::begin(trace, &self.clock, node, &at.scope, attempt);
        let told = Told::new(place.run, &node.key);
        let whole = AssertUnwindSafe(self.attempt_node(place, node, &at, attempt, class, key, &names, began, &told));
        let whole = whole.catch_unwind();
        let mut fact = match tokio::time::timeout(timeout, whole).await {
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
        if let Event::AttemptSucceeded { log, .. }
        | Event::AttemptFailed { log, .. }
        | Event::AttemptWaits { log, .. } = &mut fact
        {
            *log = self.log(place, &told).await;
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
        told: &Told<'_>,
    ) -> Result<Event, ErrorInfo> {
        let succeeded = |port, output| Event::AttemptSucceeded { at: at.clone(), attempt, port, output, log: None };
        if let Some(port) = &node.passes {
            return Ok(succeeded(port.clone(), self.arrived(place, names).await?));
        }
        let Some(node_type) = self.registry.get(&node.r#type) else {
            return Err(ErrorInfo::permanent(
                "NODE_TYPE_UNKNOWN",
                format!("this process has no node type {}", node.r#type),
            ));
        };
        let scope = self.scope(place, names, &node.references, node.reads_input).await?;
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
            redactor: connection.as_ref().map(Redactor::of),
            connection,
            told,
        };
        let redactor = context.redactor.clone();
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
            let redactor = Redactor::of_values(learned.iter().map(SecretText::expose));
            redactor.outcome(&mut outcome);
            told.clean(|line| redactor.text(line).into_owned());
        }
        match outcome? {
            NodeOutcome::Done { port, output } => Ok(succeeded(port.into_owned(), self.keep(place, output).await?)),
            NodeOutcome::Passed { port } => Ok(succeeded(port.into_owned(), self.arrived(place, names).await?)),
            NodeOutcome::Wait(wait) => {
                let passes = self.arrived(place, names).await?;
                let wait = match wait {
                    Wait::Until(until) => WaitFor { signal: None, until: Some(until), passes },
                    Wait::Signal { name, key, until } => {
                        WaitFor { signal: Some(SignalName { name, key }), until, passes }
                    }
                };
                Ok(Event::AttemptWaits { at: at.clone(), attempt, wait, log: None })
            }
        }
    }

    /// What an attempt wrote. Its result does not hang on it: lines that cannot be kept are counted as lost.
    async fn log(&self, place: &Place, told: &Told<'_>) -> Option<Box<AttemptLog>> {
        let told::Kept { lines, count, dropped } = told.kept()?;
        let (value, count, dropped) = match self.values.keep(&place.tenant, lines).await {
            Ok(value) => (value, count, dropped),
            Err(error) => {
                tracing::warn!(run.id = %place.run, "lines of an attempt could not be kept: {error}");
                let nothing = self.values.keep(&place.tenant, Value::Array(Vec::new())).await.ok()?;
                (nothing, 0, dropped.saturating_add(count.into()))
            }
        };
        Some(Box::new(AttemptLog { lines: value.into(), count, dropped }))
    }

    /// What arrived at a node, to be handed on. An output is handed on as it is, without reading it.
    async fn arrived(&self, place: &Place, names: &Names) -> Result<ValueRef, ErrorInfo> {
        let Some(inputs) = &names.inputs else { return self.keep(place, Value::Null).await };
        if let (false, [(_, Source::Output(output))]) = (inputs.many, inputs.sources.as_slice()) {
            return Ok(output.clone());
        }
        let input = self.input(place, inputs, &Extent::Whole).await?;
        self.keep(place, Arc::unwrap_or_clone(input)).await
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
        let scope = self.scope(place, names, for_each.items.references(), false).await?;
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
                let scope = self.scope(place, names, template.references(), false).await?;
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
        self.values.get(place.tenant.id, reference).await.map_err(unavailable)
    }

    async fn part(&self, place: &Place, reference: &ValueRef, extent: &Extent) -> Result<Arc<Value>, ErrorInfo> {
        self.values.part(place.tenant.id, reference, extent).await.map_err(unavailable)
    }

    /// What expressions that read no more than `references` see, and the whole input where the node's type looks at it.
    async fn scope(
        &self,
        place: &Place,
        names: &Names,
        references: &References,
        reads_input: bool,
    ) -> Result<NodeScope, ErrorInfo> {
        let run = references.of("run");
        let mut of_trigger = references.of("trigger");
        of_trigger.absorb(&run.of_member("input"));
        let mut of_input = references.of("input");
        if reads_input {
            of_input = Extent::Whole;
        }
        if names.inputs.is_none() {
            // The run's output has no input of its own; what started the run stands for it.
            of_trigger.absorb(&of_input);
        }
        let trigger = match &names.run_input {
            Some(input) => self.part(place, input, &of_trigger).await?,
            None => nothing(),
        };
        let mut outputs = Vec::with_capacity(references.nodes.len());
        for (key, output) in &names.nodes {
            if let Some(extent) = references.nodes.get(key) {
                outputs.push((key.clone(), self.part(place, output, extent).await?));
            }
        }
        let input = match &names.inputs {
            Some(_) if of_input.is_nothing() => nothing(),
            Some(inputs) => self.input(place, inputs, &of_input).await?,
            None => trigger.clone(),
        };
        let item = match &names.item {
            Some(item) => Some(self.item(place, item, &references.of("item")).await?),
            None => None,
        };
        let run = if run.is_nothing() {
            Value::Null
        } else {
            Value::Object(Map::from_iter([
                ("id".to_owned(), Value::from(place.run.to_string())),
                ("input".to_owned(), trigger.as_ref().clone()),
            ]))
        };
        let vars = match &names.vars {
            Some(vars) => self.part(place, vars, &references.of("vars")).await?,
            None => Arc::new(Value::Object(Map::new())),
        };
        Ok(NodeScope { input, trigger, run, outputs, item, vars })
    }

    /// One item of a list that a `for_each` goes through. Of a list that is too large to be kept, the items around it are
    /// read with it: theirs is the next question.
    async fn item(&self, place: &Place, item: &ItemOf, extent: &Extent) -> Result<Item, ErrorInfo> {
        let (list, at) = (&item.list, item.index as usize);
        let list = if extent.is_nothing() || self.values.keeps(list) {
            let whole = if extent.is_nothing() { extent } else { &Extent::Whole };
            self.part(place, list, whole).await?
        } else {
            let one = (list.len / u64::from(item.count.max(1))).max(1);
            let many = usize::try_from(AT_ONCE / one).unwrap_or(1).clamp(1, 1_024);
            let from = at - at % many;
            self.part(place, list, &extent.of_elements(from..from + many)).await?
        };
        Ok(Item { list, at, index: Value::from(item.index) })
    }

    /// What arrives at a node's port, as far as it is read.
    fn input<'a>(
        &'a self,
        place: &'a Place,
        inputs: &'a Inputs,
        extent: &'a Extent,
    ) -> futures::future::BoxFuture<'a, Result<Arc<Value>, ErrorInfo>> {
        async move {
            if !inputs.many {
                return match inputs.sources.first() {
                    Some((_, source)) => self.source(place, source, extent).await,
                    None => Ok(nothing()),
                };
            }
            let mut by_source = Map::new();
            for (key, source) in &inputs.sources {
                let value = self.source(place, source, &extent.of_member(key)).await?;
                by_source.insert(key.clone(), value.as_ref().clone());
            }
            Ok(Arc::new(Value::Object(by_source)))
        }
        .boxed()
    }

    async fn source(&self, place: &Place, source: &Source, extent: &Extent) -> Result<Arc<Value>, ErrorInfo> {
        match source {
            Source::Output(output) => self.part(place, output, extent).await,
            Source::Error(error, inputs) => {
                let input = self.input(place, inputs, &extent.of_member("input")).await?;
                let fields = [("error".to_owned(), error_value(error)), ("input".to_owned(), input.as_ref().clone())];
                Ok(Arc::new(Value::Object(Map::from_iter(fields))))
            }
        }
    }
}

fn unavailable(error: ValueError) -> ErrorInfo {
    ErrorInfo::transient("VALUE_UNAVAILABLE", format!("a value that the node reads cannot be had: {error}"))
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
    /// Takes the connection's secrets out of what is written down.
    redactor: Option<Redactor>,
    told: &'a Told<'a>,
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

    fn tell(&self, level: LogLevel, line: &str) {
        match &self.redactor {
            Some(redactor) => self.told.line(level, &redactor.text(line)),
            None => self.told.line(level, line),
        }
    }

    fn tell_lost(&self, lines: u64) {
        self.told.lost(lines);
    }

    async fn code_ceiling(&self) -> Result<CodeCeiling, ErrorInfo> {
        let quota = self.quotas.of(self.workspace).await.map_err(|error| {
            let message = format!("nothing was run, because the workspace's bounds cannot be read: {error}");
            ErrorInfo::transient("QUOTA_UNREADABLE", message)
        })?;
        Ok(CodeCeiling { time: quota.code_time, memory: quota.code_memory_bytes })
    }
}

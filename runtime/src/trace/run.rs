//! What is told of a run, its node runs and their attempts.

use std::sync::Arc;

use engine::drive::batch::NodeRunRow;
use engine::id::{RunId, VersionId, WorkflowId, WorkspaceId};
use engine::run::event::Event;
use engine::run::status::RunStatus;
use engine::scope::Scope;
use engine::time::Timestamp;
use nodes::Propagated;

use super::{
    Span, SpanId, SpanKind, TraceContext, TraceId, Tracer, span_of_attempt, span_of_node_run, span_of_run, trace_of_run,
};
use crate::clock::Clock;
use crate::figure::ending::RunEnd;
use crate::runtime::Mode;

/// What every span of a run says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) run: RunId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) workflow: WorkflowId,
    pub(crate) version: Option<VersionId>,
    pub(crate) mode: Mode,
    /// The run that it tries again.
    pub(crate) retry_of: Option<RunId>,
}

/// The trace that a run is in. It is made from what the run's row keeps, so every process that drives it has the same.
#[derive(Debug)]
pub(crate) struct RunTrace {
    tracer: Tracer,
    facts: Facts,
    /// Who asked for the run.
    asked: Option<TraceContext>,
    trace: TraceId,
    flags: u8,
}

impl Tracer {
    /// The trace of a run that was asked for within `asked`; `None` when there is nothing to tell and nothing to hand on.
    pub(crate) fn run(&self, facts: impl FnOnce() -> Facts, asked: Option<TraceContext>) -> Option<Arc<RunTrace>> {
        if !self.is_on() && asked.is_none() {
            return None;
        }
        let facts = facts();
        let trace = asked.as_ref().map_or_else(|| trace_of_run(facts.run.0), |asked| asked.trace);
        let flags = asked.as_ref().map_or_else(|| self.root_flags(trace), |asked| asked.flags);
        Some(Arc::new(RunTrace { tracer: self.clone(), facts, asked, trace, flags }))
    }
}

impl RunTrace {
    /// Whether its spans are sent.
    pub(crate) fn is_told(&self) -> bool {
        self.tracer.is_on() && self.flags & super::SAMPLED != 0
    }

    /// The run that it tries again.
    pub(crate) fn retry_of(&self) -> Option<RunId> {
        self.facts.retry_of
    }

    fn context(&self, span: SpanId) -> TraceContext {
        let state = self.asked.as_ref().and_then(|asked| asked.state.clone());
        TraceContext { trace: self.trace, span, flags: self.flags, state }
    }

    fn span(&self, id: SpanId, parent: Option<SpanId>, kind: SpanKind, name: String) -> Span {
        let Facts { run, workspace, workflow, version, mode, .. } = self.facts;
        let span = Span::new(&self.context(id), parent, kind, name)
            .with("flowforge.workspace.id", workspace.to_string())
            .with("flowforge.workflow.id", workflow.to_string())
            .with("flowforge.run.id", run.to_string())
            .with(
                "flowforge.run.mode",
                match mode {
                    Mode::Live => "LIVE",
                    Mode::Test => "TEST",
                },
            );
        match version {
            Some(version) => span.with("flowforge.version.id", version.to_string()),
            None => span,
        }
    }

    /// What a call to another service is sent under: the attempt's span, or whoever asked for the run when we tell nobody
    /// of it.
    pub(crate) fn propagated(&self, node: &str, scope: &Scope, attempt: u32) -> Option<Propagated> {
        let context = match self.tracer.is_on() {
            true => self.context(span_of_attempt(self.facts.run.0, node, scope, attempt)),
            false => self.asked.clone()?,
        };
        Some(Propagated { traceparent: context.traceparent(), tracestate: context.state.as_deref().map(str::to_owned) })
    }

    /// Tells of the node runs of a commit that settled after `since`.
    pub(crate) fn settled(&self, rows: &[NodeRunRow], since: Timestamp) {
        for row in rows.iter().filter(|row| row.reused_from.is_none()) {
            // What was skipped did not begin.
            let (Some(began), Some(ended)) = (row.started_at, row.finished_at.filter(|at| *at > since)) else {
                continue;
            };
            let run = self.facts.run.0;
            let parent = match row.scope.is_root() {
                true => span_of_run(run),
                false => span_of_node_run(run, &row.node, &Scope::ROOT),
            };
            let id = span_of_node_run(run, &row.node, &row.scope);
            let span = self
                .span(id, Some(parent), SpanKind::Internal, format!("node {}", row.node))
                .over(began, ended)
                .with("flowforge.node.key", row.node.clone())
                .with("flowforge.node.type", row.node_type.clone())
                .with("flowforge.node_run.status", row.status.as_str())
                .with("flowforge.node_run.attempts", u64::from(row.attempt));
            let span = of_item(span, &row.scope);
            self.tracer.send(match &row.error {
                Some(error) => span.failed(error.code.clone()),
                None => span,
            });
        }
    }

    /// Tells of the run, which has ended; `retried` is the trace of the run that it tried again.
    pub(crate) fn ended(&self, end: &RunEnd, retried: Option<TraceId>) {
        let id = span_of_run(self.facts.run.0);
        let parent = self.asked.as_ref().map(|asked| asked.span);
        let span = self
            .span(id, parent, SpanKind::Internal, "run".to_owned())
            .over(end.started_at, end.finished_at)
            .with("flowforge.run.status", end.status.as_str())
            .with("flowforge.run.node_runs", end.tally.node_runs)
            .with("flowforge.run.attempts", end.tally.attempts);
        let mut span = match (&end.error, end.status) {
            (_, RunStatus::Succeeded) => span,
            (Some(code), _) => span.failed(code.clone()),
            (None, status) => span.failed(status.as_str()),
        };
        span.link = retried.zip(self.facts.retry_of).map(|(trace, run)| (trace, span_of_run(run.0)));
        self.tracer.send(span);
    }
}

fn of_item(span: Span, scope: &Scope) -> Span {
    match scope.index() {
        Some(index) => span.with("flowforge.node_run.item", u64::from(index)),
        None => span,
    }
}

/// The trace of a run, as its row keeps who asked for it.
pub(crate) fn trace_of(run: RunId, asked: Option<TraceContext>) -> TraceId {
    asked.map_or_else(|| trace_of_run(run.0), |asked| asked.trace)
}

/// A call under way; told of when this is dropped, also when nobody waits for it any more.
pub(crate) struct AttemptSpan<'a> {
    trace: Arc<RunTrace>,
    clock: &'a Clock,
    node: &'a str,
    node_type: String,
    scope: Scope,
    attempt: u32,
    began: Timestamp,
    ended_as: &'static str,
    error: Option<String>,
}

impl<'a> AttemptSpan<'a> {
    /// Begins now; `None` when nobody is told.
    pub(crate) fn begin(
        trace: Option<&Arc<RunTrace>>,
        clock: &'a Clock,
        node: &'a engine::graph::GraphNode,
        scope: &Scope,
        attempt: u32,
    ) -> Option<Self> {
        let trace = trace.filter(|trace| trace.is_told())?.clone();
        Some(Self {
            trace,
            clock,
            node: &node.key,
            node_type: node.r#type.to_string(),
            scope: scope.clone(),
            attempt,
            began: clock.now(),
            ended_as: "ABANDONED",
            error: None,
        })
    }

    /// It has ended with this fact.
    pub(crate) fn end(mut self, fact: &Event) {
        match fact {
            Event::AttemptSucceeded { .. } => self.ended_as = "SUCCEEDED",
            Event::AttemptWaits { .. } => self.ended_as = "WAITING",
            Event::AttemptFailed { error, .. } => {
                self.ended_as = "FAILED";
                self.error = Some(error.code.clone());
            }
            // No other fact ends an attempt.
            _ => {}
        }
    }
}

impl Drop for AttemptSpan<'_> {
    fn drop(&mut self) {
        let run = self.trace.facts.run.0;
        let id = span_of_attempt(run, self.node, &self.scope, self.attempt);
        let parent = span_of_node_run(run, self.node, &self.scope);
        let span = self
            .trace
            .span(id, Some(parent), SpanKind::Client, format!("call {}", self.node))
            .over(self.began, self.clock.now())
            .with("flowforge.node.key", self.node.to_owned())
            .with("flowforge.node.type", std::mem::take(&mut self.node_type))
            .with("flowforge.attempt.number", u64::from(self.attempt))
            .with("flowforge.attempt.status", self.ended_as);
        let span = of_item(span, &self.scope);
        self.trace.tracer.send(match self.error.take() {
            Some(code) => span.failed(code),
            None => span,
        });
    }
}

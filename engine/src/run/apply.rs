//! What each event does to what is remembered of a run. Nothing else changes it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::event::{Event, NodeIx, NodeRunRef, Timer};
use super::state::{NodeRun, NodeRunChange as Change, NodeRunState as State};
use super::status::RunStatus;
use super::{Items, MOST_BUFFERED_SIGNALS, NodeState, Run, StepError};
use crate::catalog::{EffectClass, OUT};
use crate::error::ErrorInfo;
use crate::graph::Graph;
use crate::time::Timestamp;

/// How long effectful calls in flight may take to settle in a run that is ending.
pub(super) const SETTLE_FOR: Duration = Duration::from_secs(30);

impl Run {
    /// Records an event at its time.
    pub(super) fn apply(&mut self, graph: &Graph, at: Timestamp, event: &Event) -> Result<(), StepError> {
        self.seq += 1;
        self.operations += 1;
        self.last_at = self.last_at.max(at);
        match event {
            Event::RunCreated { trigger, input, origin, prepared, vars } => {
                self.input = Some(input.clone());
                self.trigger = Some(*trigger);
                self.origin = *origin;
                self.prepared = *prepared;
                self.vars = vars.as_ref().map(super::event::Kept::value);
                self.nodes = vec![NodeState::default(); graph.len()];
                self.open = graph.len();
                self.timers.extend(graph.timeout.map(|timeout| (at.plus(timeout), Timer::RunDeadline)));
            }
            Event::Reused { .. }
            | Event::InputEdited { .. }
            | Event::KeysRenewed { .. }
            | Event::KeyInherited { .. }
            | Event::LeftOut { .. } => self.prepare(at, event)?,
            Event::RunStarted => self.started_at = Some(at),
            Event::RunRecovered { .. } | Event::CancelRequested { .. } | Event::UncertainResolved { .. } => {}
            Event::RunReleased { unbegun } => {
                for node_run in unbegun {
                    self.change(node_run, at, Change::HandBack)?;
                }
            }
            Event::AttemptSucceeded { at: node_run, port, output, .. }
            | Event::NodeSucceeded { at: node_run, port, output } => {
                self.take_signal(node_run, port);
                self.change(node_run, at, Change::Succeed { port: port.clone(), output: output.clone() })?;
            }
            Event::AttemptFailed { at: node_run, error, .. } => {
                let node_run = self.node_run_mut(node_run)?;
                node_run.error = Some(error.clone());
                node_run.failures += 1;
            }
            Event::AttemptWaits { at: node_run, wait, .. } => {
                self.timers.extend(wait.until.map(|until| (until, Timer::WaitDue(node_run.clone()))));
                if let Some(signal) = &wait.signal {
                    self.waits.entry(signal.clone()).or_default().push_back(node_run.clone());
                }
                self.change(node_run, at, Change::Wait { wait: wait.clone() })?;
            }
            Event::ItemsListed { node, count, items } => {
                self.change(&NodeRunRef::root(*node), at, Change::Expand)?;
                self.node_mut(*node)?.items = Some(Box::new(Items {
                    list: items.clone(),
                    count: *count,
                    settled: 0,
                    runs: Vec::new(),
                    in_flight: BTreeSet::new(),
                    in_doubt: BTreeSet::new(),
                    failed: None,
                }));
            }
            Event::ItemsCollected { node, output } => {
                self.change(
                    &NodeRunRef::root(*node),
                    at,
                    Change::Succeed { port: OUT.to_owned(), output: output.clone() },
                )?;
            }
            Event::EvaluationFailed { node: Some(node), error } => {
                self.node_mut(*node)?.run.error = Some(error.clone())
            }
            Event::EvaluationFailed { node: None, .. } => self.evaluating_output = false,
            Event::OutputEvaluated { output } => {
                self.evaluating_output = false;
                self.output = Some(output.clone());
            }
            Event::TimerFired { timer } => self.forget_timer(timer),
            Event::SignalReceived { signal, payload, kept } => {
                let payload = crate::value::ValueRef {
                    inline: payload.inline.clone().or_else(|| kept.clone()),
                    ..payload.clone()
                };
                if self.signals.len() >= MOST_BUFFERED_SIGNALS {
                    self.signals.pop_front();
                }
                self.signals.push_back((signal.clone(), payload));
            }
            Event::NodeStarted { at: node_run, attempt, generation, class } => {
                self.start(graph, at, node_run, (*attempt, *generation, *class))?
            }
            Event::NodeRetrying { at: node_run, due, .. } => {
                self.timers.insert((*due, Timer::RetryDue(node_run.clone())));
                self.change(node_run, at, Change::Retry { due: *due })?;
            }
            Event::NodeFailed { at: node_run, error } => {
                self.node_run_mut(node_run)?.error = Some(error.clone());
                self.change(node_run, at, Change::Fail)?;
            }
            Event::NodeSkipped { node } => self.change(&NodeRunRef::root(*node), at, Change::Skip)?,
            Event::NodeCanceled { at: node_run } => self.change(node_run, at, Change::Cancel)?,
            Event::NodeTimedOut { at: node_run } => {
                self.node_run_mut(node_run)?.error =
                    Some(ErrorInfo::permanent("DEADLINE_EXCEEDED", "the node's `deadline` passed"));
                self.change(node_run, at, Change::TimeOut)?;
            }
            Event::NodeUncertain { at: node_run, error } => {
                self.node_run_mut(node_run)?.error = Some(error.clone());
                self.change(node_run, at, Change::Doubt)?;
            }
            Event::RunEnding { verdict, error } => {
                self.ending = Some((*verdict, error.clone()));
                self.evaluating_output = false;
                self.timers.clear();
                self.timers.insert((at.plus(SETTLE_FOR), Timer::SettleDeadline));
            }
            Event::RunFinished { status, output, error } => self.finish(at, *status, output.clone(), error.clone()),
        }
        Ok(())
    }

    /// Takes what is known before the run begins.
    fn prepare(&mut self, at: Timestamp, event: &Event) -> Result<(), StepError> {
        self.prepared = self.prepared.saturating_sub(1);
        match event {
            Event::Reused { at: node_run, from, port, output } => {
                self.node_mut(node_run.node)?.reused = Some(*from);
                self.change(node_run, at, Change::Succeed { port: port.clone(), output: output.clone() })?;
            }
            Event::InputEdited { node, input } => {
                self.node_mut(*node)?;
                self.edited.insert(*node, input.value());
            }
            Event::KeysRenewed { nodes } => {
                for node in nodes {
                    self.node_mut(*node)?.renewed = true;
                }
            }
            Event::KeyInherited { at: node_run, generation } => {
                self.generations.insert(node_run.clone(), *generation);
            }
            Event::LeftOut { nodes, result } => {
                self.result = Some(*result);
                for node in nodes {
                    self.node_mut(*node)?.left_out = true;
                    self.change(&NodeRunRef::root(*node), at, Change::Skip)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(
        &mut self,
        at: Timestamp,
        status: RunStatus,
        output: Option<crate::value::ValueRef>,
        error: Option<ErrorInfo>,
    ) {
        self.finished = Some(status);
        self.finished_at = Some(at);
        self.output = output;
        self.error = error;
        self.timers.clear();
        self.waits.clear();
        self.signals.clear();
    }

    fn start(
        &mut self,
        graph: &Graph,
        at: Timestamp,
        node_run: &NodeRunRef,
        (attempt, generation, class): (u32, u32, EffectClass),
    ) -> Result<(), StepError> {
        if node_run.scope.is_root() && self.node_mut(node_run.node)?.run.started_at.is_none() {
            let deadline =
                graph.node(node_run.node).and_then(|node| node.patience.deadline).map(|deadline| at.plus(deadline));
            self.node_mut(node_run.node)?.deadline_at = deadline;
            self.timers.extend(deadline.map(|due| (due, Timer::NodeDeadline(node_run.clone()))));
        }
        if let Some(index) = node_run.scope.index() {
            self.begin_item(node_run, index)?;
        }
        let run = self.node_run_mut(node_run)?;
        run.attempt = attempt;
        run.generation = generation;
        run.started_at = run.started_at.or(Some(at));
        let change = if attempt == 0 { Change::List } else { Change::Start { class } };
        self.change(node_run, at, change)
    }

    fn begin_item(&mut self, node_run: &NodeRunRef, index: u32) -> Result<(), StepError> {
        let items =
            self.node_mut(node_run.node)?.items.as_mut().ok_or_else(|| StepError::UnknownNodeRun(node_run.clone()))?;
        if index as usize == items.runs.len() && index < items.count {
            items.runs.push(NodeRun::default());
        }
        items.in_doubt.remove(&index);
        items.in_flight.insert(index);
        Ok(())
    }

    /// The only caller of [`State::next`]; keeps the counters that follow from states.
    pub(super) fn change(&mut self, at: &NodeRunRef, now: Timestamp, change: Change) -> Result<(), StepError> {
        self.operations += 1;
        let node_run = self.node_run_mut(at)?;
        let before = std::mem::replace(&mut node_run.state, State::Pending);
        let (was_active, was_final) = (before.is_active(), before.is_final());
        let (due, waited_for) = match &before {
            State::Retrying { due } => (Some((*due, Timer::RetryDue(at.clone()))), None),
            State::Waiting { wait } => {
                (wait.until.map(|until| (until, Timer::WaitDue(at.clone()))), wait.signal.clone())
            }
            _ => (None, None),
        };
        let after = before.next(change)?;
        let (is_active, is_final) = (after.is_active(), after.is_final());
        let is_uncertain = matches!(after, State::Uncertain);
        node_run.state = after;
        if is_final {
            node_run.finished_at = Some(now);
        }
        self.active = self.active + usize::from(is_active) - usize::from(was_active);
        if let Some(timer) = due {
            self.timers.remove(&timer);
        }
        if let Some(signal) = waited_for {
            self.stop_waiting(&signal, at);
        }
        match at.scope.index() {
            None if is_final && !was_final => {
                self.open -= 1;
                let deadline = self.node_mut(at.node)?.deadline_at.take();
                if let Some(deadline) = deadline {
                    self.timers.remove(&(deadline, Timer::NodeDeadline(at.clone())));
                }
            }
            None => {}
            Some(index) => self.item_changed(at.node, index, is_final && !was_final, is_uncertain)?,
        }
        Ok(())
    }

    fn item_changed(&mut self, node: NodeIx, index: u32, settles: bool, is_uncertain: bool) -> Result<(), StepError> {
        let node_run = || StepError::UnknownNodeRun(NodeRunRef::item(node, index));
        let items = self.node_mut(node)?.items.as_mut().ok_or_else(node_run)?;
        if settles || is_uncertain {
            items.in_flight.remove(&index);
        }
        if is_uncertain {
            items.in_doubt.insert(index);
        } else if settles {
            items.in_doubt.remove(&index);
            items.settled += 1;
        }
        Ok(())
    }

    fn stop_waiting(&mut self, signal: &super::event::SignalName, at: &NodeRunRef) {
        if let Some(waiting) = self.waits.get_mut(signal) {
            waiting.retain(|waiting| waiting != at);
            if waiting.is_empty() {
                self.waits.remove(signal);
            }
        }
    }

    /// A wait that ends by `out` with a signal uses that signal up.
    fn take_signal(&mut self, at: &NodeRunRef, port: &str) {
        let signal = match self.node_run(at).map(|run| &run.state) {
            Some(State::Waiting { wait }) if port == OUT => wait.signal.clone(),
            _ => None,
        };
        if let Some(place) = signal.and_then(|signal| self.signals.iter().position(|(kept, _)| *kept == signal)) {
            self.signals.remove(place);
        }
    }

    fn forget_timer(&mut self, timer: &Timer) {
        if let Some(entry) = self.timers.iter().find(|(_, armed)| armed == timer).cloned() {
            self.timers.remove(&entry);
        }
        if let Timer::NodeDeadline(at) = timer
            && let Ok(node) = self.node_mut(at.node)
        {
            node.deadline_at = None;
        }
    }

    pub(super) fn node_mut(&mut self, node: NodeIx) -> Result<&mut NodeState, StepError> {
        self.nodes.get_mut(node.0 as usize).ok_or_else(|| StepError::UnknownNodeRun(NodeRunRef::root(node)))
    }

    pub(super) fn node_run_mut(&mut self, at: &NodeRunRef) -> Result<&mut NodeRun, StepError> {
        let unknown = || StepError::UnknownNodeRun(at.clone());
        let node = self.node_mut(at.node)?;
        match at.scope.index() {
            None => Ok(&mut node.run),
            Some(index) => node.items.as_mut().and_then(|items| items.runs.get_mut(index as usize)).ok_or_else(unknown),
        }
    }
}

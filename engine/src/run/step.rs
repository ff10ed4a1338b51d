//! `(definition, run, fact) -> decision`: what a run does next.

use std::collections::VecDeque;

use super::event::{Event, NodeIx, NodeRunRef, Resolution, SignalName, Timer};
use super::state::{NodeRunChange as Change, NodeRunState as State};
use super::status::RunStatus;
use super::{Run, StepError};
use crate::catalog::{ERROR, EffectClass, OUT};
use crate::definition::{Join, OnItemError, OnUncertain};
use crate::error::{ErrorInfo, ErrorKind};
use crate::graph::{Graph, GraphNode};
use crate::time::Timestamp;
use crate::value::ValueRef;

/// What a run asks its driver to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Put the config's expressions in and execute the node.
    Attempt {
        /// Which node run.
        at: NodeRunRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// Part of the idempotency key.
        generation: u32,
        /// What a repeat may do: anything but pure waits until its start is durable.
        class: EffectClass,
    },
    /// Evaluate the item list of a `for_each`; pure.
    ListItems {
        /// The node.
        node: NodeIx,
    },
    /// Put the outputs of a `for_each` together; pure.
    Collect {
        /// The node.
        node: NodeIx,
    },
    /// Evaluate the run's output; pure.
    Output,
    /// Stop what is under way; its result no longer matters.
    Abort {
        /// Which node run.
        at: NodeRunRef,
    },
    /// Stop evaluating the run's output.
    AbortOutput,
}

/// What followed from a fact: the fact itself and the decisions after it, in journal order. Empty when the fact came
/// too late to matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What to journal.
    pub events: Vec<Event>,
    /// What to do.
    pub effects: Vec<Effect>,
}

/// Takes one fact and decides what follows. Costs O(1) amortized over the events of a run.
///
/// # Errors
/// Only for a defect, or when the journal was written under other rules or for another definition.
pub fn step(graph: &Graph, run: &mut Run, at: Timestamp, fact: Event) -> Result<Decision, StepError> {
    if !fact.is_fact() {
        return Err(StepError::NotAFact(Box::new(fact)));
    }
    let at = at.max(run.last_at);
    let mut stepper = Stepper { graph, run, at, decision: Decision::default(), settled: VecDeque::new() };
    if stepper.is_stale(&fact) {
        return Ok(Decision::default());
    }
    stepper.emit(fact.clone())?;
    stepper.decide(fact)?;
    stepper.propagate()?;
    stepper.finish_if_done()?;
    Ok(stepper.decision)
}

struct Stepper<'a> {
    graph: &'a Graph,
    run: &'a mut Run,
    at: Timestamp,
    decision: Decision,
    /// Root node runs that settled and whose outgoing edges are still to be followed.
    settled: VecDeque<NodeIx>,
}

impl Stepper<'_> {
    fn emit(&mut self, event: Event) -> Result<(), StepError> {
        self.run.apply(self.graph, self.at, &event)?;
        self.decision.events.push(event);
        Ok(())
    }

    fn node(&self, node: NodeIx) -> Result<&GraphNode, StepError> {
        self.graph.node(node).ok_or_else(|| StepError::UnknownNodeRun(NodeRunRef::root(node)))
    }

    fn state(&self, at: &NodeRunRef) -> Option<&State> {
        self.run.node_run(at).map(|run| &run.state)
    }

    /// Whether the fact answers a question that nobody asks any more.
    fn is_stale(&self, fact: &Event) -> bool {
        if self.run.is_finished() {
            return true;
        }
        let is_current = |at: &NodeRunRef, attempt: u32| {
            self.run
                .node_run(at)
                .is_some_and(|run| run.attempt == attempt && matches!(run.state, State::Running { .. }))
        };
        let root = |node: NodeIx| self.state(&NodeRunRef::root(node));
        match fact {
            Event::RunCreated { .. } => self.run.seq > 0,
            fact if fact.is_preparation() => self.run.prepared == 0,
            Event::AttemptSucceeded { at, attempt, .. }
            | Event::AttemptFailed { at, attempt, .. }
            | Event::AttemptWaits { at, attempt, .. } => !is_current(at, *attempt),
            Event::ItemsListed { node, .. } => root(*node) != Some(&State::Listing),
            Event::ItemsCollected { node, .. } => root(*node) != Some(&State::Collecting),
            Event::EvaluationFailed { node: Some(node), .. } => {
                !matches!(root(*node), Some(State::Listing | State::Collecting))
            }
            Event::EvaluationFailed { node: None, .. } | Event::OutputEvaluated { .. } => !self.run.evaluating_output,
            Event::TimerFired { timer } => self.run.due(self.at).as_ref() != Some(timer),
            Event::SignalReceived { .. } => self.run.ending.is_some(),
            Event::UncertainResolved { at, .. } => {
                self.run.ending.is_some() || self.state(at) != Some(&State::Uncertain)
            }
            _ => false,
        }
    }

    fn decide(&mut self, fact: Event) -> Result<(), StepError> {
        match fact {
            Event::RunCreated { .. } => self.begin_if_prepared(),
            fact if fact.is_preparation() => self.begin_if_prepared(),
            Event::RunRecovered { .. } => self.recover(),
            Event::AttemptSucceeded { at, .. } => self.settle(&at),
            Event::AttemptFailed { at, error, .. } => self.attempt_failed(&at, error),
            Event::AttemptWaits { at, .. } if self.run.ending.is_some() => self.emit(Event::NodeCanceled { at }),
            Event::AttemptWaits { wait, .. } => wait.signal.map_or(Ok(()), |signal| self.give_signal(&signal)),
            Event::ItemsListed { node, .. } => self.next_items(node),
            Event::ItemsCollected { node, .. } => self.settle(&NodeRunRef::root(node)),
            Event::EvaluationFailed { node: Some(node), error } => {
                let error = error.at_node(&self.node(node)?.key);
                self.fail(NodeRunRef::root(node), error)
            }
            Event::EvaluationFailed { node: None, error } => self.end(RunStatus::Failed, error),
            Event::OutputEvaluated { output } => self.succeed_run(Some(output)),
            Event::TimerFired { timer } => self.timer_fired(timer),
            Event::SignalReceived { signal, .. } => self.give_signal(&signal),
            Event::CancelRequested { by, reason, force } => self.cancel(&by, &reason, force),
            Event::UncertainResolved { at, resolution, .. } => self.resolve(at, resolution),
            // A run that is handed back does nothing until somebody takes it; decisions were refused before.
            _ => Ok(()),
        }
    }

    /// Begins once everything is known that the run was created with.
    fn begin_if_prepared(&mut self) -> Result<(), StepError> {
        match (self.run.prepared, self.run.trigger, self.run.input.clone()) {
            (0, Some(trigger), Some(input)) => self.begin(trigger, input),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, trigger: NodeIx, input: ValueRef) -> Result<(), StepError> {
        self.emit(Event::RunStarted)?;
        let triggers: Vec<NodeIx> = self.graph.nodes().filter(|(_, node)| node.is_trigger).map(|(ix, _)| ix).collect();
        for node in triggers {
            let at = NodeRunRef::root(node);
            if self.state(&at) != Some(&State::Pending) {
                // Known before; its edges are followed below.
            } else if node == trigger {
                self.emit(Event::NodeSucceeded { at, port: OUT.to_owned(), output: input.clone() })?;
                self.settled.push_back(node);
            } else {
                self.emit(Event::NodeSkipped { node })?;
                self.settled.push_back(node);
            }
        }
        let known: Vec<NodeIx> = self.graph.nodes().map(|(ix, _)| ix).filter(|ix| self.run.is_known(*ix)).collect();
        self.settled.extend(known);
        for node in self.run.edited.keys().copied().collect::<Vec<_>>() {
            if self.state(&NodeRunRef::root(node)) == Some(&State::Pending) {
                self.start(node)?;
            }
        }
        Ok(())
    }

    /// Follows the edges out of every settled node; what becomes ready starts, what cannot be reached is skipped.
    fn propagate(&mut self) -> Result<(), StepError> {
        while let Some(source) = self.settled.pop_front() {
            if self.run.ending.is_some() {
                continue;
            }
            let failed = matches!(self.state(&NodeRunRef::root(source)), Some(State::Failed | State::TimedOut));
            if failed && !self.handles_error(source)? {
                let error = self.run.node_run(&NodeRunRef::root(source)).and_then(|run| run.error.clone());
                let error = error.unwrap_or_else(|| ErrorInfo::permanent("NODE_FAILED", "the node failed"));
                let key = self.node(source)?.key.clone();
                self.end(RunStatus::Failed, error.at_node(&key))?;
                continue;
            }
            let graph = self.graph;
            let edges = graph.node(source).map_or(&[][..], |node| &node.outgoing);
            for edge in edges {
                self.run.operations += 1;
                let taken = self.run.is_taken(source, &edge.port);
                let target = self.run.node_mut(edge.target)?;
                target.settled_in += 1;
                target.taken_in += usize::from(taken);
                self.consider(edge.target)?;
            }
        }
        Ok(())
    }

    /// Whether a failure has somewhere to go that is not left out.
    fn handles_error(&self, node: NodeIx) -> Result<bool, StepError> {
        let mut edges = self.node(node)?.outgoing.iter();
        Ok(edges.any(|edge| edge.port == ERROR && !self.run.is_left_out(edge.target)))
    }

    /// Starts or skips a node when its join says so.
    fn consider(&mut self, node: NodeIx) -> Result<(), StepError> {
        let graph_node = self.node(node)?;
        let all = graph_node.incoming.len();
        let join = graph_node.join;
        let state = self.run.node_mut(node)?;
        if state.run.state != State::Pending {
            return Ok(());
        }
        let settled = state.settled_in == all;
        let ready = match join {
            Join::All => settled && state.taken_in > 0,
            Join::Any => state.taken_in > 0,
        };
        if ready {
            self.start(node)
        } else if settled {
            self.emit(Event::NodeSkipped { node })?;
            self.settled.push_back(node);
            Ok(())
        } else {
            Ok(())
        }
    }

    fn start(&mut self, node: NodeIx) -> Result<(), StepError> {
        if self.node(node)?.for_each.is_some() {
            let at = NodeRunRef::root(node);
            self.emit(Event::NodeStarted { at, attempt: 0, generation: 0, class: EffectClass::Pure })?;
            self.decision.effects.push(Effect::ListItems { node });
            return Ok(());
        }
        let at = NodeRunRef::root(node);
        let generation = self.run.first_generation(&at);
        self.start_attempt(at, 1, generation)
    }

    fn start_attempt(&mut self, at: NodeRunRef, attempt: u32, generation: u32) -> Result<(), StepError> {
        let class = self.node(at.node)?.class;
        self.emit(Event::NodeStarted { at: at.clone(), attempt, generation, class })?;
        self.decision.effects.push(Effect::Attempt { at, attempt, generation, class });
        Ok(())
    }

    /// A node run has just become final.
    fn settle(&mut self, at: &NodeRunRef) -> Result<(), StepError> {
        match at.scope.index() {
            None => {
                self.settled.push_back(at.node);
                Ok(())
            }
            Some(index) => self.item_settled(at.node, index),
        }
    }

    fn fail(&mut self, at: NodeRunRef, error: ErrorInfo) -> Result<(), StepError> {
        self.emit(Event::NodeFailed { at: at.clone(), error })?;
        self.settle(&at)
    }

    fn attempt_failed(&mut self, at: &NodeRunRef, error: ErrorInfo) -> Result<(), StepError> {
        let node = self.node(at.node)?;
        let in_doubt = error.kind == ErrorKind::Unknown && node.class == EffectClass::Effectful;
        let error = error.at_node(&node.key);
        if self.run.ending.is_some() {
            return if in_doubt {
                self.emit(Event::NodeUncertain { at: at.clone(), error })
            } else {
                self.fail(at.clone(), error)
            };
        }
        if in_doubt && node.on_uncertain == OnUncertain::Park {
            return self.doubt(at.clone(), error);
        }
        let repeatable = node.class != EffectClass::Effectful || node.on_uncertain == OnUncertain::Retry;
        let fresh_key = node.fresh_key_after_answer && error.kind == ErrorKind::Transient;
        let retry = &node.patience.retry;
        let run = self.run.node_run(at).ok_or_else(|| StepError::UnknownNodeRun(at.clone()))?;
        let (attempt, failures, generation) = (run.attempt, run.failures, run.generation);
        let jitter = jitter(self.run.id.0, at, attempt);
        let delay =
            retry.covers(&error, repeatable).then(|| retry.delay_after(failures, error.retry_after, jitter)).flatten();
        match delay {
            Some(delay) => {
                if fresh_key {
                    self.run.node_run_mut(at)?.generation = generation + 1;
                }
                let due = self.at.plus(delay);
                self.emit(Event::NodeRetrying { at: at.clone(), next_attempt: attempt + 1, due })
            }
            None => self.fail(at.clone(), error),
        }
    }

    /// Parks a node run for a person. The rest of the run goes on.
    fn doubt(&mut self, at: NodeRunRef, error: ErrorInfo) -> Result<(), StepError> {
        self.emit(Event::NodeUncertain { at: at.clone(), error })?;
        if !at.scope.is_root() { self.after_item(at.node) } else { Ok(()) }
    }

    fn resolve(&mut self, at: NodeRunRef, resolution: Resolution) -> Result<(), StepError> {
        match resolution {
            Resolution::Retry => {
                let (attempt, generation) = self.run.node_run(&at).map_or((0, 0), |run| (run.attempt, run.generation));
                self.start_attempt(at, attempt + 1, generation)
            }
            Resolution::Succeed { output } => {
                self.emit(Event::NodeSucceeded { at: at.clone(), port: OUT.to_owned(), output })?;
                self.settle(&at)
            }
            Resolution::Fail => {
                let error = self.run.node_run(&at).and_then(|run| run.error.clone());
                self.fail(
                    at,
                    error.unwrap_or_else(|| ErrorInfo::permanent("RESOLVED_AS_FAILED", "a person said that it failed")),
                )
            }
        }
    }

    fn timer_fired(&mut self, timer: Timer) -> Result<(), StepError> {
        match timer {
            Timer::RunDeadline => {
                let error =
                    ErrorInfo::permanent("RUN_TIMEOUT", "the run took longer than its workflow's `settings.timeout`");
                self.end(RunStatus::TimedOut, error)
            }
            Timer::SettleDeadline => self.give_up_waiting(),
            Timer::RetryDue(at) => {
                let (attempt, generation) = self.run.node_run(&at).map_or((0, 0), |run| (run.attempt, run.generation));
                self.start_attempt(at, attempt + 1, generation)
            }
            Timer::WaitDue(at) => {
                let Some(State::Waiting { wait }) = self.state(&at) else { return Ok(()) };
                let port = if wait.signal.is_some() { "timeout" } else { OUT };
                let output = wait.passes.clone();
                self.emit(Event::NodeSucceeded { at: at.clone(), port: port.to_owned(), output })?;
                self.settle(&at)
            }
            Timer::NodeDeadline(at) => self.node_deadline(at),
        }
    }

    fn node_deadline(&mut self, at: NodeRunRef) -> Result<(), StepError> {
        let error = ErrorInfo::unknown("DEADLINE_EXCEEDED", "the node's `deadline` passed while a call was in flight");
        let class = self.node(at.node)?.class;
        self.stop_items(at.node, true)?;
        match self.state(&at) {
            Some(State::Running { .. }) if class == EffectClass::Effectful => {
                self.decision.effects.push(Effect::Abort { at: at.clone() });
                match self.node(at.node)?.on_uncertain {
                    OnUncertain::Park => self.doubt(at, error),
                    OnUncertain::Retry | OnUncertain::Fail => self.fail(at, error),
                }
            }
            Some(state) if !state.is_final() && *state != State::Pending && *state != State::Uncertain => {
                if state.is_active() {
                    self.decision.effects.push(Effect::Abort { at: at.clone() });
                }
                self.emit(Event::NodeTimedOut { at: at.clone() })?;
                self.settle(&at)
            }
            _ => Ok(()),
        }
    }

    /// Hands kept signals to waits of that name, oldest to oldest.
    fn give_signal(&mut self, signal: &SignalName) -> Result<(), StepError> {
        let Some(at) = self.run.waits.get(signal).and_then(|waiting| waiting.front()).cloned() else { return Ok(()) };
        let Some(payload) =
            self.run.signals.iter().find(|(kept, _)| kept == signal).map(|(_, payload)| payload.clone())
        else {
            return Ok(());
        };
        self.emit(Event::NodeSucceeded { at: at.clone(), port: OUT.to_owned(), output: payload })?;
        self.settle(&at)
    }

    fn cancel(&mut self, by: &str, reason: &str, force: bool) -> Result<(), StepError> {
        let again = self.run.ending.is_some();
        if !again {
            let why =
                if reason.is_empty() { format!("canceled by {by}") } else { format!("canceled by {by}: {reason}") };
            self.end(RunStatus::Canceled, ErrorInfo::permanent("CANCELED", why))?;
        }
        if again || force { self.give_up_waiting() } else { Ok(()) }
    }

    /// Nothing new starts; what can be stopped is stopped; effectful calls in flight may settle.
    fn end(&mut self, verdict: RunStatus, error: ErrorInfo) -> Result<(), StepError> {
        if self.run.ending.is_some() {
            return Ok(());
        }
        if self.run.evaluating_output {
            self.decision.effects.push(Effect::AbortOutput);
        }
        self.emit(Event::RunEnding { verdict, error })?;
        for node in (0..self.run.nodes.len()).filter_map(|ix| u32::try_from(ix).ok()).map(NodeIx) {
            self.run.operations += 1;
            self.stop_items(node, false)?;
            self.stop(NodeRunRef::root(node), false)?;
        }
        Ok(())
    }

    /// Calls still in flight had their time, or nobody wants to wait for them: their outcome stays unknown.
    fn give_up_waiting(&mut self) -> Result<(), StepError> {
        let under_way: Vec<NodeRunRef> = self.run.under_way().collect();
        for at in under_way {
            self.stop(at, true)?;
        }
        Ok(())
    }

    /// Stops one node run. An effectful call in flight cannot be taken back: it goes on, or with `give_up` stays in doubt.
    fn stop(&mut self, at: NodeRunRef, give_up: bool) -> Result<(), StepError> {
        match self.state(&at) {
            Some(State::Running { class: EffectClass::Effectful, unbegun: false }) => {
                if give_up {
                    let error = ErrorInfo::unknown("OUTCOME_UNKNOWN", "the run ended while this call was in flight");
                    self.decision.effects.push(Effect::Abort { at: at.clone() });
                    self.emit(Event::NodeUncertain { at, error })?;
                }
                Ok(())
            }
            Some(State::Running { .. } | State::Listing | State::Collecting) => {
                self.decision.effects.push(Effect::Abort { at: at.clone() });
                self.emit(Event::NodeCanceled { at })
            }
            Some(State::Waiting { .. } | State::Retrying { .. } | State::Expanded) => {
                self.emit(Event::NodeCanceled { at })
            }
            Some(
                State::Pending
                | State::Uncertain
                | State::Succeeded { .. }
                | State::Failed
                | State::Skipped
                | State::Canceled
                | State::TimedOut,
            )
            | None => Ok(()),
        }
    }

    fn stop_items(&mut self, node: NodeIx, give_up: bool) -> Result<(), StepError> {
        let in_flight: Vec<u32> =
            self.run.node_mut(node)?.items.iter().flat_map(|items| items.in_flight.iter().copied()).collect();
        for index in in_flight {
            self.run.operations += 1;
            self.stop(NodeRunRef::item(node, index), give_up)?;
        }
        Ok(())
    }

    fn item_settled(&mut self, node: NodeIx, index: u32) -> Result<(), StepError> {
        let policy = self.node(node)?.for_each.as_ref().map_or(OnItemError::Fail, |for_each| for_each.on_item_error);
        let at = NodeRunRef::item(node, index);
        let error = match self.run.node_run(&at) {
            Some(run) if run.state == State::Failed && policy == OnItemError::Fail => run.error.clone(),
            _ => None,
        };
        let mut stops = false;
        if let (Some(error), Some(items)) = (error, self.run.node_mut(node)?.items.as_mut())
            && items.failed.is_none()
        {
            items.failed = Some(ErrorInfo { message: format!("item {index}: {}", error.message), ..error });
            stops = true;
        }
        if stops && self.run.ending.is_none() {
            self.stop_items(node, false)?;
        }
        self.after_item(node)
    }

    /// Goes on with a `for_each` after an item settled or came into doubt.
    fn after_item(&mut self, node: NodeIx) -> Result<(), StepError> {
        if self.run.ending.is_some() || self.state(&NodeRunRef::root(node)) != Some(&State::Expanded) {
            return Ok(());
        }
        let failed = self
            .run
            .node_mut(node)?
            .items
            .as_ref()
            .and_then(|items| items.failed.clone().map(|error| (error, items.in_flight.is_empty())));
        match failed {
            None => self.next_items(node),
            Some((_, false)) => Ok(()),
            Some((error, true)) => {
                let error = error.at_node(&self.node(node)?.key);
                self.fail(NodeRunRef::root(node), error)
            }
        }
    }

    fn next_items(&mut self, node: NodeIx) -> Result<(), StepError> {
        let most = self.node(node)?.for_each.as_ref().map_or(1, |for_each| for_each.concurrency as usize);
        loop {
            let Some(items) = self.run.node_mut(node)?.items.as_ref() else { return Ok(()) };
            if items.settled == items.count {
                let at = self.at;
                self.run.change(&NodeRunRef::root(node), at, Change::Collect)?;
                self.decision.effects.push(Effect::Collect { node });
                return Ok(());
            }
            let next = u32::try_from(items.runs.len()).unwrap_or(u32::MAX);
            if next >= items.count || items.in_flight.len() >= most {
                return Ok(());
            }
            let at = NodeRunRef::item(node, next);
            let generation = self.run.first_generation(&at);
            self.start_attempt(at, 1, generation)?;
        }
    }

    /// A new driver goes on where the last one was lost.
    fn recover(&mut self) -> Result<(), StepError> {
        let under_way: Vec<NodeRunRef> = self.run.under_way().collect();
        for at in under_way {
            self.recover_node_run(at)?;
        }
        if self.run.evaluating_output {
            self.decision.effects.push(Effect::Output);
        }
        Ok(())
    }

    fn recover_node_run(&mut self, at: NodeRunRef) -> Result<(), StepError> {
        let Some(run) = self.run.node_run(&at) else { return Ok(()) };
        let (attempt, generation) = (run.attempt, run.generation);
        let ending = self.run.ending.is_some();
        match run.state.clone() {
            State::Listing => self.decision.effects.push(Effect::ListItems { node: at.node }),
            State::Collecting => self.decision.effects.push(Effect::Collect { node: at.node }),
            State::Running { class: EffectClass::Pure, .. } => {
                self.decision.effects.push(Effect::Attempt { at, attempt, generation, class: EffectClass::Pure });
            }
            // Recorded again, so that a further loss finds it begun.
            State::Running { unbegun: true, .. } => self.start_attempt(at, attempt, generation)?,
            State::Running { class: EffectClass::Idempotent, .. } => self.start_attempt(at, attempt + 1, generation)?,
            State::Running { class: EffectClass::Effectful, .. } => {
                let node = self.node(at.node)?;
                let error = ErrorInfo::unknown("OUTCOME_UNKNOWN", "the process was lost while this call was in flight")
                    .at_node(&node.key);
                match node.on_uncertain {
                    _ if ending => self.emit(Event::NodeUncertain { at, error })?,
                    OnUncertain::Park => self.doubt(at, error)?,
                    OnUncertain::Retry => self.start_attempt(at, attempt + 1, generation)?,
                    OnUncertain::Fail => self.fail(at, error)?,
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn succeed_run(&mut self, output: Option<ValueRef>) -> Result<(), StepError> {
        self.emit(Event::RunFinished { status: RunStatus::Succeeded, output, error: None })
    }

    /// The verdict, once nothing is left to do.
    fn finish_if_done(&mut self) -> Result<(), StepError> {
        if self.run.is_finished() || self.run.is_active() {
            return Ok(());
        }
        if let Some((verdict, error)) = self.run.ending.clone() {
            return self.emit(Event::RunFinished { status: verdict, output: None, error: Some(error) });
        }
        if self.run.open > 0 || self.run.prepared > 0 || self.run.seq == 0 {
            return Ok(());
        }
        if let Some(node) = self.run.result {
            let output = self.run.output_of(node).cloned();
            return self.succeed_run(output);
        }
        let last = if self.graph.output.is_some() { None } else { self.only_last_output() };
        match last {
            Some(output) => self.succeed_run(Some(output)),
            None => {
                self.run.evaluating_output = true;
                self.decision.effects.push(Effect::Output);
                Ok(())
            }
        }
    }

    /// The output of the one node that ended the run, when there is exactly one.
    fn only_last_output(&self) -> Option<ValueRef> {
        let mut last = last_nodes(self.graph, self.run);
        let only = last.next()?;
        if last.next().is_some() { None } else { self.run.output_of(only).cloned() }
    }
}

/// The nodes that succeeded and from which no edge was taken: what a run's result is made of when the document does not
/// say it.
pub fn last_nodes<'a>(graph: &'a Graph, run: &'a Run) -> impl Iterator<Item = NodeIx> + 'a {
    graph.nodes().map(|(ix, _)| ix).filter(move |ix| {
        let ends = graph.node(*ix).is_some_and(|node| !node.outgoing.iter().any(|edge| run.is_taken(*ix, &edge.port)));
        ends && run.output_of(*ix).is_some()
    })
}

/// What an outside service recognizes a repeat by: the same for every attempt whose outcome nobody knows, and for a run
/// retried from another one.
pub fn effect_key(origin: uuid::Uuid, node: &str, scope: &crate::scope::Scope, generation: u32) -> String {
    use sha2::{Digest as _, Sha256};
    let identity = format!("{}/{node}/{scope}/{generation}", origin.simple());
    let digest = Sha256::digest(identity.as_bytes());
    let half: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("ffk-{half}")
}

/// A number that looks drawn and is the same on every replay (FNV-1a over the attempt's identity).
fn jitter(run: uuid::Uuid, at: &NodeRunRef, attempt: u32) -> u32 {
    let path = at.scope.path().iter().flat_map(|index| index.to_le_bytes());
    let bytes = run.into_bytes().into_iter().chain(at.node.0.to_le_bytes()).chain(path).chain(attempt.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The upper half is the well-mixed one.
    u32::try_from(hash >> 32).unwrap_or_default()
}

//! What a new run takes over from an earlier one: as facts that its journal begins with.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use uuid::Uuid;

use super::Run;
use super::event::{Event, NodeIx, NodeRunRef, ReusedFrom};
use super::state::NodeRunState as State;
use super::status::NodeRunStatus;
use crate::catalog::EffectClass;
use crate::error::ErrorKind;
use crate::graph::Graph;
use crate::id::RunId;
use crate::value::ValueRef;

mod retry;
mod test;

pub use retry::{Preparation, Retry};
pub use test::{EarlierTest, Fate, Part, Pin, Planned, TestPlan, TestRun};

/// Most nodes that one fact names, so that a fact always fits a record.
const MOST_NODES: usize = 4_000;

/// A run that has been, as its journal tells it.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// Its id.
    pub id: RunId,
    /// What it ran.
    pub graph: &'a Graph,
    /// How it ended.
    pub run: &'a Run,
}

/// Why a run cannot begin where it is asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReusable {
    /// What comes before differs, or did not succeed.
    #[error("{}", blocked(.changed, .unfinished, .at))]
    Upstream {
        /// Where the run was to begin.
        at: String,
        /// Nodes before it whose settings, type or inputs are not those of the earlier run.
        changed: Vec<String>,
        /// Nodes before it that did not succeed there, with what became of them.
        unfinished: Vec<(String, NodeRunStatus)>,
    },
    /// No path led there.
    #[error("no path led to `{0}` in the earlier run; begin at the node that decides, or give `{0}` an input")]
    NotReached(String),
    /// A single node's sources are not known.
    #[error(
        "`{at}` alone needs the output of {}: pin it, give `{at}` an input, or test up to `{at}`",
        listed(.missing)
    )]
    SourcesMissing {
        /// The node.
        at: String,
        /// What is not known.
        missing: Vec<String>,
    },
    /// It cannot run and be pinned.
    #[error("`{0}` is pinned; remove its pin to run it")]
    Pinned(String),
}

fn listed(keys: &[String]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

fn blocked(changed: &[String], unfinished: &[(String, NodeRunStatus)], at: &str) -> String {
    let mut parts = Vec::new();
    if !changed.is_empty() {
        parts.push(format!("{} changed since", listed(changed)));
    }
    if !unfinished.is_empty() {
        let ends: Vec<String> =
            unfinished.iter().map(|(key, status)| format!("`{key}` is {}", status.as_str())).collect();
        parts.push(format!("{} there", ends.join(", ")));
    }
    let first = changed.first().or_else(|| unfinished.first().map(|(key, _)| key)).map_or("", String::as_str);
    format!("the run cannot begin at `{at}`: {}; begin at `{first}` or before it", parts.join(" and "))
}

/// What a node will come to without running.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    /// It has this result.
    Result { port: String, output: ValueRef },
    /// No path leads to it, by what comes before it.
    Skipped,
}

/// What holds between an earlier run and the new one.
struct Between<'a> {
    earlier: Earlier<'a>,
    graph: &'a Graph,
    /// Keys of the nodes whose hashes are equal in both definitions.
    same: &'a BTreeSet<String>,
    trigger: NodeIx,
    same_input: bool,
    /// Whether `vars` is the same, or does not count.
    same_vars: bool,
    pins: &'a BTreeMap<NodeIx, Pin>,
}

impl Between<'_> {
    /// The nodes that will come to the same without running, when those of `run` do run: each with all that comes
    /// before it unchanged.
    fn known(&self, run: &BTreeSet<NodeIx>) -> BTreeMap<NodeIx, Known> {
        let mut known = BTreeMap::new();
        for node in in_order(self.graph) {
            let before = self.graph.node(node).map_or(&[][..], |node| &node.incoming);
            let is_settled = before.iter().all(|edge| known.contains_key(&edge.source));
            if is_settled && !run.contains(&node) {
                known.extend(self.outcome(node).map(|outcome| (node, outcome)));
            }
        }
        known
    }

    fn outcome(&self, node: NodeIx) -> Option<Known> {
        let key = &self.graph.node(node)?.key;
        let there = self.earlier.graph.find(key)?;
        if !self.same.contains(key) || self.earlier.run.is_left_out(there) {
            return None;
        }
        let is_trigger = self.graph.node(node)?.is_trigger;
        let reads_vars = self.graph.node(node)?.names("vars");
        match &self.earlier.run.node_run(&NodeRunRef::root(there))?.state {
            State::Skipped => Some(Known::Skipped),
            State::Succeeded { port, output } => {
                let result = Known::Result { port: port.clone(), output: output.clone() };
                let fits = match self.pins.get(&node) {
                    Some(pin) => pin.port == *port && pin.output == *output,
                    None if is_trigger => self.same_input && node == self.trigger,
                    None => {
                        self.earlier.run.reused_from(there) != Some(ReusedFrom::Pin) && (self.same_vars || !reads_vars)
                    }
                };
                fits.then_some(result)
            }
            _ => None,
        }
    }
}

/// The nodes, each after all that leads to it.
fn in_order(graph: &Graph) -> Vec<NodeIx> {
    let mut missing: Vec<usize> = graph.nodes().map(|(_, node)| node.incoming.len()).collect();
    let mut order: VecDeque<NodeIx> =
        graph.nodes().filter(|(_, node)| node.incoming.is_empty()).map(|(ix, _)| ix).collect();
    let mut found = Vec::with_capacity(graph.len());
    while let Some(node) = order.pop_front() {
        found.push(node);
        for edge in graph.node(node).map_or(&[][..], |node| &node.outgoing) {
            if let Some(count) = missing.get_mut(edge.target.0 as usize) {
                *count -= 1;
                if *count == 0 {
                    order.push_back(edge.target);
                }
            }
        }
    }
    found
}

/// A node and everything after it.
fn from_here_on(graph: &Graph, node: NodeIx) -> BTreeSet<NodeIx> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if found.insert(node) {
            open.extend(graph.node(node).into_iter().flat_map(|node| &node.outgoing).map(|edge| edge.target));
        }
    }
    found
}

/// A node and everything before it; nothing before what `stops` says is known.
fn up_to(graph: &Graph, node: NodeIx, stops: impl Fn(NodeIx) -> bool) -> BTreeSet<NodeIx> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        if found.insert(node) && !stops(node) {
            let Some(node) = graph.node(node) else { continue };
            open.extend(node.incoming.iter().map(|edge| edge.source).chain(node.reads.iter().copied()));
        }
    }
    found
}

fn reused(node: NodeIx, from: ReusedFrom, port: &str, output: &ValueRef) -> Event {
    Event::Reused { at: NodeRunRef::root(node), from, port: port.to_owned(), output: output.clone() }
}

fn key_of(graph: &Graph, node: NodeIx) -> String {
    graph.node(node).map(|node| node.key.clone()).unwrap_or_default()
}

/// The generation that a node run's key goes on with. As with attempts of one run: it rises only after a definite answer
/// of a type that wants a fresh key then.
fn next_generation(earlier: &Earlier<'_>, at: &NodeRunRef) -> u32 {
    let Some(run) = earlier.run.node_run(at) else { return 0 };
    let generation = if run.attempt == 0 { earlier.run.first_generation(at) } else { run.generation };
    let wants_fresh = earlier.graph.node(at.node).is_some_and(|node| node.fresh_key_after_answer);
    let was_answered =
        run.state == State::Failed && run.error.as_ref().is_some_and(|error| error.kind == ErrorKind::Transient);
    generation + u32::from(wants_fresh && was_answered)
}

/// Whether a repeat of the node is of any matter outside.
fn acts_outside(graph: &Graph, node: NodeIx) -> bool {
    graph.node(node).is_some_and(|node| node.class != EffectClass::Pure)
}

/// The keys that a run goes on with: those of an origin, save where a node does something else.
fn keys(earlier: &Earlier<'_>, graph: &Graph, runs: &[NodeIx], is_new: impl Fn(NodeIx) -> bool) -> Vec<Event> {
    let (renewed, inherited): (Vec<NodeIx>, Vec<NodeIx>) =
        runs.iter().copied().filter(|node| acts_outside(graph, *node)).partition(|node| is_new(*node));
    let mut facts: Vec<Event> =
        renewed.chunks(MOST_NODES).map(|nodes| Event::KeysRenewed { nodes: nodes.to_vec() }).collect();
    for node in inherited {
        let Some(there) = earlier.graph.find(&key_of(graph, node)) else { continue };
        let items = earlier.run.items_of(there).map_or(0, |(_, count)| count);
        let places = std::iter::once(crate::scope::Scope::ROOT).chain((0..items).map(crate::scope::Scope::item));
        for scope in places {
            let generation = next_generation(earlier, &NodeRunRef { node: there, scope: scope.clone() });
            if generation > 0 {
                facts.push(Event::KeyInherited { at: NodeRunRef { node, scope }, generation });
            }
        }
    }
    facts
}

/// What a retried run's keys are made from when it gets what its origin got.
fn inherited_origin(earlier: &Earlier<'_>) -> Uuid {
    earlier.run.origin()
}

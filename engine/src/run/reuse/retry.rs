//! A run tried again from one of its nodes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Between, Earlier, Known, NotReusable, from_here_on, inherited_origin, key_of, keys, reused, up_to};
use crate::graph::Graph;
use crate::run::event::{Event, NodeIx, NodeRunRef, ReusedFrom};
use crate::run::status::NodeRunStatus;
use crate::value::ValueRef;

/// What is to be tried again.
#[derive(Debug, Clone)]
pub struct Retry<'a> {
    /// The run that was.
    pub earlier: Earlier<'a>,
    /// The definition that is to run now; perhaps a newer one.
    pub graph: &'a Graph,
    /// Keys of the nodes whose hashes are equal in both definitions.
    pub same: &'a BTreeSet<String>,
    /// The trigger, in `graph`.
    pub trigger: NodeIx,
    /// The first node that runs; `None` and the trigger begin at the start.
    pub from: Option<NodeIx>,
    /// What that node gets instead of what leads to it; at the start, what the run gets.
    pub input: Option<ValueRef>,
}

/// How a new run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preparation {
    /// What its keys are made from; `None` for its own id.
    pub origin: Option<Uuid>,
    /// What it is given.
    pub input: ValueRef,
    /// What follows its creation in the journal.
    pub facts: Vec<Event>,
}

impl Retry<'_> {
    /// What the new run takes over: whatever succeeded, is unchanged with all before it, and does not come after the
    /// node that it begins at. Everything else runs.
    ///
    /// # Errors
    /// When something before the node cannot be taken over.
    pub fn prepare(&self) -> Result<Preparation, NotReusable> {
        let given = self.earlier.run.input().cloned();
        match (self.from.filter(|from| *from != self.trigger), given) {
            (Some(from), Some(given)) => self.prepare_from(from, given),
            (_, given) => Ok(self.prepare_start(given)),
        }
    }

    /// From the start nothing is taken over but the keys.
    fn prepare_start(&self, given: Option<ValueRef>) -> Preparation {
        let all: Vec<NodeIx> = self.graph.nodes().map(|(ix, _)| ix).collect();
        match (&self.input, given) {
            (None, Some(input)) => {
                let facts = keys(&self.earlier, self.graph, &all, |node| !self.is_same(node));
                Preparation { origin: Some(inherited_origin(&self.earlier)), input, facts }
            }
            (Some(input), _) => Preparation { origin: None, input: input.clone(), facts: Vec::new() },
            // A run without an input has never begun.
            (None, None) => {
                let (nothing, _) = ValueRef::of(&[], &serde_json::Value::Null);
                Preparation { origin: None, input: nothing, facts: Vec::new() }
            }
        }
    }

    fn prepare_from(&self, from: NodeIx, given: ValueRef) -> Result<Preparation, NotReusable> {
        let pins = BTreeMap::new();
        let between = Between {
            earlier: self.earlier,
            graph: self.graph,
            same: self.same,
            trigger: self.trigger,
            same_input: self.earlier.run.trigger().map(|there| key_of(self.earlier.graph, there))
                == Some(key_of(self.graph, self.trigger)),
            same_vars: true,
            pins: &pins,
        };
        let after = from_here_on(self.graph, from);
        let known = between.known(&after);
        self.check(from, &known)?;
        let mut facts: Vec<Event> = known
            .iter()
            .filter_map(|(node, known)| match known {
                Known::Result { port, output } => Some(reused(*node, ReusedFrom::Run(self.earlier.id.0), port, output)),
                Known::Skipped => None,
            })
            .collect();
        let is_edited = self.input.is_some();
        facts.extend(self.input.clone().map(|input| Event::InputEdited { node: from, input: input.into() }));
        let runs: Vec<NodeIx> = self.graph.nodes().map(|(ix, _)| ix).filter(|ix| !known.contains_key(ix)).collect();
        let is_new = |node: NodeIx| !self.is_same(node) || (is_edited && after.contains(&node));
        facts.extend(keys(&self.earlier, self.graph, &runs, is_new));
        Ok(Preparation { origin: Some(inherited_origin(&self.earlier)), input: given, facts })
    }

    fn is_same(&self, node: NodeIx) -> bool {
        self.same.contains(&key_of(self.graph, node))
    }

    fn check(&self, from: NodeIx, known: &BTreeMap<NodeIx, Known>) -> Result<(), NotReusable> {
        let at = key_of(self.graph, from);
        let (mut changed, mut unfinished) = (Vec::new(), Vec::new());
        for node in up_to(self.graph, from, |_| false) {
            let incoming = self.graph.node(node).map_or(&[][..], |node| &node.incoming);
            // Only where it begins: what comes after an unknown node is unknown too.
            let is_first = incoming.iter().all(|edge| known.contains_key(&edge.source));
            if node == from || known.contains_key(&node) || !is_first {
                continue;
            }
            let key = key_of(self.graph, node);
            if self.same.contains(&key) {
                let status = self.status_there(&key);
                unfinished.push((key, status));
            } else {
                changed.push(key);
            }
        }
        if !changed.is_empty() || !unfinished.is_empty() {
            return Err(NotReusable::Upstream { at, changed, unfinished });
        }
        let incoming = self.graph.node(from).map_or(&[][..], |node| &node.incoming);
        let is_reached = incoming
            .iter()
            .any(|edge| matches!(known.get(&edge.source), Some(Known::Result { port, .. }) if *port == edge.port));
        if is_reached || self.input.is_some() { Ok(()) } else { Err(NotReusable::NotReached(at)) }
    }

    fn status_there(&self, key: &str) -> NodeRunStatus {
        let there = self.earlier.graph.find(key).map(NodeRunRef::root);
        let run = there.and_then(|there| self.earlier.run.node_run(&there));
        run.map_or(NodeRunStatus::Pending, |run| run.state.status())
    }
}

//! A definition tried out: the whole, up to a node, or one node alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Between, Earlier, Known, MOST_NODES, NotReusable, from_here_on, key_of, reused, up_to};
use crate::catalog::EffectClass;
use crate::graph::Graph;
use crate::run::event::{Event, NodeIx, ReusedFrom};
use crate::value::ValueRef;

/// What stands for a node's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The port that it leaves by.
    pub port: String,
    /// The result.
    pub output: ValueRef,
}

/// How much of the definition runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// From the start to the end; nothing is taken over from an earlier run.
    Whole,
    /// What leads to this node, and the node.
    To(NodeIx),
    /// This node, on what is known of its sources.
    Only {
        /// Which.
        node: NodeIx,
        /// Its input instead of what leads to it.
        input: Option<ValueRef>,
    },
}

/// An earlier test run whose results may be taken over.
#[derive(Debug, Clone, Copy)]
pub struct EarlierTest<'a> {
    /// The run.
    pub earlier: Earlier<'a>,
    /// Keys of the nodes whose hashes are equal in both definitions.
    pub same: &'a BTreeSet<String>,
    /// Whether it was given the same input.
    pub same_input: bool,
    /// Whether `vars` was the same for it.
    pub same_vars: bool,
}

/// A test run to plan.
#[derive(Debug)]
pub struct TestRun<'a> {
    /// What is tried.
    pub graph: &'a Graph,
    /// The trigger that starts it.
    pub trigger: NodeIx,
    /// How much of it.
    pub part: Part,
    /// Results that stand for nodes.
    pub pins: BTreeMap<NodeIx, Pin>,
    /// Where results may come from.
    pub earlier: Option<EarlierTest<'a>>,
}

/// What becomes of a node in a test run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It runs, if a path leads to it.
    Runs,
    /// Its pin stands for it.
    Pinned,
    /// Its result comes from the earlier test run.
    Reused,
    /// It is outside the part, or nothing can lead to it.
    LeftOut,
}

/// One node of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its key.
    pub node: String,
    /// What becomes of it.
    pub fate: Fate,
    /// What running it may do outside.
    pub effect: EffectClass,
}

/// What a test run will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestPlan {
    /// Every node, by key.
    pub nodes: Vec<Planned>,
    /// What follows its creation in the journal.
    pub facts: Vec<Event>,
}

impl TestRun<'_> {
    /// What will run, and what stands for what does not.
    ///
    /// # Errors
    /// When the node that is to run is pinned, or runs alone and its sources are not known.
    pub fn plan(&self) -> Result<TestPlan, NotReusable> {
        let target = match &self.part {
            Part::Whole => None,
            Part::To(node) | Part::Only { node, .. } => Some(*node),
        };
        if let Some(pinned) = target.filter(|node| self.pins.contains_key(node)) {
            return Err(NotReusable::Pinned(key_of(self.graph, pinned)));
        }
        let results = self.results(target);
        let part = self.part(target, &results)?;
        let reached = self.reached(&part, &results);
        let mut nodes = Vec::with_capacity(self.graph.len());
        let (mut facts, mut left_out) = (Vec::new(), Vec::new());
        for (ix, node) in self.graph.nodes() {
            let fate = match results.get(&ix) {
                _ if !part.contains(&ix) => Fate::LeftOut,
                Some((ReusedFrom::Pin, _)) => Fate::Pinned,
                Some((ReusedFrom::Run(_), _)) => Fate::Reused,
                None if reached.contains(&ix) => Fate::Runs,
                None => Fate::LeftOut,
            };
            match results.get(&ix).filter(|_| part.contains(&ix)) {
                Some((from, pin)) => facts.push(reused(ix, *from, &pin.port, &pin.output)),
                None if !part.contains(&ix) && ix != self.trigger => left_out.push(ix),
                None => {}
            }
            nodes.push(Planned { node: node.key.clone(), fate, effect: node.class });
        }
        if let Part::Only { node, input: Some(input) } = &self.part {
            facts.push(Event::InputEdited { node: *node, input: input.clone().into() });
        }
        if let Some(result) = target {
            let chunks = left_out.chunks(MOST_NODES).map(<[NodeIx]>::to_vec);
            let chunks: Vec<Vec<NodeIx>> = if left_out.is_empty() { vec![Vec::new()] } else { chunks.collect() };
            facts.extend(chunks.into_iter().map(|nodes| Event::LeftOut { nodes, result }));
        }
        Ok(TestPlan { nodes, facts })
    }

    /// What is known without running: pins, and what an earlier run gave.
    fn results(&self, target: Option<NodeIx>) -> BTreeMap<NodeIx, (ReusedFrom, Pin)> {
        let mut results: BTreeMap<NodeIx, (ReusedFrom, Pin)> =
            self.pins.iter().map(|(node, pin)| (*node, (ReusedFrom::Pin, pin.clone()))).collect();
        let (Some(test), Some(target)) = (&self.earlier, target) else { return results };
        let between = Between {
            earlier: test.earlier,
            graph: self.graph,
            same: test.same,
            trigger: self.trigger,
            same_input: test.same_input,
            same_vars: test.same_vars,
            pins: &self.pins,
        };
        for (node, known) in between.known(&from_here_on(self.graph, target)) {
            if let Known::Result { port, output } = known {
                let from = ReusedFrom::Run(test.earlier.id.0);
                results.entry(node).or_insert((from, Pin { port, output }));
            }
        }
        results
    }

    /// The nodes that have a part in the run.
    fn part(
        &self,
        target: Option<NodeIx>,
        results: &BTreeMap<NodeIx, (ReusedFrom, Pin)>,
    ) -> Result<BTreeSet<NodeIx>, NotReusable> {
        let Some(target) = target else { return Ok(self.graph.nodes().map(|(ix, _)| ix).collect()) };
        let Part::Only { input, .. } = &self.part else {
            return Ok(up_to(self.graph, target, |node| self.pins.contains_key(&node)));
        };
        let Some(node) = self.graph.node(target) else { return Ok(BTreeSet::new()) };
        let leading = node.incoming.iter().map(|edge| edge.source).filter(|_| input.is_none());
        let sources: BTreeSet<NodeIx> = leading.chain(node.reads.iter().copied()).collect();
        let is_unknown = |source: &NodeIx| !results.contains_key(source) && *source != self.trigger;
        // Of several sources, those that no path led to in the earlier run are not missing.
        let missing: Vec<String> = sources
            .iter()
            .filter(|source| is_unknown(source) && !self.was_skipped(**source))
            .map(|source| key_of(self.graph, *source))
            .collect();
        if !missing.is_empty() {
            return Err(NotReusable::SourcesMissing { at: key_of(self.graph, target), missing });
        }
        let is_led_to = node.incoming.iter().any(|edge| {
            results.get(&edge.source).map_or(edge.source == self.trigger, |(_, pin)| pin.port == edge.port)
        });
        if input.is_none() && !node.incoming.is_empty() && !is_led_to {
            return Err(NotReusable::NotReached(key_of(self.graph, target)));
        }
        let known = sources.into_iter().filter(|source| results.contains_key(source) || *source == self.trigger);
        Ok(known.chain([target]).collect())
    }

    fn was_skipped(&self, node: NodeIx) -> bool {
        let Some(EarlierTest { earlier, .. }) = &self.earlier else { return false };
        let there = earlier.graph.find(&key_of(self.graph, node));
        there.is_some_and(|there| {
            let run = earlier.run.node_run(&crate::run::event::NodeRunRef::root(there));
            !earlier.run.is_left_out(there)
                && run.is_some_and(|run| run.state == crate::run::state::NodeRunState::Skipped)
        })
    }

    /// The nodes that something can lead to.
    fn reached(&self, part: &BTreeSet<NodeIx>, results: &BTreeMap<NodeIx, (ReusedFrom, Pin)>) -> BTreeSet<NodeIx> {
        let edited = match &self.part {
            Part::Only { node, input: Some(_) } => Some(*node),
            _ => None,
        };
        let mut reached = BTreeSet::new();
        let known = results.keys().copied().filter(|node| part.contains(node));
        let mut open: Vec<NodeIx> = known.chain(edited).chain([self.trigger]).collect();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                let result = results.get(&node).map(|(_, pin)| pin.port.as_str());
                let edges = self.graph.node(node).into_iter().flat_map(|node| &node.outgoing);
                open.extend(edges.filter(|edge| result.is_none_or(|port| port == edge.port)).map(|edge| edge.target));
            }
        }
        reached
    }
}

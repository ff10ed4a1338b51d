//! The rules of one run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use uuid::Uuid;

use crate::error::ErrorInfo;
use crate::graph::Graph;
use crate::id::RunId;
use crate::run::event::{Event, NodeIx, NodeRunRef, ReusedFrom, SignalName, Timer};
use crate::run::state::{IllegalTransition, NodeRun, NodeRunState};
use crate::run::status::RunStatus;
use crate::time::Timestamp;
use crate::value::ValueRef;

mod apply;
pub mod codec;
pub mod event;
pub mod replay;
pub mod reuse;
pub mod row;
pub mod state;
pub mod status;
pub mod step;

/// Number of these rules. A run keeps the one it started with; a process takes only runs whose rules it has.
pub const RULES_VERSION: i32 = 1;

/// Most signals kept for waits that have not begun; further ones are dropped, oldest first.
pub const MOST_BUFFERED_SIGNALS: usize = 1_000;

/// Everything that the rules remember of a run. Rebuilt from its journal at any time.
#[derive(Debug, Clone)]
pub struct Run {
    id: RunId,
    origin: Uuid,
    seq: u64,
    last_at: Timestamp,
    input: Option<ValueRef>,
    trigger: Option<NodeIx>,
    vars: Option<ValueRef>,
    /// Facts of preparation that are still to come.
    prepared: u32,
    /// Nodes whose input somebody edited.
    edited: BTreeMap<NodeIx, ValueRef>,
    /// Where keys of another run go on.
    generations: BTreeMap<NodeRunRef, u32>,
    /// The node whose output is the run's, in a run of a part.
    result: Option<NodeIx>,
    nodes: Vec<NodeState>,
    /// Nodes that are not settled.
    open: usize,
    /// Node runs and evaluations under way.
    active: usize,
    evaluating_output: bool,
    timers: BTreeSet<(Timestamp, Timer)>,
    signals: VecDeque<(SignalName, ValueRef)>,
    waits: BTreeMap<SignalName, VecDeque<NodeRunRef>>,
    ending: Option<(RunStatus, ErrorInfo)>,
    finished: Option<RunStatus>,
    output: Option<ValueRef>,
    error: Option<ErrorInfo>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    operations: u64,
}

#[derive(Debug, Clone, Default)]
struct NodeState {
    run: NodeRun,
    settled_in: usize,
    taken_in: usize,
    deadline_at: Option<Timestamp>,
    items: Option<Box<Items>>,
    reused: Option<ReusedFrom>,
    /// Whether its keys are made from its own run although the run has another origin.
    renewed: bool,
    left_out: bool,
}

/// The items of one `for_each`.
#[derive(Debug, Clone)]
struct Items {
    list: ValueRef,
    count: u32,
    settled: u32,
    /// Those that have begun, by index.
    runs: Vec<NodeRun>,
    /// Begun and neither settled nor in doubt.
    in_flight: BTreeSet<u32>,
    /// UNCERTAIN ones.
    in_doubt: BTreeSet<u32>,
    /// Why the whole fails, once an item made it.
    failed: Option<ErrorInfo>,
}

/// Why the rules could not take a fact. Always a defect or a journal of other rules, never bad input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A node run was told to do what its state does not allow.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// An event names a node or an item that the definition does not have.
    #[error("there is no node run {0:?} in this definition")]
    UnknownNodeRun(NodeRunRef),
    /// An event cannot be written to the journal.
    #[error("{0}")]
    Unwritable(ErrorInfo),
    /// Something other than a fact was given.
    #[error("{0:?} is a decision, not a fact")]
    NotAFact(Box<Event>),
}

impl Run {
    /// A run of which nothing is known yet.
    pub fn new(id: RunId) -> Self {
        Self {
            id,
            origin: id.0,
            seq: 0,
            last_at: Timestamp::default(),
            input: None,
            trigger: None,
            vars: None,
            prepared: 0,
            edited: BTreeMap::new(),
            generations: BTreeMap::new(),
            result: None,
            nodes: Vec::new(),
            open: 0,
            active: 0,
            evaluating_output: false,
            timers: BTreeSet::new(),
            signals: VecDeque::new(),
            waits: BTreeMap::new(),
            ending: None,
            finished: None,
            output: None,
            error: None,
            started_at: None,
            finished_at: None,
            operations: 0,
        }
    }

    /// Its id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// What the idempotency keys of its effects are made from.
    pub fn origin(&self) -> Uuid {
        self.origin
    }

    /// What the idempotency keys of a node are made from: the run's origin, unless the node does something else there.
    pub fn key_origin(&self, node: NodeIx) -> Uuid {
        let is_renewed = self.nodes.get(node.0 as usize).is_some_and(|node| node.renewed);
        if is_renewed { self.id.0 } else { self.origin }
    }

    /// The generation that a node run begins with.
    fn first_generation(&self, at: &NodeRunRef) -> u32 {
        self.generations.get(at).copied().unwrap_or(0)
    }

    /// Where a node's result comes from when it did not run here.
    pub fn reused_from(&self, node: NodeIx) -> Option<ReusedFrom> {
        self.nodes.get(node.0 as usize)?.reused
    }

    /// Whether a node is outside the part that runs.
    pub fn is_left_out(&self, node: NodeIx) -> bool {
        self.nodes.get(node.0 as usize).is_some_and(|node| node.left_out)
    }

    /// Whether a node's end was known before the run began.
    fn is_known(&self, node: NodeIx) -> bool {
        self.nodes.get(node.0 as usize).is_some_and(|node| node.reused.is_some() || node.left_out)
    }

    /// What a person gave a node instead of what leads to it.
    pub fn edited_input(&self, node: NodeIx) -> Option<&ValueRef> {
        self.edited.get(&node)
    }

    /// The trigger that started it.
    pub fn trigger(&self) -> Option<NodeIx> {
        self.trigger
    }

    /// What `vars` is for it; `None` when its expressions do not read that.
    pub fn vars(&self) -> Option<&ValueRef> {
        self.vars.as_ref()
    }

    /// Seq of its last event.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When its last event happened; no later event is earlier.
    pub fn last_at(&self) -> Timestamp {
        self.last_at
    }

    /// What the trigger gave.
    pub fn input(&self) -> Option<&ValueRef> {
        self.input.as_ref()
    }

    /// Whether something is under way that a driver works on.
    pub fn is_active(&self) -> bool {
        self.active > 0 || self.evaluating_output
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }

    /// When its next timer is due.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// The first timer that is due.
    pub fn due(&self, now: Timestamp) -> Option<Timer> {
        self.timers.first().filter(|(at, _)| *at <= now).map(|(_, timer)| timer.clone())
    }

    /// How many elementary steps the rules have made; what their cost is measured by.
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// What a node run is doing; `None` for a place outside the definition or an item that has not begun.
    pub fn node_run(&self, at: &NodeRunRef) -> Option<&NodeRun> {
        let node = self.nodes.get(at.node.0 as usize)?;
        match at.scope.index() {
            None => Some(&node.run),
            Some(index) => node.items.as_ref()?.runs.get(index as usize),
        }
    }

    /// The output of a node that succeeded.
    pub fn output_of(&self, node: NodeIx) -> Option<&ValueRef> {
        match &self.nodes.get(node.0 as usize)?.run.state {
            NodeRunState::Succeeded { output, .. } => Some(output),
            _ => None,
        }
    }

    /// The list that a `for_each` goes through, once it is known, and how many items have begun.
    pub fn items_of(&self, node: NodeIx) -> Option<(&ValueRef, u32)> {
        let items = self.nodes.get(node.0 as usize)?.items.as_ref()?;
        Some((&items.list, items.count))
    }

    /// The edges into a node that were taken, as places in its list of incoming edges.
    pub fn taken_into<'a>(
        &'a self,
        graph: &'a Graph,
        node: NodeIx,
    ) -> impl Iterator<Item = &'a crate::graph::Incoming> {
        let incoming = graph.node(node).map_or(&[][..], |node| &node.incoming);
        incoming.iter().filter(|edge| self.is_taken(edge.source, &edge.port))
    }

    fn is_taken(&self, source: NodeIx, port: &str) -> bool {
        match self.nodes.get(source.0 as usize).map(|node| &node.run.state) {
            Some(NodeRunState::Succeeded { port: left_by, .. }) => left_by == port,
            Some(NodeRunState::Failed | NodeRunState::TimedOut) => port == crate::catalog::ERROR,
            _ => false,
        }
    }

    /// Node runs whose effect is under way as far as the run knows.
    pub fn under_way(&self) -> impl Iterator<Item = NodeRunRef> {
        (0..).map(NodeIx).zip(&self.nodes).flat_map(|(ix, node)| {
            let root = node.run.state.is_active().then(|| NodeRunRef::root(ix));
            let items = node.items.iter().flat_map(move |items| {
                let active = items
                    .in_flight
                    .iter()
                    .filter(|index| items.runs.get(**index as usize).is_some_and(|run| run.state.is_active()));
                active.map(move |index| NodeRunRef::item(ix, *index))
            });
            root.into_iter().chain(items)
        })
    }
}

//! What a piece of work needs to know, gathered from a run while its driver holds it, so that it can be done elsewhere.

use engine::catalog::EffectClass;
use engine::error::ErrorInfo;
use engine::graph::Graph;
use engine::run::Run;
use engine::run::event::{NodeIx, NodeRunRef};
use engine::run::state::NodeRunState;
use engine::run::step::{Effect, effect_key, last_nodes};
use engine::time::Timestamp;
use engine::value::ValueRef;

/// Where a node's input comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The output of a node.
    Output(ValueRef),
    /// A failed node's error and what its input was made of.
    Error(ErrorInfo, Box<Inputs>),
}

/// A node's input, not read yet.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    /// Source key and source of every edge that was taken.
    pub(crate) sources: Vec<(String, Source)>,
    /// Whether the node sees an object keyed by source.
    pub(crate) many: bool,
}

/// What expressions may read.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) inputs: Option<Inputs>,
    pub(crate) run_input: Option<ValueRef>,
    pub(crate) nodes: Vec<(String, ValueRef)>,
    pub(crate) item: Option<ItemOf>,
    /// What `vars` is, when it is read.
    pub(crate) vars: Option<ValueRef>,
}

/// One item of a `for_each`.
#[derive(Debug, Clone)]
pub(crate) struct ItemOf {
    /// The list that it is in.
    pub(crate) list: ValueRef,
    /// Its place, from 0.
    pub(crate) index: u32,
    /// How many there are.
    pub(crate) count: u32,
}

/// How one item of a `for_each` ended.
#[derive(Debug, Clone)]
pub(crate) enum ItemEnd {
    Output(ValueRef),
    Error(ErrorInfo),
    Nothing,
}

/// One piece of work.
#[derive(Debug)]
pub(crate) enum Task {
    Attempt { at: NodeRunRef, attempt: u32, class: EffectClass, key: String, names: Names, began: Option<Timestamp> },
    ListItems { node: NodeIx, names: Names },
    Collect { node: NodeIx, ends: Vec<ItemEnd> },
    Output { names: Names, last: Vec<(String, ValueRef)> },
}

/// Gathers what an effect needs. `None` for an effect that is no work or names a node that is not there.
pub(crate) fn gather(graph: &Graph, run: &Run, effect: Effect) -> Option<Task> {
    match effect {
        Effect::Attempt { at, attempt, generation, class } => {
            let node = graph.node(at.node)?;
            let key = effect_key(run.key_origin(at.node), &node.key, &at.scope, generation);
            let mut names = names(graph, run, at.node)?;
            names.item = at.scope.index().zip(run.items_of(at.node)).map(|(index, (list, count))| ItemOf {
                list: list.clone(),
                index,
                count,
            });
            let began = run.node_run(&at).and_then(|node_run| node_run.started_at);
            Some(Task::Attempt { at, attempt, class, key, names, began })
        }
        Effect::ListItems { node } => Some(Task::ListItems { node, names: names(graph, run, node)? }),
        Effect::Collect { node } => {
            let (_, count) = run.items_of(node)?;
            let skips = graph.node(node)?.for_each.as_ref()?.on_item_error == engine::definition::OnItemError::Skip;
            let ends = (0..count).map(|index| item_end(run, node, index, skips)).collect();
            Some(Task::Collect { node, ends })
        }
        Effect::Output => {
            let reads: Vec<NodeIx> = match &graph.output {
                Some(output) => output.references().nodes.keys().filter_map(|key| graph.find(key)).collect(),
                None => Vec::new(),
            };
            let wants =
                |root: &str| graph.output.as_ref().is_some_and(|output| output.references().roots.contains_key(root));
            let names = Names {
                inputs: None,
                run_input: run.input().cloned(),
                nodes: outputs(graph, run, &reads),
                item: None,
                vars: run.vars().filter(|_| wants("vars")).cloned(),
            };
            let last: Vec<NodeIx> = if graph.output.is_some() { Vec::new() } else { last_nodes(graph, run).collect() };
            Some(Task::Output { names, last: outputs(graph, run, &last) })
        }
        Effect::Abort { .. } | Effect::AbortOutput => None,
    }
}

fn item_end(run: &Run, node: NodeIx, index: u32, skips: bool) -> ItemEnd {
    let item = run.node_run(&NodeRunRef::item(node, index));
    match item.map(|item| (&item.state, &item.error)) {
        Some((NodeRunState::Succeeded { output, .. }, _)) => ItemEnd::Output(output.clone()),
        Some((_, Some(error))) if !skips => ItemEnd::Error(error.clone()),
        _ => ItemEnd::Nothing,
    }
}

fn names(graph: &Graph, run: &Run, node: NodeIx) -> Option<Names> {
    let graph_node = graph.node(node)?;
    Some(Names {
        inputs: Some(inputs(graph, run, node)),
        run_input: run.input().cloned(),
        nodes: outputs(graph, run, &graph_node.reads),
        item: None,
        vars: run.vars().filter(|_| graph_node.names("vars")).cloned(),
    })
}

fn outputs(graph: &Graph, run: &Run, nodes: &[NodeIx]) -> Vec<(String, ValueRef)> {
    let output = |ix: &NodeIx| Some((graph.node(*ix)?.key.clone(), run.output_of(*ix)?.clone()));
    nodes.iter().filter_map(output).collect()
}

fn inputs(graph: &Graph, run: &Run, node: NodeIx) -> Inputs {
    if let Some(edited) = run.edited_input(node) {
        return Inputs { sources: vec![(String::new(), Source::Output(edited.clone()))], many: false };
    }
    let sources = run.taken_into(graph, node).filter_map(|edge| {
        let key = graph.node(edge.source)?.key.clone();
        let source = match run.output_of(edge.source) {
            Some(output) => Source::Output(output.clone()),
            None => {
                let error = run.node_run(&NodeRunRef::root(edge.source))?.error.clone()?;
                Source::Error(error, Box::new(inputs(graph, run, edge.source)))
            }
        };
        Some((key, source))
    });
    Inputs { sources: sources.collect(), many: graph.node(node).is_some_and(|node| node.many) }
}

//! What comes before what: order, cycles, reachability, ancestors.

use std::collections::BTreeMap;

use super::Checked;
use crate::definition::canonical::escape;
use crate::definition::problem::{Problem, ProblemCode as Code};
use crate::graph::GraphNode;

/// Most keys that a message names.
const MOST_NAMED: usize = 20;

/// Kahn's order of all nodes that are on no cycle and behind none.
pub(super) fn topological_order(nodes: &BTreeMap<&str, Checked>, problems: &mut Vec<Problem>) -> Vec<usize> {
    let list: Vec<&GraphNode> = nodes.values().map(|checked| &checked.graph_node).collect();
    let places = |edges: Vec<u32>| edges.into_iter().map(|place| place as usize).collect::<Vec<_>>();
    let outgoing: Vec<Vec<usize>> =
        list.iter().map(|node| places(node.outgoing.iter().map(|edge| edge.target.0).collect())).collect();
    let incoming: Vec<Vec<usize>> =
        list.iter().map(|node| places(node.incoming.iter().map(|edge| edge.source.0).collect())).collect();
    let (order, placed) = peel(&outgoing, &incoming, &vec![false; list.len()]);
    if order.len() < list.len() {
        // What is left lies on a cycle or behind one. Peeled from the other end, only what is on or between cycles
        // stays.
        let (_, behind) = peel(&incoming, &outgoing, &placed);
        let on_cycle = |ix: &usize| {
            let is = |marks: &[bool]| marks.get(*ix).copied().unwrap_or(false);
            !is(&placed) && !is(&behind)
        };
        let keys = (0..list.len()).filter(on_cycle).filter_map(|ix| list.get(ix)).map(|node| node.key.as_str());
        let mut keys: Vec<&str> = keys.take(MOST_NAMED + 1).collect();
        if keys.len() > MOST_NAMED {
            keys.truncate(MOST_NAMED);
            keys.push("…");
        }
        let message = format!("these nodes lead back to themselves: {}", keys.join(", "));
        problems.push(Problem::new(Code::Cycle, "/edges", message));
    }
    order
}

/// Takes away, one after the other, what nothing leads to by `incoming` any more; `gone` is not there to begin with.
fn peel(outgoing: &[Vec<usize>], incoming: &[Vec<usize>], gone: &[bool]) -> (Vec<usize>, Vec<bool>) {
    let is_gone = |ix: usize| gone.get(ix).copied().unwrap_or(true);
    let mut open: Vec<usize> =
        incoming.iter().map(|sources| sources.iter().filter(|source| !is_gone(**source)).count()).collect();
    let mut order: Vec<usize> =
        open.iter().enumerate().filter(|(ix, open)| **open == 0 && !is_gone(*ix)).map(|(ix, _)| ix).collect();
    let mut next = 0;
    while let Some(&ix) = order.get(next) {
        next += 1;
        for &target in outgoing.get(ix).into_iter().flatten().filter(|target| !is_gone(**target)) {
            if let Some(open) = open.get_mut(target) {
                *open = open.saturating_sub(1);
                if *open == 0 {
                    order.push(target);
                }
            }
        }
    }
    let mut placed = vec![false; outgoing.len()];
    for &ix in &order {
        if let Some(placed) = placed.get_mut(ix) {
            *placed = true;
        }
    }
    (order, placed)
}

/// Names the nodes that no trigger leads to.
pub(super) fn check_reachable(nodes: &BTreeMap<&str, Checked>, problems: &mut Vec<Problem>) {
    let list: Vec<&GraphNode> = nodes.values().map(|checked| &checked.graph_node).collect();
    let mut reached = vec![false; list.len()];
    let mut open: Vec<usize> = (0..list.len()).filter(|ix| list.get(*ix).is_some_and(|node| node.is_trigger)).collect();
    while let Some(ix) = open.pop() {
        if std::mem::replace(reached.get_mut(ix).unwrap_or(&mut true), true) {
            continue;
        }
        if let Some(node) = list.get(ix) {
            open.extend(node.outgoing.iter().map(|edge| edge.target.0 as usize));
        }
    }
    for (node, _) in list.iter().zip(&reached).filter(|(_, reached)| !**reached) {
        let message = format!("no path leads from a trigger to `{}`", node.key);
        let path = format!("/nodes/{}", escape(&node.key));
        problems.push(Problem::new(Code::NodeUnreachable, path, message).at_node(&node.key));
    }
}

/// One bit a node.
#[derive(Debug, Clone)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn contains(&self, bit: usize) -> bool {
        self.0.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// For each node, those that come before it.
pub(super) fn ancestors(nodes: &BTreeMap<&str, Checked>, order: &[usize]) -> Vec<Bits> {
    let list: Vec<&GraphNode> = nodes.values().map(|checked| &checked.graph_node).collect();
    let mut sets = vec![Bits(vec![0; list.len().div_ceil(64)]); list.len()];
    for &ix in order {
        let Some(node) = list.get(ix) else { continue };
        let Some(mut own) = sets.get(ix).cloned() else { continue };
        for edge in &node.incoming {
            let source = edge.source.0 as usize;
            if let Some(before) = sets.get(source) {
                own.0.iter_mut().zip(&before.0).for_each(|(own, before)| *own |= before);
            }
            if let Some(word) = own.0.get_mut(source / 64) {
                *word |= 1 << (source % 64);
            }
        }
        if let Some(set) = sets.get_mut(ix) {
            *set = own;
        }
    }
    sets
}

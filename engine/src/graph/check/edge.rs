//! What joins the nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Checked;
use crate::catalog::{ERROR, NodeDescriptor, Port};
use crate::definition::problem::{Problem, ProblemCode as Code};
use crate::definition::{Definition, Edge};
use crate::graph::{Incoming, Outgoing};
use crate::run::event::NodeIx;

/// Joins the nodes, and says whether every edge had two ends.
pub(super) fn join(
    definition: &Definition,
    nodes: &mut BTreeMap<&str, Checked>,
    places: &BTreeMap<String, NodeIx>,
    problems: &mut Vec<Problem>,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut taken: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut whole = true;
    for (index, edge) in definition.edges.iter().enumerate() {
        let path = format!("/edges/{index}");
        let ((from, out), (to, into)) = (edge.source(), edge.target());
        let (Some(source_ix), Some(target_ix)) = (places.get(from).copied(), places.get(to).copied()) else {
            problems.push(dangling(edge, &path, |key| places.contains_key(key)));
            whole = false;
            continue;
        };
        if !seen.insert((from, out, to, into)) {
            let message = format!("the edge from `{}` to `{}` is there already", edge.from, edge.to);
            problems.push(Problem::new(Code::EdgeDuplicate, &path, message));
            continue;
        }
        let (Some(source), Some(target)) = (nodes.get(from), nodes.get(to)) else { continue };
        let config = definition.nodes.get(from).map_or(&Value::Null, |node| &node.config);
        if let Some(descriptor) = source.descriptor.filter(|descriptor| !has_output(descriptor, config, out)) {
            let message = format!("`{from}` has no output `{}`", short(out));
            let problem = Problem::new(Code::PortUnknown, format!("{path}/from"), message).at_node(from);
            problems.push(problem.hint(format!("it has {}", output_names(descriptor, config))));
        }
        if let Some(descriptor) = target.descriptor {
            let input = descriptor.inputs.iter().find(|port| port.name == into);
            problems.extend(arrival(descriptor, input, &path, (to, into), &mut taken));
        }
        if let Some(source) = nodes.get_mut(from) {
            source.graph_node.outgoing.push(Outgoing { port: out.to_owned(), target: target_ix });
        }
        if let Some(target) = nodes.get_mut(to) {
            target.graph_node.incoming.push(Incoming { source: source_ix, port: out.to_owned() });
        }
    }
    whole
}

fn dangling(edge: &Edge, path: &str, is_there: impl Fn(&str) -> bool) -> Problem {
    let ends = [edge.source().0, edge.target().0];
    let missing: Vec<String> = ends.into_iter().filter(|key| !is_there(key)).map(short).collect();
    let message = format!("there is no node `{}`", missing.join("` and no node `"));
    Problem::new(Code::EdgeDangling, path, message)
}

/// What is wrong with an edge that arrives at `into` of `to`.
fn arrival<'a>(
    descriptor: &NodeDescriptor,
    input: Option<&Port>,
    path: &str,
    (to, into): (&'a str, &'a str),
    taken: &mut BTreeMap<(&'a str, &'a str), usize>,
) -> Option<Problem> {
    let path = format!("{path}/to");
    let Some(input) = input else {
        let problem = if descriptor.is_trigger() {
            Problem::new(Code::PortUnknown, path, format!("`{to}` is a trigger and takes no edge"))
                .hint("remove the edge, or join it to the node after the trigger")
        } else {
            let names: Vec<String> = descriptor.inputs.iter().map(|port| format!("`{}`", port.name)).collect();
            Problem::new(Code::PortUnknown, path, format!("`{to}` has no input `{}`", short(into)))
                .hint(format!("it has {}", names.join(", ")))
        };
        return Some(problem.at_node(to));
    };
    let count = taken.entry((to, into)).or_default();
    *count += 1;
    (*count == 2 && !input.many).then(|| {
        let message = format!("`{to}` takes one edge at `{}`", input.name);
        Problem::new(Code::PortTaken, path, message).at_node(to)
    })
}

fn has_output(descriptor: &NodeDescriptor, config: &Value, name: &str) -> bool {
    (name == ERROR && !descriptor.is_trigger())
        || descriptor.outputs.iter().any(|port| port.name == name)
        || descriptor.named_outputs(config).any(|port| port == name)
}

fn output_names(descriptor: &NodeDescriptor, config: &Value) -> String {
    let fixed = descriptor.outputs.iter().map(|port| port.name);
    let names = descriptor.named_outputs(config).chain(fixed).chain((!descriptor.is_trigger()).then_some(ERROR));
    names.map(|name| format!("`{}`", short(name))).collect::<Vec<_>>().join(", ")
}

/// A name from a document, cut to what a message can take.
fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

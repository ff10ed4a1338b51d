//! Turns a document into a graph, or says everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::{Config, Examined, Graph, GraphForEach, GraphNode, Incoming, Outgoing};
use crate::catalog::{Catalog, ERROR, EffectClass, NodeDescriptor, NodeTypeName, Port};
use crate::definition::canonical::escape;
use crate::definition::problem::{Problem, ProblemCode as Code};
use crate::definition::{Definition, ForEach, Node, Patience, Retry};
use crate::expression::{ExpressionError, References, Template};
use crate::port::PortType;
use crate::retry::RetryPolicy;
use crate::run::event::NodeIx;
use crate::time::parse_duration;

/// Words that an expression could not use as a member name (the CEL specification's reserved words).
const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// What expressions in one place read.
#[derive(Default)]
struct Reads {
    nodes: BTreeSet<String>,
    roots: BTreeSet<String>,
}

impl Reads {
    fn add(&mut self, references: &References) {
        self.nodes.extend(references.nodes.iter().cloned());
        self.roots.extend(references.roots.iter().cloned());
    }
}

struct Checked<'a> {
    descriptor: Option<&'a NodeDescriptor>,
    graph_node: GraphNode,
    reads: Reads,
}

pub(super) fn check(definition: &Definition, catalog: &dyn Catalog) -> Examined {
    let mut problems = Vec::new();
    let mut nodes: BTreeMap<&str, Checked> = BTreeMap::new();
    for (key, node) in &definition.nodes {
        nodes.insert(key, check_node(key, node, catalog, &mut problems));
    }
    if !nodes.values().any(|checked| checked.graph_node.is_trigger) {
        problems.push(
            Problem::error(Code::TriggerMissing, "/nodes", "no node starts this workflow")
                .hint("add a node of type `trigger.manual@1` or `trigger.webhook@1` and join it to the first node"),
        );
    }
    join_edges(definition, &mut nodes, &mut problems);
    let order = topological_order(&nodes, &mut problems);
    check_reachable(&nodes, &mut problems);
    let mut output_reads = Reads::default();
    let output = definition.output.as_ref().and_then(|output| {
        let compiled = Template::compile(output);
        if let Ok(template) = &compiled {
            output_reads.add(template.references());
        }
        compiled.map_err(|error| problems.push(expression_problem("/output", None, &error))).ok()
    });
    check_references(&mut nodes, order.as_deref(), &output_reads, &mut problems);
    if let Some(schema) = &definition.input_schema
        && let Err(error) = jsonschema::validator_for(schema)
    {
        problems.push(Problem::error(Code::InputSchemaInvalid, "/input_schema", format!("not a JSON Schema: {error}")));
    }
    let timeout = duration(definition.settings.timeout.as_deref(), "/settings/timeout", None, &mut problems);
    if problems.iter().any(Problem::is_error) {
        return Examined { graph: None, problems };
    }
    let graph = Graph {
        by_key: nodes.keys().zip(0..).map(|(key, ix)| ((*key).to_owned(), NodeIx(ix))).collect(),
        nodes: nodes.into_values().map(|checked| checked.graph_node).collect(),
        output,
        input_schema: definition.input_schema.clone(),
        timeout,
    };
    Examined { graph: Some(graph), problems }
}

fn check_node<'a>(key: &str, node: &Node, catalog: &'a dyn Catalog, problems: &mut Vec<Problem>) -> Checked<'a> {
    let path = format!("/nodes/{}", escape(key));
    let mut found = Vec::new();
    if !key_fits(key) {
        found.push(
            Problem::error(Code::NodeKeyInvalid, &path, format!("`{key}` cannot be a node key"))
                .hint("use a lower-case letter, then lower-case letters, digits and `_`, at most 63, and no word of the expression language"),
        );
    }
    let r#type: Option<NodeTypeName> = node.r#type.parse().ok();
    let descriptor = r#type.as_ref().and_then(|name| catalog.descriptor(name));
    if descriptor.is_none() {
        found.push(
            Problem::error(
                Code::NodeTypeUnknown,
                format!("{path}/type"),
                format!("there is no node type `{}` here", node.r#type),
            )
            .hint("a type is written `group.name@MAJOR`, such as `http.request@1`; the API lists them as `nodeTypes`"),
        );
    }
    if let Some(descriptor) = descriptor {
        found.extend(deprecation(descriptor, &path));
        found.extend(refused_connection(node, descriptor, &path));
    }
    let mut reads = Reads::default();
    let empty = Value::Object(serde_json::Map::new());
    let schema = descriptor.map_or(&empty, |descriptor| &descriptor.config_schema);
    if descriptor.is_some() {
        check_config(&node.config, schema, &path, &mut found);
    }
    let config = Config::compile(&node.config, schema, |references| reads.add(references)).unwrap_or_else(|error| {
        found.push(expression_problem(&format!("{path}/config"), None, &error));
        Config::default()
    });
    let for_each =
        node.for_each.as_ref().and_then(|for_each| check_for_each(for_each, descriptor, &path, &mut reads, &mut found));
    let patience = check_patience(node, &path, &mut found);
    problems.extend(found.into_iter().map(|problem| problem.at_node(key)));
    let class = match (&r#type, descriptor) {
        (Some(name), Some(_)) => catalog.effect(name, &node.config),
        _ => EffectClass::Effectful,
    };
    let graph_node = GraphNode {
        key: key.to_owned(),
        r#type: r#type.unwrap_or_else(|| NodeTypeName { name: node.r#type.clone(), major: 0 }),
        class,
        is_trigger: descriptor.is_some_and(NodeDescriptor::is_trigger),
        connection: node.connection.clone(),
        config,
        join: node.join,
        patience,
        on_uncertain: node.on_uncertain,
        for_each,
        incoming: Vec::new(),
        outgoing: Vec::new(),
        many: descriptor.is_some_and(|descriptor| descriptor.inputs.iter().any(|port| port.many)),
        fresh_key_after_answer: descriptor.is_some_and(|descriptor| descriptor.fresh_key_after_answer),
        reads: Vec::new(),
        roots: std::mem::take(&mut reads.roots),
    };
    Checked { descriptor, graph_node, reads }
}

fn deprecation(descriptor: &NodeDescriptor, path: &str) -> Option<Problem> {
    let deprecation = descriptor.deprecated?;
    let message = format!("`{}` is deprecated since {}", descriptor.r#type, deprecation.since);
    let problem = Problem::warning(Code::NodeTypeDeprecated, format!("{path}/type"), message);
    let replacement = deprecation.replacement.map(|replacement| format!("use `{replacement}`"));
    Some(problem.hint(replacement.unwrap_or_else(|| "published versions go on running; plan to do without it".into())))
}

fn refused_connection(node: &Node, descriptor: &NodeDescriptor, path: &str) -> Option<Problem> {
    let connection = node.connection.as_ref().filter(|_| descriptor.auth.is_empty())?;
    let message = format!("`{}` takes no connection, so it cannot use `{connection}`", descriptor.r#type);
    Some(Problem::error(Code::ConnectionNotAccepted, format!("{path}/connection"), message).hint("remove `connection`"))
}

fn key_fits(key: &str) -> bool {
    let mut chars = key.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && key.len() <= 63
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&key)
}

/// Checks a config as written. A string with an expression may turn into anything, so what the schema says of its type
/// or form is left to the node.
fn check_config(config: &Value, schema: &Value, path: &str, problems: &mut Vec<Problem>) {
    let empty = Value::Object(serde_json::Map::new());
    let config = if config.is_null() { &empty } else { config };
    let validator = match jsonschema::validator_for(schema) {
        Ok(validator) => validator,
        Err(error) => {
            problems.push(Problem::error(
                Code::ConfigInvalid,
                format!("{path}/config"),
                format!("the type's own schema is broken: {error}"),
            ));
            return;
        }
    };
    for error in validator.iter_errors(config) {
        let at = error.instance_path().to_string();
        let keyword = error.schema_path().to_string();
        let says_what_is_there = ["/required", "/additionalProperties"].iter().any(|end| keyword.ends_with(end));
        if !says_what_is_there && config.pointer(&at).is_some_and(has_expression) {
            continue;
        }
        problems.push(
            Problem::error(Code::ConfigInvalid, format!("{path}/config{at}"), error.to_string())
                .hint("the node type's documentation lists the fields of its config"),
        );
    }
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(has_expression),
        Value::Object(fields) => fields.values().any(has_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn check_for_each(
    for_each: &ForEach,
    descriptor: Option<&NodeDescriptor>,
    path: &str,
    reads: &mut Reads,
    problems: &mut Vec<Problem>,
) -> Option<GraphForEach> {
    let path = format!("{path}/for_each");
    if descriptor.is_some_and(|descriptor| !descriptor.for_each) {
        problems.push(
            Problem::error(Code::ForEachInvalid, &path, "nodes of this type run once")
                .hint("put `for_each` on the node that does the work of one item"),
        );
    }
    if !(1..=ForEach::MOST_CONCURRENT).contains(&for_each.concurrency) {
        problems.push(Problem::error(
            Code::ForEachInvalid,
            format!("{path}/concurrency"),
            format!("must be 1 to {}", ForEach::MOST_CONCURRENT),
        ));
    }
    match Template::compile(&for_each.items) {
        Ok(items) => {
            reads.add(items.references());
            Some(GraphForEach { items, concurrency: for_each.concurrency, on_item_error: for_each.on_item_error })
        }
        Err(error) => {
            problems.push(expression_problem(&format!("{path}/items"), None, &error));
            None
        }
    }
}

fn check_patience(node: &Node, path: &str, problems: &mut Vec<Problem>) -> Patience {
    let default = Patience::default();
    Patience {
        retry: node
            .retry
            .as_ref()
            .map_or_else(RetryPolicy::default, |retry| check_retry(retry, &format!("{path}/retry"), problems)),
        timeout: duration(
            node.timeout.as_deref(),
            &format!("{path}/timeout"),
            Some(Duration::from_millis(1)),
            problems,
        )
        .unwrap_or(default.timeout),
        deadline: duration(
            node.deadline.as_deref(),
            &format!("{path}/deadline"),
            Some(Duration::from_millis(1)),
            problems,
        ),
    }
}

fn check_retry(retry: &Retry, path: &str, problems: &mut Vec<Problem>) -> RetryPolicy {
    let default = RetryPolicy::default();
    let mut within = |field: &str, fits: bool, bounds: &str| {
        if !fits {
            problems.push(Problem::error(Code::RetryInvalid, format!("{path}/{field}"), format!("must be {bounds}")));
        }
    };
    let coefficient = retry.coefficient.unwrap_or(default.coefficient);
    let jitter = retry.jitter.unwrap_or(default.jitter);
    within("attempts", (1..=100).contains(&retry.attempts), "1 to 100");
    within("coefficient", (1.0..=10.0).contains(&coefficient), "1 to 10");
    within("jitter", (0.0..=1.0).contains(&jitter), "0 to 1");
    RetryPolicy {
        attempts: retry.attempts,
        initial: duration(retry.initial.as_deref(), &format!("{path}/initial"), None, problems)
            .unwrap_or(default.initial),
        coefficient,
        cap: duration(retry.cap.as_deref(), &format!("{path}/cap"), None, problems).unwrap_or(default.cap),
        jitter,
        on: retry.on.clone(),
    }
}

fn duration(text: Option<&str>, path: &str, least: Option<Duration>, problems: &mut Vec<Problem>) -> Option<Duration> {
    let text = text?;
    match parse_duration(text) {
        Ok(duration) if least.is_none_or(|least| duration >= least) => Some(duration),
        Ok(_) => {
            problems.push(Problem::error(Code::DurationInvalid, path, "must be longer than nothing"));
            None
        }
        Err(error) => {
            problems.push(Problem::error(Code::DurationInvalid, path, error.to_string()));
            None
        }
    }
}

fn join_edges(definition: &Definition, nodes: &mut BTreeMap<&str, Checked>, problems: &mut Vec<Problem>) {
    let places: BTreeMap<String, NodeIx> =
        nodes.keys().zip(0..).map(|(key, ix)| ((*key).to_owned(), NodeIx(ix))).collect();
    let mut seen = BTreeSet::new();
    let mut taken: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (index, edge) in definition.edges.iter().enumerate() {
        let path = format!("/edges/{index}");
        let ((from, out), (to, into)) = (edge.source(), edge.target());
        let dangling: Vec<&str> = [from, to].into_iter().filter(|key| !nodes.contains_key(key)).collect();
        if !dangling.is_empty() {
            problems.push(
                Problem::error(
                    Code::EdgeDangling,
                    &path,
                    format!("there is no node `{}`", dangling.join("` and no node `")),
                )
                .hint("an edge is `{from: node.port, to: node.port}`"),
            );
            continue;
        }
        if !seen.insert((from, out, to, into)) {
            problems.push(Problem::error(
                Code::EdgeDuplicate,
                &path,
                format!("the edge from `{}` to `{}` is there already", edge.from, edge.to),
            ));
            continue;
        }
        let (Some(source), Some(target)) = (nodes.get(from), nodes.get(to)) else { continue };
        let output = output_port(source.descriptor, out);
        let input = target.descriptor.map(|descriptor| descriptor.inputs.iter().find(|port| port.name == into));
        if output == Some(None) {
            let known = source.descriptor.map(port_names).unwrap_or_default();
            problems.push(
                Problem::error(Code::PortUnknown, format!("{path}/from"), format!("`{from}` has no output `{out}`"))
                    .at_node(from)
                    .hint(format!("it has {known}")),
            );
        }
        if input == Some(None) {
            let what = if target.graph_node.is_trigger {
                "a trigger takes no edge".to_owned()
            } else {
                format!("`{to}` has no input `{into}`")
            };
            problems.push(Problem::error(Code::PortUnknown, format!("{path}/to"), what).at_node(to));
        }
        if let (Some(Some(output)), Some(Some(input))) = (&output, &input) {
            check_ports(&path, (from, output), (to, input), source.graph_node.for_each.is_some(), &mut taken, problems);
        }
        let (Some(source_ix), Some(target_ix)) = (places.get(from).copied(), places.get(to).copied()) else { continue };
        if let Some(source) = nodes.get_mut(from) {
            source.graph_node.outgoing.push(Outgoing { port: out.to_owned(), target: target_ix });
        }
        if let Some(target) = nodes.get_mut(to) {
            target.graph_node.incoming.push(Incoming { source: source_ix, port: out.to_owned() });
        }
    }
}

/// `None` when nothing is known of the type; `Some(None)` when the type has no such port.
fn output_port(descriptor: Option<&NodeDescriptor>, name: &str) -> Option<Option<PortType>> {
    let descriptor = descriptor?;
    if name == ERROR && !descriptor.is_trigger() {
        return Some(Some(PortType::object()));
    }
    Some(descriptor.outputs.iter().find(|port| port.name == name).map(|port| port.r#type.clone()))
}

fn port_names(descriptor: &NodeDescriptor) -> String {
    let names = descriptor.outputs.iter().map(|port| port.name).chain((!descriptor.is_trigger()).then_some(ERROR));
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn check_ports<'a>(
    path: &str,
    (from, output): (&'a str, &PortType),
    (to, input): (&'a str, &Port),
    is_list: bool,
    taken: &mut BTreeMap<(&'a str, &'static str), usize>,
    problems: &mut Vec<Problem>,
) {
    let count = taken.entry((to, input.name)).or_default();
    *count += 1;
    if *count == 2 && !input.many {
        problems.push(
            Problem::error(Code::PortTaken, format!("{path}/to"), format!("`{to}` takes one edge at `{}`", input.name))
                .at_node(to)
                .hint("put a `flow.merge@1` before it and join the edges there"),
        );
    }
    let output = if is_list { &PortType::list() } else { output };
    if !output.fits(&input.r#type) {
        problems.push(
            Problem::error(Code::PortTypeMismatch, path, format!("what leaves `{from}` cannot arrive at `{to}`"))
                .at_node(to)
                .hint("put a `data.set@1` between them that makes the value that is wanted"),
        );
    }
}

/// Kahn's order; what it cannot place lies on a cycle or behind one.
fn topological_order(nodes: &BTreeMap<&str, Checked>, problems: &mut Vec<Problem>) -> Option<Vec<usize>> {
    let list: Vec<&GraphNode> = nodes.values().map(|checked| &checked.graph_node).collect();
    let mut open: Vec<usize> = list.iter().map(|node| node.incoming.len()).collect();
    let mut order: Vec<usize> = open.iter().enumerate().filter(|(_, open)| **open == 0).map(|(ix, _)| ix).collect();
    let mut next = 0;
    while let Some(node) = order.get(next).and_then(|ix| list.get(*ix)) {
        next += 1;
        for edge in &node.outgoing {
            let target = edge.target.0 as usize;
            if let Some(open) = open.get_mut(target) {
                *open -= 1;
                if *open == 0 {
                    order.push(target);
                }
            }
        }
    }
    if order.len() == list.len() {
        return Some(order);
    }
    // Only the members of cycles: leave out, again and again, what leads to nothing unplaced.
    let placed: BTreeSet<usize> = order.iter().copied().collect();
    let mut stuck: BTreeSet<usize> = (0..list.len()).filter(|ix| !placed.contains(ix)).collect();
    loop {
        let behind: Vec<usize> = stuck
            .iter()
            .copied()
            .filter(|ix| {
                !list
                    .get(*ix)
                    .is_some_and(|node| node.outgoing.iter().any(|edge| stuck.contains(&(edge.target.0 as usize))))
            })
            .collect();
        if behind.is_empty() {
            break;
        }
        behind.iter().for_each(|ix| {
            stuck.remove(ix);
        });
    }
    let keys: Vec<&str> = stuck.iter().filter_map(|ix| list.get(*ix)).map(|node| node.key.as_str()).collect();
    problems.push(
        Problem::error(Code::Cycle, "/edges", format!("these nodes lead back to themselves: {}", keys.join(", ")))
            .hint("a workflow is a DAG; use `for_each` for repetition"),
    );
    None
}

fn check_reachable(nodes: &BTreeMap<&str, Checked>, problems: &mut Vec<Problem>) {
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
        problems.push(
            Problem::error(
                Code::NodeUnreachable,
                format!("/nodes/{}", escape(&node.key)),
                format!("no path leads from a trigger to `{}`", node.key),
            )
            .at_node(&node.key)
            .hint("join it to a node that runs before it, or remove it"),
        );
    }
}

/// Every `nodes.<key>` must come before the node that reads it; the run's output may read all.
fn check_references(
    nodes: &mut BTreeMap<&str, Checked>,
    order: Option<&[usize]>,
    output: &Reads,
    problems: &mut Vec<Problem>,
) {
    let places: BTreeMap<String, NodeIx> =
        nodes.keys().zip(0..).map(|(key, ix)| ((*key).to_owned(), NodeIx(ix))).collect();
    for key in output.nodes.iter().filter(|key| !places.contains_key(*key)) {
        problems.push(Problem::error(Code::ReferenceNotUpstream, "/output", format!("there is no node `{key}`")));
    }
    let upstream = order.map(|order| ancestors(nodes, order));
    let mut resolved = Vec::with_capacity(nodes.len());
    for (ix, (key, checked)) in nodes.iter().enumerate() {
        let mut reads = Vec::new();
        for read in &checked.reads.nodes {
            let comes_before = match (places.get(read), &upstream) {
                (Some(place), Some(upstream)) => upstream.get(ix).is_some_and(|set| set.contains(place.0 as usize)),
                // With a cycle nobody comes before anybody; that is reported already.
                (Some(_), None) => true,
                (None, _) => false,
            };
            if comes_before {
                reads.extend(places.get(read).copied());
            } else {
                problems.push(
                    Problem::error(
                        Code::ReferenceNotUpstream,
                        format!("/nodes/{}", escape(key)),
                        format!("`{key}` reads the output of `{read}`, which does not come before it"),
                    )
                    .at_node(key)
                    .hint(format!("join `{read}` to `{key}`, directly or through other nodes")),
                );
            }
        }
        resolved.push(reads);
    }
    for (checked, reads) in nodes.values_mut().zip(resolved) {
        checked.graph_node.reads = reads;
    }
}

/// One bit a node.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn contains(&self, bit: usize) -> bool {
        self.0.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

fn ancestors(nodes: &BTreeMap<&str, Checked>, order: &[usize]) -> Vec<Bits> {
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

fn expression_problem(path: &str, node: Option<&str>, error: &ExpressionError) -> Problem {
    let place = error.column.map(|column| format!(" (column {column})")).unwrap_or_default();
    let mut problem =
        Problem::error(Code::ExpressionInvalid, format!("{path}{}", error.path), format!("{}{place}", error.message));
    problem.node = node.map(str::to_owned);
    problem
}

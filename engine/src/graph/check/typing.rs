//! What is known of every value on its way, and what is certain to go wrong with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checked, Structure};
use crate::catalog::{Catalog, ERROR, EffectClass, NodeCategory, Shape};
use crate::definition::canonical::escape;
use crate::definition::problem::{Position, Problem, ProblemCode as Code};
use crate::definition::{Definition, Node, OnItemError};
use crate::expression::{CheckedTemplate, Finding, NodeOutput, Template, Types};
use crate::graph::Surroundings;
use crate::port::{Fit, PortType};
use crate::run::event::NodeIx;

/// Types that a value is described with at most; deeper down nothing is known of it.
const MOST_TYPES: u64 = 1_000;
/// The same for the values of all nodes together, so that a large document does not fill the memory.
const MOST_TYPES_IN_ALL: u64 = 100_000;

/// The types of a document's values.
pub(super) struct Typing<'a> {
    structure: &'a Structure<'a>,
    surroundings: &'a Surroundings<'a>,
    /// Types that one value is described with at most.
    most: u64,
    /// Keys and nodes, by place.
    list: Vec<(&'a str, &'a Checked<'a>)>,
    /// What starts the run.
    trigger: PortType,
    /// By place of the node.
    nodes: Vec<NodeTypes>,
    /// What was found in expressions, in document order.
    findings: Vec<Problem>,
}

/// What is known of one node.
#[derive(Default)]
struct NodeTypes {
    input: Option<PortType>,
    /// What leaves by each port, `for_each` taken into account.
    ports: BTreeMap<String, PortType>,
    /// The item of its `for_each`.
    item: Option<PortType>,
    /// The config with its expressions put in.
    config: Option<PortType>,
}

impl NodeTypes {
    fn input(&self) -> PortType {
        self.input.clone().unwrap_or(PortType::Any)
    }

    /// What `nodes.<key>.output` gives: whatever left, null when it was skipped.
    fn output(&self) -> PortType {
        if self.ports.is_empty() {
            return PortType::Any;
        }
        PortType::union(self.ports.values().cloned()).or_null()
    }
}

impl<'a> Typing<'a> {
    pub(super) fn of(
        definition: &'a Definition,
        structure: &'a Structure<'a>,
        catalog: &dyn Catalog,
        surroundings: &'a Surroundings<'a>,
    ) -> Self {
        let input = definition.input_schema.as_ref().map_or(PortType::Any, |schema| PortType::from_schema(schema).0);
        let most = (MOST_TYPES_IN_ALL / (structure.nodes.len() as u64 + 1)).min(MOST_TYPES);
        let input = input.bounded(most);
        let list: Vec<(&str, &Checked)> = structure.nodes.iter().map(|(key, checked)| (*key, checked)).collect();
        let nodes = list.iter().map(|_| NodeTypes::default()).collect();
        let mut typing =
            Self { structure, surroundings, most, list, trigger: PortType::Any, nodes, findings: Vec::new() };
        let mut found: BTreeMap<usize, Vec<Problem>> = BTreeMap::new();
        let (triggers, others) = typing.order();
        // Triggers first, since every expression may read what started the run.
        for &ix in &triggers {
            found.insert(ix, typing.node(ix, definition, input.clone(), catalog));
        }
        let starts = triggers.iter().filter_map(|ix| typing.nodes.get(*ix)?.ports.values().next().cloned());
        typing.trigger = PortType::union(starts).bounded(most);
        for ix in others {
            let arrives = typing.list.get(ix).map_or(PortType::Any, |(_, checked)| typing.arrives(checked));
            found.insert(ix, typing.node(ix, definition, arrives, catalog));
        }
        typing.findings = found.into_values().flatten().collect();
        typing
    }

    /// Triggers and other nodes, sources first. What lies on a cycle or behind one comes last: of what arrives there
    /// nothing is known.
    fn order(&self) -> (Vec<usize>, Vec<usize>) {
        let mut placed = vec![false; self.list.len()];
        for ix in &self.structure.order {
            if let Some(placed) = placed.get_mut(*ix) {
                *placed = true;
            }
        }
        let rest = placed.iter().enumerate().filter(|(_, placed)| !**placed).map(|(ix, _)| ix);
        let is_trigger = |ix: &usize| self.list.get(*ix).is_some_and(|(_, checked)| checked.graph_node.is_trigger);
        self.structure.order.iter().copied().chain(rest).partition(is_trigger)
    }

    /// What arrives at a node's input.
    fn arrives(&self, checked: &Checked) -> PortType {
        let mut by_source: BTreeMap<String, PortType> = BTreeMap::new();
        for edge in &checked.graph_node.incoming {
            let leaves = self.leaves(edge.source, &edge.port);
            let key = self.list.get(edge.source.0 as usize).map(|(key, _)| *key).unwrap_or_default();
            let known = by_source.remove(key);
            by_source.insert(key.to_owned(), PortType::union(known.into_iter().chain([leaves])));
        }
        if checked.graph_node.many {
            let fields = by_source.into_iter().map(|(key, r#type)| (key, r#type.or_null()));
            return PortType::Object { fields: fields.collect(), open: false }.bounded(self.most);
        }
        PortType::union(by_source.into_values())
    }

    fn leaves(&self, source: NodeIx, port: &str) -> PortType {
        let types = self.nodes.get(source.0 as usize);
        if port == ERROR {
            let error = PortType::closed([
                ("code", PortType::String),
                ("message", PortType::String),
                ("kind", PortType::String),
                ("node", PortType::String.or_null()),
            ]);
            let input = types.map_or(PortType::Any, NodeTypes::input);
            return PortType::closed([("error", error), ("input", input)]).bounded(self.most);
        }
        types.and_then(|types| types.ports.get(port)).cloned().unwrap_or(PortType::Any)
    }

    /// Works out one node, all before it being known, and says what is wrong with its expressions.
    fn node(&mut self, ix: usize, definition: &Definition, input: PortType, catalog: &dyn Catalog) -> Vec<Problem> {
        let mut problems = Vec::new();
        let Some((key, checked)) = self.list.get(ix).copied() else { return problems };
        let Some(node) = definition.nodes.get(key) else { return problems };
        let path = format!("/nodes/{}", escape(key));
        let mut types = NodeTypes { input: Some(input), ..NodeTypes::default() };
        if let Some(port) = &checked.graph_node.passes {
            types.ports.insert(port.clone(), types.input());
            if let Some(place) = self.nodes.get_mut(ix) {
                *place = types;
            }
            return problems;
        }
        if let (Some(for_each), Some(written)) = (&checked.graph_node.for_each, &node.for_each) {
            let names = self.names(Some(ix), &types, None);
            let place = format!("{path}/for_each/items");
            let items = reported(&for_each.items.check(&names), &written.items, &place, &mut problems);
            if items.fit(&PortType::list()) == Fit::Never {
                let message = format!("a list is wanted here, and this gives {items}");
                problems.push(Problem::new(Code::ExpressionTypeMismatch, place, message));
            }
            types.item = Some(element(&items));
        }
        let config = self.config(ix, node, checked, &types, &path, &mut problems);
        problems.iter_mut().for_each(|problem| problem.node = Some(key.to_owned()));
        if let Some(descriptor) = checked.descriptor {
            let input = types.input();
            let shape = Shape { config: &node.config, types: &config, input: &input };
            for port in &descriptor.outputs {
                let leaves = catalog.output(&checked.graph_node.r#type, port.name, &shape);
                let leaves = leaves.unwrap_or_else(|| port.r#type.clone()).bounded(self.most);
                types.ports.insert(port.name.to_owned(), per_item(leaves, node));
            }
            for name in descriptor.named_outputs(&node.config) {
                let leaves = catalog.output(&checked.graph_node.r#type, name, &shape).unwrap_or(PortType::Any);
                types.ports.insert(name.to_owned(), per_item(leaves.bounded(self.most), node));
            }
        }
        types.config = Some(config);
        if let Some(place) = self.nodes.get_mut(ix) {
            *place = types;
        }
        problems
    }

    /// What a node's config gives, once its expressions are put in.
    fn config(
        &self,
        ix: usize,
        node: &Node,
        checked: &Checked,
        types: &NodeTypes,
        path: &str,
        problems: &mut Vec<Problem>,
    ) -> PortType {
        let schema = checked.descriptor.map(|descriptor| &descriptor.config_schema);
        let Some(template) = checked.graph_node.config.template() else {
            // Without expressions put in, nothing is known; without a config, there is none.
            return if node.config.is_null() { PortType::closed([]) } else { PortType::Any };
        };
        let template = template.check(&self.names(Some(ix), types, None));
        let config = reported(&template, &node.config, &format!("{path}/config"), problems).bounded(self.most);
        check_fields(&template.places, schema, path, problems);
        for (place, written, field) in checked.graph_node.config.deferred(schema) {
            let item = deferred_item(field, &config, &types.input());
            let Ok(template) = Template::compile(written) else { continue };
            let mut template = template.check(&self.names(Some(ix), types, Some(item)));
            reported(&template, written, &format!("{path}/config{place}"), problems);
            template.places.iter_mut().for_each(|(below, _)| *below = format!("{place}{below}"));
            check_fields(&template.places, schema, path, problems);
        }
        config
    }

    /// The names that expressions of a node may use, or those of the run's output without one. `item` is what a
    /// deferred field is evaluated for.
    fn names(&self, ix: Option<usize>, types: &NodeTypes, item: Option<PortType>) -> Types {
        let checked = ix.and_then(|ix| self.list.get(ix)).map(|(_, checked)| *checked);
        let is_trigger = checked.is_some_and(|checked| checked.graph_node.is_trigger);
        let trigger = if is_trigger { types.input() } else { self.trigger.clone() };
        let run = PortType::open([("id", PortType::String), ("input", trigger.clone())]);
        // Open: a variable may come at any time, and until then it is null.
        let vars = match self.surroundings.variables {
            Some(names) => PortType::open(names.iter().map(|name| (name.as_str(), PortType::Any))),
            None => PortType::object(),
        };
        let mut roots = BTreeMap::from([("run", run), ("vars", vars)]);
        roots.insert("input", if ix.is_some() { types.input() } else { trigger.clone() });
        roots.insert("trigger", trigger);
        if let Some(item) = item.or_else(|| types.item.clone()) {
            roots.insert("item", item);
            roots.insert("index", PortType::Integer);
        }
        let roots = roots.into_iter().map(|(name, r#type)| (name.to_owned(), r#type)).collect();
        let reads = checked.map_or(&self.structure.output_reads, |checked| &checked.reads);
        let reads = &reads.nodes;
        let known = reads.keys().filter_map(|key| {
            let place = self.structure.places.get(key)?;
            Some((key.clone(), self.reach(ix, *place)))
        });
        let mut nodes: BTreeMap<String, NodeOutput> = known.collect();
        // A misspelled key is compared with all the others.
        if reads.len() > nodes.len() {
            for key in self.structure.places.keys().take(MOST_COMPARED) {
                nodes.entry(key.clone()).or_insert(NodeOutput::NotBefore);
            }
        }
        Types::new(roots, nodes)
    }

    /// What a node is to another, or to the run's output.
    fn reach(&self, from: Option<usize>, to: NodeIx) -> NodeOutput {
        let place = to.0 as usize;
        let comes_before = match (from, &self.structure.upstream) {
            (Some(from), Some(upstream)) => upstream.get(from).is_some_and(|set| set.contains(place)),
            _ => true,
        };
        match self.nodes.get(place) {
            Some(types) if comes_before => NodeOutput::Before(types.output()),
            _ => NodeOutput::NotBefore,
        }
    }

    /// The names at a place of the document: below a node, or in the run's output without one. `path` is a JSON pointer
    /// into the node, such as `/config/url`.
    pub(super) fn at(&self, definition: &Definition, node: Option<&str>, path: &str) -> Option<Types> {
        let (ix, types) = match node {
            Some(key) => {
                let ix = self.structure.places.get(key)?.0 as usize;
                (Some(ix), self.nodes.get(ix)?)
            }
            None => (None, &NodeTypes::default()),
        };
        let mut item = None;
        if let (Some(key), Some(within)) = (node, path.strip_prefix("/config")) {
            let checked = self.structure.nodes.get(key)?;
            let schema = checked.descriptor.map(|descriptor| &descriptor.config_schema);
            let config = types.config.clone().unwrap_or(PortType::Any);
            let deferred = schema.and_then(|schema| deferred_schema(schema, within));
            item = deferred.map(|schema| deferred_item(Some(schema), &config, &types.input()));
            debug_assert!(definition.nodes.contains_key(key));
        }
        let of_items = NodeTypes { input: types.input.clone(), ..NodeTypes::default() };
        // The list of a `for_each` is made before there is an item.
        let types = if path.starts_with("/for_each") { &of_items } else { types };
        let mut names = self.names(ix, types, item);
        for (key, place) in &self.structure.places {
            if Some(place.0 as usize) != ix {
                names.nodes.insert(key.clone(), self.reach(ix, *place));
            }
        }
        Some(names)
    }

    /// Adds everything that the types tell to the problems.
    pub(super) fn report(mut self, definition: &Definition, catalog: &dyn Catalog) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.findings);
        if let (Some(template), Some(written)) = (&self.structure.output, &definition.output) {
            let names = self.names(None, &NodeTypes::default(), None);
            reported(&template.check(&names), written, "/output", &mut problems);
        }
        self.edges(definition, &mut problems);
        self.unused(&mut problems);
        self.connections(definition, catalog, &mut problems);
        if let Some(schema) = &definition.input_schema {
            let outside = PortType::from_schema(schema).1.into_iter().take(MOST_OUTSIDE);
            problems.extend(outside.map(|outside| {
                let message = format!("no types are known here: {}", outside.reason);
                Problem::new(Code::SchemaNotCovered, format!("/input_schema{}", outside.path), message)
            }));
        }
        problems
    }

    fn edges(&self, definition: &Definition, problems: &mut Vec<Problem>) {
        for (index, edge) in definition.edges.iter().enumerate() {
            let ((from, out), (to, into)) = (edge.source(), edge.target());
            let (Some(source), Some(target)) = (self.structure.places.get(from), self.structure.nodes.get(to)) else {
                continue;
            };
            let inputs = target.descriptor.map(|descriptor| descriptor.inputs.as_slice()).unwrap_or_default();
            let Some(input) = inputs.iter().find(|port| port.name == into && !port.many) else { continue };
            let leaves = self.leaves(*source, out);
            let (code, how) = match leaves.fit(&input.r#type) {
                Fit::Always => continue,
                Fit::Sometimes => (Code::PortTypeUncertain, "may give"),
                Fit::Never => (Code::PortTypeMismatch, "gives"),
            };
            let message = format!("`{from}` {how} {leaves}, and `{to}` takes {}", input.r#type);
            problems.push(Problem::new(code, format!("/edges/{index}"), message).at_node(to));
        }
    }

    /// Names the nodes that only make a value which nothing reads. Without an `output` of the run, the last nodes'
    /// values are its result.
    fn unused(&self, problems: &mut Vec<Problem>) {
        let unread = self.structure.problems.iter().any(|problem| problem.code == Code::ExpressionInvalid);
        if unread || self.structure.upstream.is_none() || self.structure.output.is_none() {
            return;
        }
        let mut read: Vec<bool> = vec![false; self.nodes.len()];
        let all =
            self.structure.nodes.values().flat_map(|checked| &checked.graph_node.reads).map(|place| place.0 as usize);
        let by_output = self.structure.output_reads.nodes.keys().filter_map(|key| self.structure.places.get(key));
        for place in all.chain(by_output.map(|place| place.0 as usize)) {
            if let Some(read) = read.get_mut(place) {
                *read = true;
            }
        }
        for ((key, checked), is_read) in self.structure.nodes.iter().zip(read) {
            let only_makes = checked.descriptor.is_some_and(|descriptor| descriptor.category == NodeCategory::Data)
                && checked.graph_node.class == EffectClass::Pure
                && checked.graph_node.passes.is_none();
            if only_makes && !is_read && checked.graph_node.outgoing.is_empty() {
                let message = format!("nothing reads what `{key}` makes");
                problems.push(Problem::new(Code::NodeUnused, format!("/nodes/{}", escape(key)), message).at_node(key));
            }
        }
    }

    fn connections(&self, definition: &Definition, catalog: &dyn Catalog, problems: &mut Vec<Problem>) {
        let Some(known) = self.surroundings.connections else { return };
        for (key, node) in &definition.nodes {
            let Some(name) = node.connection.as_ref().filter(|_| !node.disabled) else { continue };
            let Some(descriptor) = self.structure.nodes.get(key.as_str()).and_then(|checked| checked.descriptor) else {
                continue;
            };
            let takes = catalog.connections(&descriptor.r#type, &node.config).unwrap_or(descriptor.auth);
            if takes.is_empty() {
                continue;
            }
            let path = format!("/nodes/{}/connection", escape(key));
            let shown: String = name.chars().take(80).collect();
            let problem = match known.get(name) {
                None => Problem::new(Code::ConnectionUnknown, path, format!("there is no connection `{shown}`")),
                Some(r#type) if !takes.contains(&r#type.as_str()) => {
                    let message = format!(
                        "`{shown}` is a connection of type `{type}`, which `{}` does not take",
                        descriptor.r#type
                    );
                    let hint = format!("it takes {}", takes.join(", "));
                    Problem::new(Code::ConnectionNotAccepted, path, message).hint(hint)
                }
                Some(_) => continue,
            };
            problems.push(problem.at_node(key));
        }
    }
}

/// What leaves a node that runs once per item.
fn per_item(leaves: PortType, node: &Node) -> PortType {
    let Some(for_each) = &node.for_each else { return leaves };
    PortType::list_of(match for_each.on_item_error {
        OnItemError::Fail => leaves,
        OnItemError::Skip => leaves.or_null(),
        OnItemError::Collect => PortType::union([leaves, PortType::closed([("error", PortType::object())])]),
    })
}

/// Most node keys that a misspelled one is compared with.
const MOST_COMPARED: usize = 1_000;
/// Most parts of a schema that are named as outside of types.
const MOST_OUTSIDE: usize = 20;

/// Turns findings into problems at their places, and hands on the type.
fn reported(checked: &CheckedTemplate, written: &Value, path: &str, problems: &mut Vec<Problem>) -> PortType {
    for finding in &checked.problems {
        let text = written.pointer(&finding.path).and_then(Value::as_str).unwrap_or_default();
        problems.push(problem(finding, text, path));
    }
    checked.r#type.clone()
}

/// A finding as a problem: `text` is the string that it is in, `path` the place of the template.
fn problem(finding: &Finding, text: &str, path: &str) -> Problem {
    let position = finding.column.map(|column| Position::in_text(text, column));
    let problem = Problem::new(finding.code, format!("{path}{}", finding.path), &finding.message).at(position);
    match &finding.hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Compares what expressions give with what the fields that they fill take.
fn check_fields(places: &[(String, PortType)], schema: Option<&Value>, path: &str, problems: &mut Vec<Problem>) {
    for (place, gives) in places {
        let Some(field) = schema.and_then(|schema| field_schema(schema, place)) else { continue };
        let takes = PortType::from_schema(field).0;
        // Null counts as absent in a config.
        if takes.clone().or_null().fit(gives) == Fit::Never && gives.fit(&takes.clone().or_null()) == Fit::Never {
            let message = format!("this field takes {takes}, and the expression gives {gives}");
            problems.push(Problem::new(Code::ExpressionTypeMismatch, format!("{path}/config{place}"), message));
        }
    }
}

/// The schema of the field at a JSON pointer, through `properties`, `additionalProperties` and `items`.
pub(in crate::graph) fn field_schema<'s>(schema: &'s Value, place: &str) -> Option<&'s Value> {
    segments(place).try_fold(schema, |schema, segment| below(schema, &segment))
}

pub(super) fn below<'s>(schema: &'s Value, segment: &str) -> Option<&'s Value> {
    let named = schema.get("properties").and_then(|properties| properties.get(segment));
    let any = || schema.get("additionalProperties").or(schema.get("items")).filter(|any| any.is_object());
    named.or_else(any)
}

fn segments(place: &str) -> impl Iterator<Item = String> {
    place.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

/// The schema of the deferred field that a JSON pointer into the config lies in.
fn deferred_schema<'s>(schema: &'s Value, place: &str) -> Option<&'s Value> {
    let mut current = schema;
    for segment in segments(place) {
        current = below(current, &segment)?;
        if current.get("x-deferred").and_then(Value::as_bool) == Some(true) {
            return Some(current);
        }
    }
    None
}

/// What `item` is in a deferred field: `x-item-of` names the field with the list, whose place the input takes when it is
/// absent.
fn deferred_item(schema: Option<&Value>, config: &PortType, input: &PortType) -> PortType {
    let Some(field) = schema.and_then(|schema| schema.get("x-item-of")).and_then(Value::as_str) else {
        return PortType::Any;
    };
    match config {
        PortType::Object { fields, .. } => element(fields.get(field).unwrap_or(input)),
        _ => PortType::Any,
    }
}

/// What the items of a list are.
fn element(list: &PortType) -> PortType {
    let items = list.alternatives().iter().filter_map(|alternative| match alternative {
        PortType::List { items } => Some(items.as_ref().clone()),
        PortType::Any => Some(PortType::Any),
        _ => None,
    });
    PortType::union(items)
}

//! Turns a document into a graph, or says everything that is wrong with it.
//!
//! Two passes. The structure is what a run relies on: it is checked whenever a version is loaded, so nothing may be added
//! to it that a published version could fail. The types are for authors, and are checked before publishing only.

use std::collections::BTreeMap;

use serde_json::Value;

use self::node::NodeCheck;
use self::order::Bits;
use super::finder::Finder;
use super::{Examined, Graph, GraphNode, Surroundings};
use crate::catalog::{Catalog, NodeDescriptor};
use crate::definition::Definition;
use crate::definition::canonical::escape;
use crate::definition::problem::{Position, Problem, ProblemCode as Code};
use crate::definition::read::read;
use crate::expression::{References, Template};
use crate::run::event::NodeIx;

mod edge;
mod node;
mod order;
mod typing;

use self::typing::Typing;
pub(super) use self::typing::field_schema;

struct Checked<'a> {
    descriptor: Option<&'a NodeDescriptor>,
    graph_node: GraphNode,
    /// What all its expressions read.
    reads: References,
}

/// The structure of a document, as far as there is one.
struct Structure<'a> {
    nodes: BTreeMap<&'a str, Checked<'a>>,
    places: BTreeMap<String, NodeIx>,
    /// The nodes that are on no cycle and behind none, sources first.
    order: Vec<usize>,
    /// For each node those before it; `None` when nodes lead back to themselves.
    upstream: Option<Vec<Bits>>,
    output: Option<Template>,
    output_reads: References,
    finder: Option<Finder>,
    timeout: Option<std::time::Duration>,
    problems: Vec<Problem>,
    /// What reads a node that does not come before. The second pass says it again, and says where.
    references: Vec<Problem>,
}

pub(super) fn check(definition: &Definition, catalog: &dyn Catalog) -> Result<Graph, Vec<Problem>> {
    let mut structure = Structure::of(definition, catalog);
    structure.problems.append(&mut structure.references);
    structure.into_graph(definition)
}

pub(super) fn examine(document: &Value, catalog: &dyn Catalog, surroundings: &Surroundings<'_>) -> Examined {
    let read = read(document);
    let mut problems = read.problems;
    let Some(definition) = read.definition else { return Examined { graph: None, problems } };
    let mut structure = Structure::of(&definition, catalog);
    structure.references.clear();
    let told = Typing::of(&definition, &structure, catalog, surroundings).report(&definition, catalog);
    structure.problems.extend(told);
    let faults = config_faults(&definition, catalog, &structure.problems);
    structure.problems.extend(faults);
    // What follows only from a part that could not be read is not a problem of its own.
    let broken: Vec<String> = problems.iter().filter(|problem| problem.is_error()).map(|p| p.path.clone()).collect();
    let follows = |problem: &Problem| {
        broken.iter().any(|path| {
            problem.path.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    problems.extend(structure.problems.extract_if(.., |problem| !follows(problem)));
    structure.problems.clear();
    if problems.iter().any(Problem::is_error) {
        return Examined { graph: None, problems };
    }
    match structure.into_graph(&definition) {
        Ok(graph) => Examined { graph: Some(graph), problems },
        Err(more) => Examined { graph: None, problems: [problems, more].concat() },
    }
}

/// What the node types themselves find wrong with configs that fit their schemas.
fn config_faults(definition: &Definition, catalog: &dyn Catalog, known: &[Problem]) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, node) in &definition.nodes {
        let Ok(name) = node.r#type.parse() else { continue };
        let path = format!("/nodes/{}/config", escape(key));
        if known.iter().any(|problem| problem.is_error() && problem.path.starts_with(&path)) {
            continue;
        }
        for fault in catalog.faults(&name, &node.config) {
            let problem = Problem::new(Code::ConfigInvalid, format!("{path}{}", fault.path), fault.message);
            found.push(problem.hint(fault.hint).at_node(key));
        }
        let path = format!("/nodes/{}/connection", escape(key));
        let lack = match (catalog.connections(&name, &node.config), &node.connection) {
            (Some([]), Some(_)) => {
                let message = "with this config the node uses no connection";
                Problem::new(Code::ConnectionNotAccepted, path, message).hint("remove `connection`")
            }
            (Some(kinds @ [_, ..]), None) => {
                let message = "with this config the node needs a connection";
                let hint = format!("name one of the type {}", kinds.join(", "));
                Problem::new(Code::ConnectionUnknown, path, message).hint(hint)
            }
            _ => continue,
        };
        found.push(lack.at_node(key));
    }
    found
}

/// What is known at one place of a document, broken or not: the names that an expression there may use.
pub(super) fn types_at(
    document: &Value,
    catalog: &dyn Catalog,
    surroundings: &Surroundings<'_>,
    node: Option<&str>,
    path: &str,
) -> Option<crate::expression::Types> {
    let definition = read(document).definition?;
    let structure = Structure::of(&definition, catalog);
    let typing = Typing::of(&definition, &structure, catalog, surroundings);
    typing.at(&definition, node, path)
}

impl<'a> Structure<'a> {
    fn of(definition: &'a Definition, catalog: &'a dyn Catalog) -> Self {
        let mut problems = Vec::new();
        let mut nodes: BTreeMap<&str, Checked> = BTreeMap::new();
        let mut checker = NodeCheck::new(catalog);
        for (key, node) in &definition.nodes {
            nodes.insert(key, checker.check(key, node, &mut problems));
        }
        let places: BTreeMap<String, NodeIx> =
            nodes.keys().zip(0..).map(|(key, ix)| ((*key).to_owned(), NodeIx(ix))).collect();
        let has_trigger = nodes.values().any(|checked| checked.graph_node.is_trigger);
        let all_known = nodes.values().all(|checked| checked.descriptor.is_some());
        if !has_trigger && all_known {
            problems.push(Problem::new(Code::TriggerMissing, "/nodes", "no node starts this workflow"));
        }
        let is_whole = edge::join(definition, &mut nodes, &places, &mut problems);
        let order = order::topological_order(&nodes, &mut problems);
        // With an edge that leads nowhere, or a node that may be a trigger, nothing is certain.
        if is_whole && has_trigger && all_known {
            order::check_reachable(&nodes, &mut problems);
        }
        let mut output_reads = References::default();
        let output = definition.output.as_ref().and_then(|output| match Template::compile(output) {
            Ok(template) => {
                output_reads.absorb(template.references());
                Some(template)
            }
            Err(_) => {
                problems.extend(expression_problems(output, "/output"));
                None
            }
        });
        if let Some(schema) = &definition.input_schema
            && let Err(error) = jsonschema::validator_for(schema)
        {
            let reason: String = error.masked_with("this").to_string().chars().take(300).collect();
            let message = format!("not a JSON Schema: {reason}");
            problems.push(Problem::new(Code::InputSchemaInvalid, "/input_schema", message));
        }
        let timeout = node::duration(definition.settings.timeout.as_deref(), "/settings/timeout", None, &mut problems);
        let finder = Finder::of(&definition.settings, &mut problems);
        let upstream = (order.len() == nodes.len()).then(|| order::ancestors(&nodes, &order));
        let references = Vec::new();
        let mut structure =
            Self { nodes, places, order, upstream, output, output_reads, timeout, finder, problems, references };
        structure.resolve();
        structure
    }

    /// Every `nodes.<key>` must come before the node that reads it; the run's output may read all.
    fn resolve(&mut self) {
        for key in self.output_reads.nodes.keys().filter(|key| !self.places.contains_key(*key)) {
            let message = format!("there is no node `{key}`");
            self.references.push(Problem::new(Code::ReferenceUnknown, "/output", message));
        }
        for (ix, (key, checked)) in self.nodes.iter_mut().enumerate() {
            let path = format!("/nodes/{}", escape(key));
            for read in checked.reads.nodes.keys() {
                let comes_before = |place: NodeIx| match &self.upstream {
                    Some(upstream) => upstream.get(ix).is_some_and(|set| set.contains(place.0 as usize)),
                    // With a cycle nobody comes before anybody; that is reported already.
                    None => true,
                };
                let problem = match self.places.get(read) {
                    Some(place) if comes_before(*place) => {
                        checked.graph_node.reads.push(*place);
                        continue;
                    }
                    Some(_) => {
                        let message = format!("`{key}` reads the output of `{read}`, which does not come before it");
                        Problem::new(Code::ReferenceNotUpstream, &path, message)
                    }
                    None => Problem::new(Code::ReferenceUnknown, &path, format!("there is no node `{read}`")),
                };
                self.references.push(problem.at_node(key));
            }
        }
    }

    fn into_graph(self, definition: &Definition) -> Result<Graph, Vec<Problem>> {
        if self.problems.iter().any(Problem::is_error) {
            return Err(self.problems);
        }
        Ok(Graph {
            by_key: self.places,
            nodes: self.nodes.into_values().map(|checked| checked.graph_node).collect(),
            output: self.output,
            input_schema: definition.input_schema.clone(),
            timeout: self.timeout,
            finder: self.finder,
        })
    }
}

/// What is wrong with the expressions of a value: the first fault of each of its strings.
pub(super) fn expression_problems(value: &Value, path: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    each_string(value, path.to_owned(), &mut |path, text| {
        if let Err(error) = Template::compile(&Value::from(text)) {
            let position = error.column.map(|column| Position::in_text(text, column));
            found.push(Problem::new(Code::ExpressionInvalid, path, error.message).at(position));
        }
    });
    if found.is_empty() {
        // Only the value as a whole is wrong: it nests too deeply.
        let whole = Template::compile(value).err();
        found.extend(
            whole.map(|error| Problem::new(Code::ExpressionInvalid, format!("{path}{}", error.path), error.message)),
        );
    }
    found
}

pub(super) fn each_string(value: &Value, path: String, with: &mut dyn FnMut(String, &str)) {
    match value {
        Value::String(text) => with(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_string(item, format!("{path}/{index}"), with);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                each_string(field, format!("{path}/{}", escape(key)), with);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

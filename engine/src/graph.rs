//! A checked DAG. Only [`Graph::check`] can make one, so that whoever holds one need not ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::catalog::{Catalog, EffectClass, NodeTypeName};
use crate::definition::problem::Problem;
use crate::definition::{Definition, Join, OnItemError, OnUncertain, Patience};
use crate::expression::{ExpressionError, References, Template, Types};
use crate::run::event::NodeIx;
use crate::sensitive::Sensitive;

mod check;
mod config;
mod finder;
pub mod hash;

pub use config::Config;
use finder::Finder;
pub use finder::Found;

/// A workflow that can run.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<GraphNode>,
    by_key: BTreeMap<String, NodeIx>,
    /// The run's result, when the document says one.
    pub output: Option<Template>,
    /// What a run's input must look like.
    pub input_schema: Option<Value>,
    /// How long a run may take.
    pub timeout: Option<Duration>,
    finder: Option<Finder>,
}

/// A node with everything that the rules ask of it.
#[derive(Debug)]
pub struct GraphNode {
    /// Its key.
    pub key: String,
    /// What it is an instance of.
    pub r#type: NodeTypeName,
    /// What a repeat may do.
    pub class: EffectClass,
    /// Whether it starts runs.
    pub is_trigger: bool,
    /// The name of the connection that it uses.
    pub connection: Option<String>,
    /// Its config, read for expressions.
    pub config: Config,
    /// When it may start.
    pub join: Join,
    /// Retry, timeout, deadline.
    pub patience: Patience,
    /// What to do when nobody knows whether its effect happened.
    pub on_uncertain: OnUncertain,
    /// Once per item.
    pub for_each: Option<GraphForEach>,
    /// Edges that arrive.
    pub incoming: Vec<Incoming>,
    /// Edges that leave.
    pub outgoing: Vec<Outgoing>,
    /// Whether its input port delivers an object keyed by source.
    pub many: bool,
    /// Whether a retried definite answer gets a fresh idempotency key.
    pub fresh_key_after_answer: bool,
    /// The nodes whose outputs its expressions read.
    pub reads: Vec<NodeIx>,
    /// What the expressions of its config read, and how much of it.
    pub references: References,
    /// Whether its type looks at what arrives, beside what expressions take of it.
    pub reads_input: bool,
    /// For a disabled node the output by which it hands its input on.
    pub passes: Option<String>,
}

/// A checked `for_each`.
#[derive(Debug)]
pub struct GraphForEach {
    /// Gives the list.
    pub items: Template,
    /// Most items under way at once.
    pub concurrency: u32,
    /// What a failed item does.
    pub on_item_error: OnItemError,
}

/// An edge seen from its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Where it comes from.
    pub source: NodeIx,
    /// The source's port.
    pub port: String,
}

/// An edge seen from its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The port it leaves by.
    pub port: String,
    /// Where it goes.
    pub target: NodeIx,
}

/// What looking at a document brought to light.
#[derive(Debug)]
pub struct Examined {
    /// The graph, unless a problem is an error.
    pub graph: Option<Graph>,
    /// Every problem, in document order.
    pub problems: Vec<Problem>,
}

/// Looks at a document as it is, broken or not, and says everything about it at once.
pub fn examine(document: &Value, catalog: &dyn Catalog) -> Examined {
    check::examine(document, catalog, &Surroundings::default())
}

/// The same, with what is known of the place where the document shall run.
pub fn examine_in(document: &Value, catalog: &dyn Catalog, surroundings: &Surroundings<'_>) -> Examined {
    check::examine(document, catalog, surroundings)
}

/// The names that an expression at a place of a document may use, as far as it can be read: below a node, or in the
/// run's output without one. `path` is a JSON pointer into the node, such as `/config/url`. `None` when there is no such
/// node.
pub fn types_at(
    document: &Value,
    catalog: &dyn Catalog,
    surroundings: &Surroundings<'_>,
    node: Option<&str>,
    path: &str,
) -> Option<Types> {
    check::types_at(document, catalog, surroundings, node, path)
}

/// What a document refers to and does not hold. What is not given is not checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// Connections by name, with their types.
    pub connections: Option<&'a BTreeMap<String, String>>,
    /// The names of the variables.
    pub variables: Option<&'a BTreeSet<String>>,
}

impl Graph {
    /// Checks what a run relies on against the node types that this process has. A version that was published passes
    /// it for ever; [`examine`] checks more, before publishing.
    ///
    /// # Errors
    /// Every problem at once, in document order.
    pub fn check(definition: &Definition, catalog: &dyn Catalog) -> Result<Self, Vec<Problem>> {
        check::check(definition, catalog)
    }

    /// Whether a run may start with this input.
    ///
    /// # Errors
    /// The first thing that the `input_schema` does not allow, with its place.
    pub fn check_input(&self, input: &Value) -> Result<(), String> {
        let Some(schema) = &self.input_schema else { return Ok(()) };
        let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
        let failed = validator.iter_errors(input).next();
        let Some(error) = failed else { return Ok(()) };
        let place = error.instance_path();
        // What nobody is to see stays out of messages, which are kept and shown.
        Err(match Sensitive::of(schema) {
            Some(_) => format!("at `{place}`: {}", error.masked_with("this")),
            None => format!("at `{place}`: {error}"),
        })
    }

    /// The key and the labels that the definition gives a run of this input.
    ///
    /// # Errors
    /// The first of their expressions that fails.
    pub fn found_by(&self, input: &Value) -> Result<Found, ExpressionError> {
        self.finder.as_ref().map_or_else(|| Ok(Found::default()), |finder| finder.found(input))
    }

    /// The nodes in key order; a [`NodeIx`] is a place in it.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIx, &GraphNode)> {
        (0..).map(NodeIx).zip(&self.nodes)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none; a checked graph has at least a trigger.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node at a place; `None` for a place of another graph.
    pub fn node(&self, ix: NodeIx) -> Option<&GraphNode> {
        self.nodes.get(ix.0 as usize)
    }

    /// Whether any of its expressions reads `vars`.
    pub fn reads_vars(&self) -> bool {
        self.nodes.iter().any(|node| node.names("vars"))
            || self.output.as_ref().is_some_and(|output| output.references().roots.contains_key("vars"))
    }

    /// The place of a key.
    pub fn find(&self, key: &str) -> Option<NodeIx> {
        self.by_key.get(key).copied()
    }
}

impl GraphNode {
    /// Whether any of its expressions uses this root name, such as `input` or `run`.
    pub fn names(&self, root: &str) -> bool {
        let of_items = self.for_each.as_ref().map(|for_each| for_each.items.references());
        std::iter::once(&self.references).chain(of_items).any(|read| read.roots.contains_key(root))
    }

    /// Whether a failure has somewhere to go.
    pub fn handles_error(&self) -> bool {
        self.outgoing.iter().any(|edge| edge.port == crate::catalog::ERROR)
    }
}

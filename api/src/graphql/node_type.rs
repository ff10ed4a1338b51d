//! What nodes there can be.

use async_graphql::{Context, Enum, Json, Object, SimpleObject};
use engine::catalog::{self, NodeDescriptor, Port};
use serde_json::Value;

use super::Result;
use super::request::Asked as _;
use crate::auth::Permission;

/// Where a node type stands in a palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "NodeCategory", remote = "catalog::NodeCategory")]
pub enum NodeCategoryName {
    /// Starts runs.
    Trigger,
    /// Shapes data.
    Data,
    /// Decides where a run goes.
    Flow,
    /// Talks to the outside.
    Integration,
}

/// A typed end that edges are joined to.
#[derive(SimpleObject)]
#[graphql(name = "Port")]
pub struct PortObject {
    /// Its name inside the node.
    name: String,
    /// What passes through it: `{"type": …}` with `items` or `fields`.
    r#type: Json<Value>,
    /// Inputs only: takes any number of edges and delivers an object keyed by source node key.
    many: bool,
}

impl From<&Port> for PortObject {
    fn from(port: &Port) -> Self {
        Self {
            name: port.name.to_owned(),
            r#type: Json(serde_json::to_value(&port.r#type).unwrap_or_default()),
            many: port.many,
        }
    }
}

/// A kind of node.
#[derive(SimpleObject)]
pub struct NodeType {
    /// Name and major version, such as `http.request@1`.
    r#type: String,
    /// A few words for a palette.
    title: String,
    /// One sentence: what it does.
    summary: String,
    /// Markdown: what it takes, what it gives, one example.
    docs: String,
    /// Where it stands in a palette.
    category: NodeCategoryName,
    /// Other words that people search for.
    aliases: Vec<String>,
    /// JSON Schema (2020-12) of a node's `config`.
    config_schema: Json<Value>,
    /// What arrives; none for triggers.
    inputs: Vec<PortObject>,
    /// What leaves, besides the port `error` that every node but a trigger has.
    outputs: Vec<PortObject>,
    /// Whether a node of it may have `for_each`.
    for_each: bool,
}

impl From<&NodeDescriptor> for NodeType {
    fn from(descriptor: &NodeDescriptor) -> Self {
        Self {
            r#type: descriptor.r#type.to_string(),
            title: descriptor.title.to_owned(),
            summary: descriptor.summary.to_owned(),
            docs: descriptor.docs.to_owned(),
            category: descriptor.category.into(),
            aliases: descriptor.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            config_schema: Json(descriptor.config_schema.clone()),
            inputs: descriptor.inputs.iter().map(PortObject::from).collect(),
            outputs: descriptor.outputs.iter().map(PortObject::from).collect(),
            for_each: descriptor.for_each,
        }
    }
}

/// What nodes there can be.
#[derive(Default)]
pub struct NodeTypeQuery;

#[Object]
impl NodeTypeQuery {
    /// Every kind of node that this server has, by name.
    #[graphql(complexity = "1 + 50 * child_complexity")]
    async fn node_types(&self, ctx: &Context<'_>) -> Result<Vec<NodeType>> {
        ctx.viewer()?.require(Permission::Read)?;
        Ok(ctx.app()?.runtime.registry().descriptors().map(NodeType::from).collect())
    }
}

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
    /// What passes through it: `{"type": …}` with `items`, `fields` or `of`.
    r#type: Json<Value>,
    /// The same as JSON Schema.
    schema: Json<Value>,
    /// The same in words.
    type_text: String,
    /// Inputs only: takes any number of edges and delivers an object keyed by source node key.
    many: bool,
}

impl From<&Port> for PortObject {
    fn from(port: &Port) -> Self {
        Self {
            name: port.name.to_owned(),
            r#type: Json(serde_json::to_value(&port.r#type).unwrap_or_default()),
            schema: Json(port.r#type.to_schema()),
            type_text: port.r#type.to_string(),
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
    /// The name of its picture in the Lucide set.
    icon: String,
    /// Types of connections that a node's `connection` may be of; none when it takes no connection.
    auth: Vec<String>,
    /// Set when new workflows should use something else.
    deprecated: Option<NodeTypeDeprecation>,
    /// What published nodes rely on, as SHA-256 in hex: name, config schema and ports, no texts.
    digest: String,
    /// The language that `title`, `summary`, `docs` and the texts of `configSchema` are in.
    language: String,
    /// Why nodes of this type cannot be run by the server that was asked; null when they can.
    unavailable: Option<String>,
}

/// Why a node type should not be used any more. Published versions go on running.
#[derive(SimpleObject)]
pub struct NodeTypeDeprecation {
    /// The release that said so.
    since: String,
    /// The node type to use instead.
    replacement: Option<String>,
}

impl NodeType {
    fn of(descriptor: &NodeDescriptor, locale: &str, unavailable: Option<String>) -> Self {
        let words = descriptor.words(locale);
        let owned = |texts: &[&'static str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            r#type: descriptor.r#type.to_string(),
            title: words.title.to_owned(),
            summary: words.summary.to_owned(),
            docs: words.docs.to_owned(),
            category: descriptor.category.into(),
            aliases: owned(&words.aliases),
            config_schema: Json(words.config_schema),
            inputs: descriptor.inputs.iter().map(PortObject::from).collect(),
            outputs: descriptor.outputs.iter().map(PortObject::from).collect(),
            for_each: descriptor.for_each,
            icon: descriptor.icon.to_owned(),
            auth: owned(descriptor.auth),
            deprecated: descriptor.deprecated.map(|deprecation| NodeTypeDeprecation {
                since: deprecation.since.to_owned(),
                replacement: deprecation.replacement.map(str::to_owned),
            }),
            digest: descriptor.digest().to_string(),
            language: words.language.to_owned(),
            unavailable,
        }
    }
}

/// What nodes there can be.
#[derive(Default)]
pub struct NodeTypeQuery;

#[Object]
impl NodeTypeQuery {
    /// Every kind of node that this server has, by name, in the words of a language.
    #[graphql(complexity = "1 + 50 * child_complexity")]
    async fn node_types(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = "en", desc = "Such as `de` or `de-AT`; English for what is not translated.")]
        locale: String,
    ) -> Result<Vec<NodeType>> {
        ctx.viewer()?.require(Permission::Read)?;
        let registry = ctx.app()?.runtime.registry();
        let of = |known: &NodeDescriptor| {
            let unavailable = registry.get(&known.r#type).and_then(|node| node.unavailable());
            NodeType::of(known, &locale, unavailable)
        };
        Ok(registry.descriptors().map(of).collect())
    }
}

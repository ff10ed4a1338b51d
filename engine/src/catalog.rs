//! What a node type says of itself. Types live in `nodes` and in third-party packages; the rules only read this.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::words::{ENGLISH, Translation, Words};
use crate::port::PortType;
use crate::value::Digest;

mod contract;
mod words;

/// The port that a node's success leaves by unless its type says otherwise.
pub const OUT: &str = "out";
/// The port that edges arrive at unless they say otherwise.
pub const IN: &str = "in";
/// The port that every node but a trigger has: taken when the node fails and an edge leaves from it.
pub const ERROR: &str = "error";

/// `group.name@MAJOR`, such as `http.request@1`. A published MAJOR stays runnable for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeTypeName {
    /// Group and name, such as `http.request`; third-party types have `publisher/` before it.
    pub name: String,
    /// The major version.
    pub major: u32,
}

/// A text that is not a node type's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a node type; write `group.name@MAJOR`, such as `http.request@1`")]
pub struct ParseNodeTypeError(pub String);

impl FromStr for NodeTypeName {
    type Err = ParseNodeTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseNodeTypeError(text.chars().take(80).collect());
        let (name, major) = text.split_once('@').ok_or_else(wrong)?;
        let fits = !name.is_empty()
            && name.len() <= 128
            && name.contains('.')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '/'));
        let major = major.parse().ok().filter(|_| fits).ok_or_else(wrong)?;
        Ok(Self { name: name.to_owned(), major })
    }
}

impl TryFrom<String> for NodeTypeName {
    type Error = ParseNodeTypeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NodeTypeName> for String {
    fn from(name: NodeTypeName) -> Self {
        name.to_string()
    }
}

impl fmt::Display for NodeTypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.major)
    }
}

/// What may happen when a node is executed again without knowing how the last time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EffectClass {
    /// Same input, same output, nothing outside is touched: may be computed again at any time.
    Pure,
    /// Touches the outside, but twice with the same key is as once: repeated after a crash with the same key.
    Idempotent,
    /// Twice is not once: never repeated unless the author said so; parked as UNCERTAIN instead.
    Effectful,
}

/// Where a node type stands in a palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NodeCategory {
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Port {
    /// Its name inside the node, such as `in` or `true`.
    pub name: &'static str,
    /// What passes through it.
    pub r#type: PortType,
    /// Inputs only: takes any number of edges and delivers an object keyed by source node key.
    pub many: bool,
}

impl Port {
    /// A port for one edge.
    pub fn one(name: &'static str, r#type: PortType) -> Self {
        Self { name, r#type, many: false }
    }

    /// An input for any number of edges.
    pub fn many(name: &'static str) -> Self {
        Self { name, r#type: PortType::Any, many: true }
    }
}

/// Everything that palette, form, validation and documentation know of a node type. Its own words are English;
/// [`NodeDescriptor::words`] has them in other languages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeDescriptor {
    /// Its name and major version.
    pub r#type: NodeTypeName,
    /// A few words for a palette.
    pub title: &'static str,
    /// One sentence: what it does.
    pub summary: &'static str,
    /// Markdown for people: what it takes, what it gives, one example.
    pub docs: &'static str,
    /// Where it stands in a palette.
    pub category: NodeCategory,
    /// The name of its picture in the Lucide set, such as `globe`.
    pub icon: &'static str,
    /// Other words that people search for.
    pub aliases: &'static [&'static str],
    /// Its words in languages other than English.
    pub translations: &'static [Translation],
    /// JSON Schema (2020-12) of `config`, before expressions are put in.
    pub config_schema: Value,
    /// Inputs; none for triggers.
    pub inputs: Vec<Port>,
    /// Outputs without the `error` port, which every node but a trigger has.
    pub outputs: Vec<Port>,
    /// Whether the author may set `for_each` on it.
    pub for_each: bool,
    /// Types of connections that its field `connection` may name, such as `http.bearer`; none when it takes no
    /// connection.
    pub auth: &'static [&'static str],
    /// Set when new workflows should use something else. Published versions go on running.
    pub deprecated: Option<Deprecation>,
    /// Whether a definite answer that is retried (not a crash, not a timeout) gets a fresh idempotency key.
    pub fresh_key_after_answer: bool,
}

/// Since when a node type should not be used any more, and what to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Deprecation {
    /// The release that said so.
    pub since: &'static str,
    /// The node type to use instead, as `group.name@MAJOR`.
    pub replacement: Option<&'static str>,
}

impl NodeDescriptor {
    /// A type without words or config that takes anything by `in` and gives anything by `out`; a trigger takes nothing.
    /// Meant for struct update: `NodeDescriptor { title: "…", ..NodeDescriptor::new(…) }`.
    pub fn new(name: &str, major: u32, category: NodeCategory) -> Self {
        let inputs = if category == NodeCategory::Trigger { Vec::new() } else { vec![Port::one(IN, PortType::Any)] };
        Self {
            r#type: NodeTypeName { name: name.to_owned(), major },
            title: "",
            summary: "",
            docs: "",
            category,
            icon: "box",
            aliases: &[],
            translations: &[],
            config_schema: json!({ "type": "object", "additionalProperties": false, "properties": {} }),
            inputs,
            outputs: vec![Port::one(OUT, PortType::Any)],
            for_each: false,
            auth: &[],
            deprecated: None,
            fresh_key_after_answer: false,
        }
    }

    /// Whether nodes of this type start runs.
    pub fn is_trigger(&self) -> bool {
        self.category == NodeCategory::Trigger
    }

    /// The outputs that a config names, besides [`NodeDescriptor::outputs`]: a list in the config whose schema says
    /// `"x-ports": "field"` gives one port for each of its entries, called what the entry's `field` says.
    pub fn named_outputs<'c>(&self, config: &'c Value) -> impl Iterator<Item = &'c str> {
        let fields = self.config_schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let lists =
            fields.filter_map(|(name, schema)| Some((name.clone(), schema.get("x-ports")?.as_str()?.to_owned())));
        let named = lists.flat_map(move |(list, field)| {
            let entries = config.get(&list).and_then(Value::as_array).into_iter().flatten();
            entries.filter_map(move |entry| entry.get(&field)?.as_str())
        });
        named.collect::<Vec<_>>().into_iter()
    }

    /// What published nodes of this type rely on, as a hash: name, config schema and ports, without any word for
    /// people. Two processes whose digests of a type agree run it alike.
    pub fn digest(&self) -> Digest {
        contract::digest(self)
    }
}

/// A node as its type sees it before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// Its config as written.
    pub config: &'a Value,
    /// What its config gives once expressions are put in; null for deferred fields.
    pub types: &'a PortType,
    /// What arrives at it.
    pub input: &'a PortType,
}

/// Something that a config says and its type cannot take, beyond what its JSON Schema can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the config; empty for the config as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// The node types that a process has.
pub trait Catalog: Send + Sync {
    /// What the type says of itself; `None` when it is not known here.
    fn descriptor(&self, r#type: &NodeTypeName) -> Option<&NodeDescriptor>;

    /// The effect class of a node of this type with this config, expressions not yet put in. A config that decides
    /// its class by an expression has the most careful class it could have.
    fn effect(&self, r#type: &NodeTypeName, config: &Value) -> EffectClass;

    /// Whether such a node looks at what arrives, beside what its expressions take of it.
    fn reads_input(&self, _type: &NodeTypeName, _config: &Value) -> bool {
        true
    }

    /// What leaves a port of such a node, where its type can tell more than its descriptor does.
    fn output(&self, _type: &NodeTypeName, _port: &str, _shape: &Shape<'_>) -> Option<PortType> {
        None
    }

    /// What is wrong with a config beyond its schema. Asked before publishing only.
    fn faults(&self, _type: &NodeTypeName, _config: &Value) -> Vec<Fault> {
        Vec::new()
    }

    /// Types of connections of which such a node needs one; empty when it needs none. `None` where the descriptor says
    /// all that there is to say.
    fn connections(&self, _type: &NodeTypeName, _config: &Value) -> Option<&'static [&'static str]> {
        None
    }

    /// The config of a node of an older major version, as this type would have it; `None` when it cannot tell. A type
    /// never changes a document by itself: the author is shown the difference.
    fn migrate(&self, _type: &NodeTypeName, _config: &Value, _from: u32) -> Option<Value> {
        None
    }
}

//! FlowForge CEL (to be written by the expression work).

use serde_json::Value;

/// The names an expression may use.
pub trait Scope: Send + Sync {
    /// The value of a root name such as `input` or `nodes`; `None` when there is no such name here.
    fn root(&self, name: &str) -> Option<&Value>;
    /// `nodes.<key>.output` of one node, without building the object of all nodes; `None` when it has no output.
    fn node_output(&self, key: &str) -> Option<&Value>;
}

//! What is different between two documents: nodes by key, edges as a set, everything else by place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::canonical::escape;
use super::{Definition, Edge};

/// What happened to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeChange {
    /// It is only in the newer document.
    Added,
    /// It is only in the older document.
    Removed,
    /// It is in both, and not the same.
    Changed,
}

/// A node that is not the same in both documents.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDifference {
    /// Its key.
    pub key: String,
    /// What happened to it.
    pub change: NodeChange,
    /// Its fields that differ, by JSON pointer inside the node; none for one that was added or removed.
    pub fields: Vec<FieldDifference>,
}

/// A place whose values differ.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// JSON pointer.
    pub path: String,
    /// What the older document has there.
    pub from: Option<Value>,
    /// What the newer document has there.
    pub to: Option<Value>,
}

/// Everything that is different.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// Nodes by key.
    pub nodes: Vec<NodeDifference>,
    /// Edges that only the newer document has.
    pub edges_added: Vec<Edge>,
    /// Edges that only the older document has.
    pub edges_removed: Vec<Edge>,
    /// Everything beside nodes and edges, by JSON pointer into the document.
    pub fields: Vec<FieldDifference>,
}

impl Difference {
    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges_added.is_empty() && self.edges_removed.is_empty() && self.fields.is_empty()
    }
}

/// Compares two documents, broken or not. What only spells out a default is no difference as long as a document can be
/// read.
pub fn between(older: &Value, newer: &Value) -> Difference {
    let (older, newer) = (plain(older), plain(newer));
    let (old_edges, new_edges) = (edges(&older), edges(&newer));
    let mut difference = Difference {
        edges_added: new_edges.difference(&old_edges).map(edge).collect(),
        edges_removed: old_edges.difference(&new_edges).map(edge).collect(),
        ..Difference::default()
    };
    let (old_nodes, new_nodes) = (nodes(&older), nodes(&newer));
    let keys: BTreeSet<&String> = old_nodes.keys().chain(new_nodes.keys()).copied().collect();
    for key in keys {
        let mut fields = Vec::new();
        let change = match (old_nodes.get(key), new_nodes.get(key)) {
            (None, _) => NodeChange::Added,
            (_, None) => NodeChange::Removed,
            (Some(old), Some(new)) => {
                compare(Some(old), Some(new), String::new(), &mut fields);
                NodeChange::Changed
            }
        };
        if change != NodeChange::Changed || !fields.is_empty() {
            difference.nodes.push(NodeDifference { key: key.clone(), change, fields });
        }
    }
    let rest = |document: &Value| -> Value {
        let fields = document.as_object().into_iter().flatten();
        fields.filter(|(key, _)| *key != "nodes" && *key != "edges").map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    compare(Some(&rest(&older)), Some(&rest(&newer)), String::new(), &mut difference.fields);
    difference
}

/// The document as it is written when defaults are left out, if it can be read at all.
fn plain(document: &Value) -> Value {
    let read = Definition::from_json(document).ok();
    read.and_then(|definition| serde_json::to_value(definition).ok()).unwrap_or_else(|| document.clone())
}

fn nodes(document: &Value) -> BTreeMap<&String, &Value> {
    document.get("nodes").and_then(Value::as_object).into_iter().flatten().collect()
}

/// Edges with their ports written out; their order means nothing.
fn edges(document: &Value) -> BTreeSet<[String; 2]> {
    let listed = document.get("edges").and_then(Value::as_array).into_iter().flatten();
    listed
        .filter_map(|edge| {
            let end = |name| edge.get(name).and_then(Value::as_str).map(str::to_owned);
            let edge = Edge { from: end("from")?, to: end("to")? };
            let ((from, out), (to, into)) = (edge.source(), edge.target());
            Some([format!("{from}.{out}"), format!("{to}.{into}")])
        })
        .collect()
}

fn edge([from, to]: &[String; 2]) -> Edge {
    Edge { from: from.clone(), to: to.clone() }
}

fn compare(older: Option<&Value>, newer: Option<&Value>, path: String, found: &mut Vec<FieldDifference>) {
    match (older, newer) {
        _ if older == newer => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for key in keys(old, new) {
                compare(old.get(key), new.get(key), format!("{path}/{}", escape(key)), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(Some(old), Some(new), format!("{path}/{index}"), found);
            }
        }
        _ => found.push(FieldDifference { path, from: older.cloned(), to: newer.cloned() }),
    }
}

fn keys<'a>(old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> BTreeSet<&'a String> {
    old.keys().chain(new.keys()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "nodes": {
                "start": {"type": "a.start@1"},
                "work": {"type": "a.work@1", "config": {"n": 1, "list": [1, 2]}},
                "gone": {"type": "a.work@1"},
            },
            "edges": [{"from": "start", "to": "work"}, {"from": "work", "to": "gone"}],
            "settings": {"timeout": "1h"},
        })
    }

    #[test]
    fn nodes_edges_and_everything_else_are_told_apart() {
        let mut newer = document();
        newer["nodes"]["work"]["config"] = json!({"n": 1, "list": [1, 3], "a/b": true});
        newer["nodes"]["new"] = newer["nodes"].as_object_mut().unwrap().remove("gone").unwrap();
        newer["edges"] = json!([{"from": "work.error", "to": "new"}, {"from": "start.out", "to": "work.in"}]);
        newer["settings"]["timeout"] = json!("2h");
        let difference = between(&document(), &newer);
        let nodes: Vec<_> = difference.nodes.iter().map(|node| (node.key.as_str(), node.change)).collect();
        assert_eq!(nodes, [("gone", NodeChange::Removed), ("new", NodeChange::Added), ("work", NodeChange::Changed)]);
        assert_eq!(
            difference.nodes[2].fields,
            [
                FieldDifference { path: "/config/a~1b".into(), from: None, to: Some(json!(true)) },
                FieldDifference { path: "/config/list/1".into(), from: Some(json!(2)), to: Some(json!(3)) },
            ]
        );
        assert_eq!(difference.edges_added, [Edge { from: "work.error".into(), to: "new.in".into() }]);
        assert_eq!(difference.edges_removed, [Edge { from: "work.out".into(), to: "gone.in".into() }]);
        let settings =
            FieldDifference { path: "/settings/timeout".into(), from: Some(json!("1h")), to: Some(json!("2h")) };
        assert_eq!(difference.fields, [settings]);
    }

    #[test]
    fn spelling_is_no_difference() {
        let mut newer = document();
        newer["edges"].as_array_mut().unwrap().reverse();
        newer["nodes"]["start"]["config"] = json!({});
        newer["nodes"]["start"]["join"] = json!("all");
        assert!(between(&document(), &newer).is_empty());
    }

    #[test]
    fn broken_documents_are_compared_as_far_as_they_go() {
        let broken = json!({"nodes": {"a": 5, "b": [1]}, "edges": [7, {"from": "x"}], "what": 1});
        let difference = between(&broken, &json!({"nodes": [], "edges": {}}));
        assert_eq!(difference.nodes.len(), 2);
        assert_eq!(difference.fields.len(), 1);
        assert!(between(&json!(null), &json!([])).is_empty());
    }
}

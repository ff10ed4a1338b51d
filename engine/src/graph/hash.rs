//! What a node's result depends on, as one hash: its own settings, its type, and the hashes of all that comes before.
//! A run that is tried again may take over the result of a node whose hash is unchanged.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::catalog::{Catalog, NodeTypeName};
use crate::definition::{Definition, Edge, Node, canonical};
use crate::value::Digest;

/// Fields of a node that say when it is given up or what it is called, but not what it gives when it succeeds.
const NOT_HASHED: &[&str] = &["name", "type", "retry", "timeout", "deadline", "on_uncertain"];

/// The digest of every type that a document uses, by the type's name. Types that this process does not know are left
/// out.
pub fn type_digests(definition: &Definition, catalog: &dyn Catalog) -> BTreeMap<String, Digest> {
    let names = definition.nodes.values().map(|node| &node.r#type);
    names
        .filter_map(|name| {
            let parsed: NodeTypeName = name.parse().ok()?;
            Some((name.clone(), catalog.descriptor(&parsed)?.digest()))
        })
        .collect()
}

/// The hash of every node, by its key: a Merkle hash over its settings, its type's digest, and port and hash of
/// whatever leads to it. Equal hashes mean: the same inputs give the same result.
///
/// Works on any document. Nodes on a cycle or behind one, and nodes of a type without a digest with all that comes
/// after them, have no hash.
pub fn node_hashes(definition: &Definition, types: &BTreeMap<String, Digest>) -> BTreeMap<String, Digest> {
    let mut arriving: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
    let mut leaving: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for edge in &definition.edges {
        arriving.entry(edge.target().0).or_default().push(edge);
        leaving.entry(edge.source().0).or_default().push(edge.target().0);
    }
    let mut missing: BTreeMap<&str, usize> =
        definition.nodes.keys().map(|key| (key.as_str(), arriving.get(key.as_str()).map_or(0, Vec::len))).collect();
    let mut ready: Vec<&str> = missing.iter().filter(|(_, count)| **count == 0).map(|(key, _)| *key).collect();
    let mut hashes = BTreeMap::new();
    while let Some(key) = ready.pop() {
        let Some(node) = definition.nodes.get(key) else { continue };
        let Some(digest) = types.get(&node.r#type) else { continue };
        let before = arriving.get(key).map_or(&[][..], Vec::as_slice);
        hashes.insert(key.to_owned(), node_hash(node, digest, before, &hashes));
        for next in leaving.get(key).into_iter().flatten() {
            if let Some(count) = missing.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    ready.push(next);
                }
            }
        }
    }
    hashes
}

fn node_hash(node: &Node, digest: &Digest, before: &[&Edge], hashes: &BTreeMap<String, Digest>) -> Digest {
    let mut own = serde_json::to_value(node).unwrap_or_default();
    if let Some(fields) = own.as_object_mut() {
        fields.retain(|field, _| !NOT_HASHED.contains(&field.as_str()));
    }
    let mut upstream: Vec<Value> = before
        .iter()
        .map(|edge| {
            let ((source, from), (_, to)) = (edge.source(), edge.target());
            json!([source, from, to, hashes.get(source).map(Digest::to_string)])
        })
        .collect();
    // The order of edges in a document means nothing.
    upstream.sort_by_cached_key(Value::to_string);
    canonical::hash(&json!({"node": own, "type": digest.to_string(), "upstream": upstream}))
}

#[cfg(test)]
mod tests;

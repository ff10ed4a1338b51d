//! From JSON to a document, also where parts of it are broken: those are named and left out.

use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::canonical::{self, escape};
use super::problem::{Problem, ProblemCode as Code};
use super::{DOCUMENT_LIMIT, Definition, Edge, Node};

/// Deepest nesting of a document; JSON readers, ours included, refuse more than 128.
const MOST_LEVELS: usize = 100;
/// Longest account of what a reader did not like, in characters.
const LONGEST_REASON: usize = 300;
/// Most nodes, so that who comes before whom can be kept in memory.
const MOST_NODES: usize = 10_000;
/// Most edges.
const MOST_EDGES: usize = 100_000;
/// Most numbers that are complained about.
const MOST_NUMBERS: usize = 100;

/// What could be read of a document, and everything that kept the rest from it.
pub(crate) struct Read {
    /// The document without its broken parts; `None` when there is no telling what it should be.
    pub(crate) definition: Option<Definition>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads a document.
pub(crate) fn read(document: &Value) -> Read {
    let refused = |problem| Read { definition: None, problems: vec![problem] };
    if let Some(path) = too_deep(document) {
        let message = format!("the document is nested more than {MOST_LEVELS} deep");
        return refused(Problem::new(Code::DocumentInvalid, path, message));
    }
    if canonical::canonical_bytes(document).len() > DOCUMENT_LIMIT {
        return refused(Problem::new(Code::DocumentTooLarge, "", "the document is over 4 MiB"));
    }
    for (field, most) in [("nodes", MOST_NODES), ("edges", MOST_EDGES)] {
        let count = match document.get(field) {
            Some(Value::Object(nodes)) => nodes.len(),
            Some(Value::Array(edges)) => edges.len(),
            _ => 0,
        };
        if count > most {
            let message = format!("there are {count} {field}, and {most} are the most");
            let problem = Problem::new(Code::DocumentTooLarge, format!("/{field}"), message);
            return refused(problem.hint("cut the workflow into several"));
        }
    }
    let mut problems: Vec<Problem> = canonical::inexact_numbers(document, MOST_NUMBERS)
        .into_iter()
        .map(|path| Problem::new(Code::NumberNotExact, path, "this integer is over 2^53 and would be rounded"))
        .collect();
    let whole = serde_json::from_value::<Definition>(document.clone()).ok().filter(|_| is_of_objects(document));
    let definition = whole.or_else(|| salvaged(document, &mut problems));
    for problem in &mut problems {
        let key = problem.path.strip_prefix("/nodes/").and_then(|below| below.split('/').next());
        problem.node = key.map(|key| key.replace("~1", "/").replace("~0", "~"));
    }
    Read { definition, problems }
}

/// The place of the first part that is too deep, itself cut to what is not.
fn too_deep(document: &Value) -> Option<String> {
    let mut open = vec![(document, 0_usize, String::new())];
    while let Some((value, level, path)) = open.pop() {
        if level > MOST_LEVELS {
            return Some(path);
        }
        // Only what leads on is kept, so that a wide document is not copied.
        let leads_on = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
        match value {
            Value::Array(items) => {
                let below = items.iter().enumerate().filter(|(_, item)| leads_on(item));
                open.extend(below.map(|(index, item)| (item, level + 1, format!("{path}/{index}"))));
            }
            Value::Object(fields) => {
                let below = fields.iter().filter(|(_, field)| leads_on(field));
                open.extend(below.map(|(key, field)| (field, level + 1, format!("{path}/{}", escape(key)))));
            }
            _ => {}
        }
    }
    None
}

/// Whether what has named parts is an object. The reader of structs would take a list of the parts as well.
fn is_of_objects(document: &Value) -> bool {
    let parts_are = |value: &Value| STRUCTS.iter().all(|name| value.get(*name).is_none_or(is_struct));
    let nodes = document.get("nodes").and_then(Value::as_object);
    let edges = document.get("edges").and_then(Value::as_array);
    document.is_object()
        && parts_are(document)
        && nodes.into_iter().flatten().all(|(_, node)| node.is_object() && parts_are(node))
        && edges.into_iter().flatten().all(Value::is_object)
}

/// Fields that are objects with named parts.
const STRUCTS: &[&str] = &["settings", "retry", "for_each"];

fn is_struct(value: &Value) -> bool {
    value.is_object() || value.is_null()
}

/// Reads the document part by part.
fn salvaged(document: &Value, problems: &mut Vec<Problem>) -> Option<Definition> {
    let Value::Object(fields) = document else {
        problems.push(Problem::new(Code::DocumentInvalid, "", "the document is not an object"));
        return None;
    };
    let mut rest = fields.clone();
    let nodes = rest.remove("nodes");
    let edges = rest.remove("edges");
    let mut definition: Definition = parts(&rest, &Map::new(), "", problems)?;
    match nodes {
        Some(Value::Object(nodes)) => {
            for (key, node) in nodes {
                let node = read_node(&node, &key, problems);
                definition.nodes.insert(key, node);
            }
        }
        None => {}
        Some(_) => problems.push(Problem::new(Code::DocumentInvalid, "/nodes", "`nodes` is an object of nodes by key")),
    }
    match edges {
        Some(Value::Array(edges)) => {
            for (index, edge) in edges.iter().enumerate() {
                let read = serde_json::from_value::<Edge>(edge.clone());
                let read = if edge.is_object() { read } else { Edge::deserialize(&Value::Null) };
                // An edge that cannot be read keeps its place, so that those after it keep theirs.
                definition.edges.push(read.unwrap_or_else(|error| {
                    problems.push(
                        invalid(format!("/edges/{index}"), &error)
                            .hint("an edge is `{from: node.port, to: node.port}`"),
                    );
                    Edge { from: String::new(), to: String::new() }
                }));
            }
        }
        None => {}
        Some(_) => problems.push(Problem::new(Code::DocumentInvalid, "/edges", "`edges` is a list of edges")),
    }
    Some(definition)
}

/// A node that cannot be read at all is one of no type.
fn read_node(node: &Value, key: &str, problems: &mut Vec<Problem>) -> Node {
    let path = format!("/nodes/{}", escape(key));
    let known = problems.len();
    let read = match node {
        Value::Object(fields) => {
            let base = Map::from_iter([("type".to_owned(), Value::from(""))]);
            if !fields.contains_key("type") {
                let message = "a node has a `type`, such as `data.set@1`";
                problems.push(Problem::new(Code::DocumentInvalid, format!("{path}/type"), message));
            }
            parts(fields, &base, &path, problems)
        }
        _ => {
            problems.push(Problem::new(Code::DocumentInvalid, &path, "a node is an object with a `type`"));
            None
        }
    };
    for problem in problems.iter_mut().skip(known) {
        "the guide to workflows lists the fields of a node".clone_into(&mut problem.hint);
    }
    read.unwrap_or_default()
}

/// Reads an object field by field: a field that cannot be read is named and left out. `base` has what may not be
/// missing.
fn parts<T: DeserializeOwned>(
    fields: &Map<String, Value>,
    base: &Map<String, Value>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut good = base.clone();
    for (name, field) in fields {
        let mut alone = base.clone();
        alone.insert(name.clone(), field.clone());
        if STRUCTS.contains(&name.as_str()) && !is_struct(field) {
            let message = format!("`{name}` is an object");
            problems.push(Problem::new(Code::DocumentInvalid, format!("{path}/{name}"), message));
            continue;
        }
        match serde_json::from_value::<T>(Value::Object(alone)) {
            Ok(_) => drop(good.insert(name.clone(), field.clone())),
            Err(error) => problems.push(invalid(format!("{path}/{}", escape(name)), &error)),
        }
    }
    serde_json::from_value(Value::Object(good)).map_err(|error| problems.push(invalid(path.to_owned(), &error))).ok()
}

fn invalid(path: String, error: &serde_json::Error) -> Problem {
    let mut reason = error.to_string();
    for (theirs, ours) in [
        ("invalid type: ", "this is "),
        ("invalid value: ", "this is "),
        ("map", "an object"),
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("u32", "a whole number"),
        ("f64", "a number"),
        ("struct ForEach", "an object"),
        ("struct Retry", "an object"),
        ("struct Settings", "an object"),
        ("struct Edge", "an object"),
    ] {
        reason = reason.replace(theirs, ours);
    }
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    Problem::new(Code::DocumentInvalid, path, format!("this cannot be read: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(document: &Value) -> Vec<String> {
        read(document).problems.into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn every_broken_part_is_named_and_the_others_are_read() {
        let document = json!({
            "surprise": 1,
            "nodes": {
                "a/b": {"type": "data.set@1", "timeout": 5, "retry": {"attempts": "many"}, "config": {"value": 1}},
                "b": {"config": {}},
                "c": 7,
            },
            "edges": [{"from": "a"}, {"from": "x", "to": "y"}, 5],
            "settings": {"timeout": "1h", "speed": 3},
        });
        let mut found = places(&document);
        found.sort();
        let expected = [
            "/edges/0",
            "/edges/2",
            "/nodes/a~1b/retry",
            "/nodes/a~1b/timeout",
            "/nodes/b/type",
            "/nodes/c",
            "/settings",
            "/surprise",
        ];
        assert_eq!(found, expected);
        let definition = read(&document).definition.unwrap();
        assert_eq!(definition.nodes["a/b"].config, json!({"value": 1}));
        assert_eq!(definition.edges[1], Edge { from: "x".into(), to: "y".into() });
    }

    #[test]
    fn what_is_no_object_is_one_problem() {
        let lists = json!({"nodes": {"a": ["data.set@1"]}, "edges": [["a", "b"]], "settings": ["1h"]});
        assert_eq!(places(&lists), ["/settings", "/nodes/a", "/edges/0"]);
        for document in [json!(null), json!([]), json!("nodes"), json!(1e300)] {
            assert_eq!(places(&document), [""]);
        }
        assert_eq!(places(&json!({"nodes": [], "edges": {}})), ["/nodes", "/edges"]);
    }

    #[test]
    fn depth_is_refused_before_anything_recurses_into_it() {
        let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({"a": inner}));
        let of = |levels| places(&json!({"nodes": {"a": {"type": "x.y@1", "config": deep(levels)}}}));
        assert_eq!(of(90), Vec::<String>::new());
        assert_eq!(of(120).len(), 1);
    }

    #[test]
    fn every_number_that_would_be_rounded_is_named() {
        let big = 9_007_199_254_740_993_u64;
        assert_eq!(places(&json!({"input_schema": [big, {"a": big}]})), ["/input_schema/0", "/input_schema/1/a"]);
    }
}

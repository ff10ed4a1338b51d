use serde_json::json;

use super::*;

fn types() -> BTreeMap<String, Digest> {
    ["a.start@1", "a.work@1"].into_iter().map(|name| (name.to_owned(), Digest::of(b"", name.as_bytes()))).collect()
}

/// `start` leads to `left` and `right`, and both lead to `end`.
fn diamond() -> Value {
    json!({
        "nodes": {
            "start": {"type": "a.start@1"},
            "left": {"type": "a.work@1", "config": {"n": 1}},
            "right": {"type": "a.work@1", "config": {"n": 2}},
            "end": {"type": "a.work@1", "config": {"n": 3}},
        },
        "edges": [
            {"from": "start", "to": "left"}, {"from": "start", "to": "right"},
            {"from": "left", "to": "end"}, {"from": "right", "to": "end"},
        ],
    })
}

fn hashes(document: &Value) -> BTreeMap<String, Digest> {
    node_hashes(&Definition::from_json(document).unwrap(), &types())
}

/// The nodes of the diamond whose hash is another one after this change.
fn changed_by(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let before = hashes(&diamond());
    let mut document = diamond();
    change(&mut document);
    let after = hashes(&document);
    before.into_iter().filter(|(key, hash)| after.get(key) != Some(hash)).map(|(key, _)| key).collect()
}

#[test]
fn a_changed_node_changes_itself_and_what_comes_after_it() {
    assert_eq!(changed_by(|_| {}), Vec::<String>::new());
    assert_eq!(changed_by(|document| document["nodes"]["end"]["config"]["n"] = json!(4)), ["end"]);
    assert_eq!(changed_by(|document| document["nodes"]["left"]["config"]["n"] = json!(4)), ["end", "left"]);
    assert_eq!(
        changed_by(|document| document["nodes"]["start"]["config"] = json!({"x": 1})),
        ["end", "left", "right", "start"]
    );
}

#[test]
fn what_a_result_does_not_depend_on_changes_no_hash() {
    let untouched = changed_by(|document| {
        document["nodes"]["left"]["name"] = json!("To the left");
        document["nodes"]["left"]["retry"] = json!({"attempts": 3});
        document["nodes"]["left"]["timeout"] = json!("1s");
        document["nodes"]["left"]["deadline"] = json!("1m");
        document["nodes"]["left"]["on_uncertain"] = json!("fail");
        document["settings"] = json!({"timeout": "1h"});
        document["edges"].as_array_mut().unwrap().reverse();
    });
    assert_eq!(untouched, Vec::<String>::new());
}

#[test]
fn ports_joins_and_items_are_part_of_the_hash() {
    assert_eq!(changed_by(|document| document["edges"][2]["from"] = json!("left.error")), ["end"]);
    assert_eq!(changed_by(|document| document["edges"][2]["to"] = json!("end.other")), ["end"]);
    assert_eq!(changed_by(|document| document["nodes"]["end"]["join"] = json!("any")), ["end"]);
    assert_eq!(changed_by(|document| document["nodes"]["end"]["for_each"] = json!({"items": "{{ input }}"})), ["end"]);
    // A port that is written out is the port that is meant when none is.
    assert_eq!(changed_by(|document| document["edges"][2]["from"] = json!("left.out")), Vec::<String>::new());
}

#[test]
fn another_digest_of_a_type_changes_its_nodes_and_what_comes_after() {
    let definition = Definition::from_json(&diamond()).unwrap();
    let mut newer = types();
    newer.insert("a.start@1".to_owned(), Digest::of(b"", b"newer"));
    let (before, after) = (node_hashes(&definition, &types()), node_hashes(&definition, &newer));
    assert!(before.iter().all(|(key, hash)| after[key] != *hash));
}

#[test]
fn a_broken_document_has_hashes_as_far_as_they_can_be_told() {
    let mut document = diamond();
    document["edges"].as_array_mut().unwrap().push(json!({"from": "end", "to": "left"}));
    assert_eq!(hashes(&document).into_keys().collect::<Vec<_>>(), ["right", "start"], "a cycle has none");
    let mut document = diamond();
    document["nodes"]["left"]["type"] = json!("no such type");
    assert_eq!(hashes(&document).into_keys().collect::<Vec<_>>(), ["right", "start"]);
    let mut document = diamond();
    document["edges"].as_array_mut().unwrap().push(json!({"from": "ghost", "to": "left"}));
    assert_eq!(hashes(&document).into_keys().collect::<Vec<_>>(), ["right", "start"]);
}

#[test]
fn a_long_chain_is_hashed_without_recursion() {
    let mut document = json!({"nodes": {"n0": {"type": "a.start@1"}}, "edges": []});
    for n in 1..10_000 {
        document["nodes"][format!("n{n}")] = json!({"type": "a.work@1"});
        document["edges"].as_array_mut().unwrap().push(json!({"from": format!("n{}", n - 1), "to": format!("n{n}")}));
    }
    assert_eq!(hashes(&document).len(), 10_000);
}

use serde_json::json;

use super::*;

const LIMIT: usize = 10_000;

fn patched(document: Value, patch: Value) -> Result<Value, PatchError> {
    apply(&document, &read(&patch)?, LIMIT)
}

/// Documents, patches and results after the examples of RFC 6902, appendix A.
#[test]
fn the_examples_of_the_standard_hold() {
    let cases = [
        (json!({"a": 1}), json!([{"op": "add", "path": "/b", "value": 2}]), json!({"a": 1, "b": 2})),
        (json!({"a": [1, 3]}), json!([{"op": "add", "path": "/a/1", "value": 2}]), json!({"a": [1, 2, 3]})),
        (json!({"a": [1]}), json!([{"op": "add", "path": "/a/-", "value": [2]}]), json!({"a": [1, [2]]})),
        (json!({"a": 1, "b": 2}), json!([{"op": "remove", "path": "/b"}]), json!({"a": 1})),
        (json!({"a": [1, 2, 3]}), json!([{"op": "remove", "path": "/a/1"}]), json!({"a": [1, 3]})),
        (json!({"a": 1}), json!([{"op": "replace", "path": "/a", "value": null}]), json!({"a": null})),
        (
            json!({"a": {"b": 1}, "c": {}}),
            json!([{"op": "move", "from": "/a/b", "path": "/c/d"}]),
            json!({"a": {}, "c": {"d": 1}}),
        ),
        (json!({"a": [1, 2, 3]}), json!([{"op": "move", "from": "/a/0", "path": "/a/2"}]), json!({"a": [2, 3, 1]})),
        (
            json!({"a": {"b": 1}}),
            json!([{"op": "copy", "from": "/a", "path": "/c"}]),
            json!({"a": {"b": 1}, "c": {"b": 1}}),
        ),
        (json!({"~/": 1}), json!([{"op": "test", "path": "/~0~1", "value": 1.0}]), json!({"~/": 1})),
        (json!({"a": 1}), json!([{"op": "add", "path": "", "value": {"b": 2}, "more": "ignored"}]), json!({"b": 2})),
    ];
    for (document, patch, wanted) in cases {
        assert_eq!(patched(document, patch.clone()), Ok(wanted), "{patch}");
    }
}

#[test]
fn what_cannot_be_done_is_named_and_changes_nothing() {
    let document = json!({"a": [1, 2], "b": {"c": 1}});
    for (operation, why) in [
        (json!({"op": "remove", "path": "/x"}), "nothing is at `/x`"),
        (json!({"op": "replace", "path": "/a/2", "value": 1}), "nothing is at `/a/2`"),
        (json!({"op": "add", "path": "/a/3", "value": 1}), "the list has no place `/a/3`"),
        (json!({"op": "add", "path": "/a/01", "value": 1}), "the list has no place `/a/01`"),
        (json!({"op": "add", "path": "/a/+1", "value": 1}), "the list has no place `/a/+1`"),
        (json!({"op": "add", "path": "/x/y", "value": 1}), "nothing is at `/x`"),
        (json!({"op": "add", "path": "/b/c/d", "value": 1}), "`/b/c/d` is in no object and no list"),
        (json!({"op": "add", "path": "b", "value": 1}), "`b` is not a JSON pointer"),
        (json!({"op": "move", "from": "/b", "path": "/b/c"}), "`/b` cannot be moved into itself"),
        (json!({"op": "copy", "from": "/x", "path": "/y"}), "nothing is at `/x`"),
        (json!({"op": "test", "path": "/b/c", "value": 2}), "another value is at `/b/c`"),
    ] {
        let patch = json!([{"op": "add", "path": "/z", "value": 1}, operation]);
        assert_eq!(patched(document.clone(), patch), Err(PatchError::Failed { index: 1, why: why.to_owned() }));
    }
    for wrong in [json!({}), json!([{"op": "turn", "path": "/a"}]), json!([{"op": "add", "path": "/a"}]), json!([1])] {
        assert!(matches!(patched(document.clone(), wrong), Err(PatchError::Unreadable(_))));
    }
}

#[test]
fn a_document_stays_an_object_within_its_size() {
    for patch in [
        json!([{"op": "remove", "path": ""}]),
        json!([{"op": "replace", "path": "", "value": [1]}]),
        json!([{"op": "add", "path": "", "value": "x"}]),
    ] {
        assert_eq!(patched(json!({"a": 1}), patch), Err(PatchError::NotAnObject));
    }
    let large = "ä".repeat(LIMIT / 2);
    let patch = json!([{"op": "add", "path": "/a", "value": large}]);
    assert_eq!(patched(json!({}), patch), Err(PatchError::TooLarge(LIMIT)));
    // What takes the place of something large does not count twice.
    let most = "x".repeat(LIMIT - 8);
    let patch = json!([{"op": "replace", "path": "/a", "value": most}]);
    let full = patched(json!({"a": 1}), patch.clone()).unwrap();
    assert_eq!(serde_json::to_string(&full).unwrap().len(), LIMIT);
    assert_eq!(patched(full.clone(), patch), Ok(full));
}

#[test]
fn the_measured_size_is_the_size_in_bytes() {
    let document =
        json!({"a\"\n\u{1}ä": [null, true, false, -1.5, 12, "", "\\"], "b": {}, "c": [], "d": {"e": 1, "f": 2}});
    let size = serde_json::to_string(&document).unwrap().len();
    assert_eq!(check(&document, size), Ok(()));
    assert_eq!(check(&document, size - 1), Err(PatchError::TooLarge(size - 1)));
}

#[test]
fn a_patch_that_doubles_a_document_again_and_again_is_stopped() {
    let patch = (0..60).map(|n| json!({"op": "copy", "from": "", "path": format!("/n{n}")})).collect();
    let result = patched(json!({"text": "x".repeat(100)}), Value::Array(patch));
    assert_eq!(result, Err(PatchError::TooLarge(LIMIT)));
    // Copying and throwing away keeps the document small, but not the work.
    let mut patch = Vec::new();
    for _ in 0..4_000 {
        patch.push(json!({"op": "copy", "from": "/text", "path": "/copy"}));
        patch.push(json!({"op": "remove", "path": "/copy"}));
    }
    assert_eq!(patched(json!({"text": "x".repeat(4_000)}), Value::Array(patch)), Err(PatchError::TooMuchWork));
    let mut patch = vec![json!({"op": "add", "path": "/list", "value": vec![0; 4_000]})];
    (0..4_000).for_each(|_| patch.push(json!({"op": "move", "from": "/list/0", "path": "/list/0"})));
    assert_eq!(patched(json!({}), Value::Array(patch)), Err(PatchError::TooMuchWork));
}

#[test]
fn a_document_cannot_be_nested_past_what_readers_take() {
    let patch: Vec<Value> = (0..DEPTH_LIMIT)
        .map(|depth| json!({"op": "add", "path": format!("{}/a", "/a".repeat(depth)), "value": {}}))
        .collect();
    let deepest = patched(json!({}), json!(patch[..DEPTH_LIMIT - 1])).unwrap();
    assert!(serde_json::from_str::<Value>(&deepest.to_string()).is_ok());
    assert_eq!(patched(json!({}), json!(patch)), Err(PatchError::TooDeep));
    let nesting: Vec<Value> = (0..200).map(|_| json!({"op": "copy", "from": "", "path": "/a"})).collect();
    assert_eq!(patched(json!({"a": 1}), json!(nesting)), Err(PatchError::TooDeep));
}

#[test]
fn the_patch_between_two_documents_makes_one_of_the_other() {
    let from = json!({"a": {"b": 1, "c": [1, 2]}, "d/e": 1, "f": "same"});
    let to = json!({"a": {"b": 2, "c": [2]}, "f": "same", "g~": {"h": null}});
    let patch = between(&from, &to);
    assert_eq!(apply(&from, &patch, LIMIT), Ok(to));
    let kept = serde_json::to_value(&patch).unwrap();
    assert_eq!(read(&kept), Ok(patch));
    assert_eq!(between(&from, &from), []);
}

//! Every problem of a document at once, each with code and place.

use engine::definition::Definition;
use engine::definition::problem::{ProblemCode, Severity};
use engine::graph::{Graph, examine};
use serde_json::{Value, json};

use crate::play::TestCatalog;

fn problems(document: Value) -> Vec<(&'static str, String)> {
    let found = Definition::from_json(&document)
        .map_err(|problem| vec![problem])
        .and_then(|definition| Graph::check(&definition, &TestCatalog::new()).map(|_| ()));
    found.err().unwrap_or_default().into_iter().map(|problem| (problem.code.as_str(), problem.path)).collect()
}

/// A good document with one thing changed.
fn with(pointer: &str, change: Value) -> Value {
    let mut document = json!({
        "nodes": {"start": {"type": "test.trigger@1"}, "a": {"type": "test.pure@1", "config": {}}, "b": {"type": "test.pure@1"}},
        "edges": [{"from": "start", "to": "a"}, {"from": "a", "to": "b"}]
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items.push(change),
        Value::Object(fields) => drop(fields.insert(key.into(), change)),
        _ => unreachable!("{pointer}"),
    }
    document
}

#[test]
fn a_good_document_has_no_problem() {
    assert_eq!(problems(with("/nodes/a/config", json!({"number": "{{ input.n }}", "later": "{{ item }}"}))), []);
}

#[test]
fn every_code_is_given_by_its_own_fault_and_alone() {
    let node = json!({"type": "test.pure@1"});
    let cases: Vec<(ProblemCode, Value, &str)> = vec![
        (ProblemCode::DocumentInvalid, with("/surprise", json!(1)), ""),
        (ProblemCode::TriggerMissing, json!({"nodes": {}, "edges": []}), "/nodes"),
        (ProblemCode::NodeTypeUnknown, with("/nodes/b", json!({"type": "test.nothing@1"})), "/nodes/b/type"),
        (ProblemCode::ConfigInvalid, with("/nodes/a/config", json!({"number": "five"})), "/nodes/a/config/number"),
        (ProblemCode::ConnectionNotAccepted, with("/nodes/a/connection", json!("crm")), "/nodes/a/connection"),
        (ProblemCode::EdgeDangling, with("/edges/-", json!({"from": "b", "to": "c"})), "/edges/2"),
        (ProblemCode::PortUnknown, with("/edges/-", json!({"from": "a.side", "to": "b.other"})), "/edges/2/from"),
        (ProblemCode::EdgeDuplicate, with("/edges/-", json!({"from": "a", "to": "b"})), "/edges/2"),
        (ProblemCode::PortTaken, with("/edges/-", json!({"from": "start", "to": "b"})), "/edges/2/to"),
        (ProblemCode::NodeUnreachable, with("/nodes/c", node), "/nodes/c"),
        (
            ProblemCode::ExpressionInvalid,
            with("/nodes/a/config", json!({"number": "{{ input. }}"})),
            "/nodes/a/config/number",
        ),
        (
            ProblemCode::ReferenceNotUpstream,
            with("/nodes/a/config", json!({"number": "{{ nodes.b.output }}"})),
            "/nodes/a",
        ),
        (
            ProblemCode::ForEachInvalid,
            with("/nodes/a/for_each", json!({"items": [], "concurrency": 0})),
            "/nodes/a/for_each/concurrency",
        ),
        (ProblemCode::DurationInvalid, with("/nodes/a/timeout", json!("soon")), "/nodes/a/timeout"),
        (ProblemCode::RetryInvalid, with("/nodes/a/retry", json!({"attempts": 0})), "/nodes/a/retry/attempts"),
        (ProblemCode::InputSchemaInvalid, with("/input_schema", json!({"type": 5})), "/input_schema"),
        (
            ProblemCode::NumberNotExact,
            with("/nodes/a/config", json!({"number": 9_007_199_254_740_993_u64})),
            "/nodes/a/config/number",
        ),
    ];
    for (code, document, path) in cases {
        let found = problems(document);
        assert_eq!(found.first().map(|(code, path)| (*code, path.as_str())), Some((code.as_str(), path)), "{found:?}");
        assert!(found.iter().all(|(found, _)| *found == code.as_str()), "{}: {found:?}", code.as_str());
    }
}

#[test]
fn a_bad_key_a_cycle_and_a_type_mismatch_are_found() {
    let mut renamed = with("/nodes/b", json!({"type": "test.pure@1"}));
    renamed["nodes"]["Bad-Key"] = json!({"type": "test.pure@1"});
    renamed["edges"].as_array_mut().unwrap().push(json!({"from": "b", "to": "Bad-Key"}));
    assert_eq!(problems(renamed), [("NODE_KEY_INVALID", "/nodes/Bad-Key".to_owned())]);
    let mut cycle = with("/nodes/c", json!({"type": "test.merge@1"}));
    cycle["edges"] = json!([{"from": "start", "to": "c"}, {"from": "c", "to": "a"}, {"from": "a", "to": "c"}, {"from": "a.error", "to": "b"}]);
    assert_eq!(problems(cycle), [("CYCLE", "/edges".to_owned())]);
    let mut mismatch = with("/nodes/a", json!({"type": "test.number@1"}));
    mismatch["nodes"]["b"] = json!({"type": "test.list@1"});
    mismatch["edges"][1] = json!({"from": "a.number", "to": "b"});
    assert_eq!(problems(mismatch), [("PORT_TYPE_MISMATCH", "/edges/1".to_owned())]);
}

#[test]
fn a_deprecated_type_is_a_warning_that_names_its_replacement() {
    let examined = examine(&with("/nodes/b", json!({"type": "test.old@1"})), &TestCatalog::new());
    assert!(examined.graph.is_some());
    let problem = examined.problems.first().unwrap();
    assert_eq!((problem.code, problem.severity), (ProblemCode::NodeTypeDeprecated, Severity::Warning));
    assert_eq!((problem.path.as_str(), problem.hint.as_deref()), ("/nodes/b/type", Some("use `test.pure@1`")));
}

#[test]
fn all_problems_of_a_document_come_at_once() {
    let mut document = with("/nodes/b", json!({"type": "nothing", "timeout": "x"}));
    document["edges"].as_array_mut().unwrap().push(json!({"from": "ghost", "to": "b"}));
    document["nodes"]["start"] = json!({"type": "test.pure@1"});
    let codes: Vec<_> = problems(document).into_iter().map(|(code, _)| code).collect();
    for code in ["NODE_TYPE_UNKNOWN", "DURATION_INVALID", "EDGE_DANGLING", "TRIGGER_MISSING"] {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}");
    }
}

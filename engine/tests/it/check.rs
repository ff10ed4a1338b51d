//! Every problem of a document at once, each with code and place.

use std::collections::{BTreeMap, BTreeSet};

use engine::definition::problem::{Problem, ProblemCode as Code, Severity};
use engine::graph::{Examined, Surroundings, examine, examine_in};
use serde_json::{Map, Value, json};

use crate::play::TestCatalog;

fn looked_at(document: &Value) -> Examined {
    let connections =
        BTreeMap::from([("crm".to_owned(), "test.key".to_owned()), ("db".to_owned(), "test.db".to_owned())]);
    let variables = BTreeSet::from(["region".to_owned()]);
    let surroundings = Surroundings { connections: Some(&connections), variables: Some(&variables) };
    examine_in(document, &TestCatalog::new(), &surroundings)
}

fn problems(document: &Value) -> Vec<(&'static str, String)> {
    looked_at(document).problems.into_iter().map(|problem| (problem.code.as_str(), problem.path)).collect()
}

/// A good document with one thing changed, or put at the end of a list.
fn with(pointer: &str, change: Value) -> Value {
    let mut document = json!({
        "input_schema": {
            "type": "object", "additionalProperties": false, "required": ["words"],
            "properties": {"n": {"type": "integer"}, "words": {"type": "array", "items": {"type": "string"}}}
        },
        "nodes": {
            "start": {"type": "test.trigger@1"},
            "a": {"type": "test.pure@1", "config": {}},
            "b": {"type": "test.pure@1"}
        },
        "edges": [{"from": "start", "to": "a"}, {"from": "a", "to": "b"}]
    });
    put(&mut document, pointer, change);
    document
}

fn put(document: &mut Value, pointer: &str, change: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.push(change),
        Value::Object(fields) => drop(fields.insert(key.into(), change)),
        _ => unreachable!("{pointer}"),
    }
}

/// The good document with this as the number of node `a`.
fn expression(source: &str) -> Value {
    with("/nodes/a/config", json!({"number": format!("{{{{ {source} }}}}")}))
}

#[test]
fn a_good_document_has_no_problem() {
    let config = json!({"number": "{{ input.n + size(trigger.words) }}", "later": "{{ item.x + index }}"});
    let mut document = with("/nodes/a/config", config);
    document["nodes"]["b"] = json!({
        "type": "test.pure@1", "for_each": {"items": "{{ run.input.words }}"},
        "config": {"number": "{{ index * item.size() }}"}
    });
    document["output"] = json!({"all": "{{ nodes.b.output }}", "region": "{{ vars.region }}"});
    assert_eq!(problems(&document), []);
}

#[test]
fn what_a_disabled_node_says_is_not_looked_at() {
    let broken = json!({
        "type": "test.pure@1", "config": {"number": "{{ nodes.nobody.output + }}"}, "connection": "nobody",
        "for_each": {"items": "{{ nodes.gone.output }}", "concurrency": 0}, "retry": {"attempts": 0}, "timeout": "soon"
    });
    let mut document = with("/nodes/a", broken);
    assert!(!problems(&document).is_empty());
    document["nodes"]["a"]["disabled"] = json!(true);
    assert_eq!(problems(&document), []);
    let graph = looked_at(&document).graph.unwrap();
    let node = graph.node(graph.find("a").unwrap()).unwrap();
    assert_eq!(
        (node.passes.as_deref(), node.for_each.is_none(), node.connection.as_deref()),
        (Some("out"), true, None)
    );
}

#[test]
fn what_comes_after_a_disabled_node_gets_what_arrives_at_it() {
    let mut document = with("/nodes/a", json!({"type": "test.number@1", "disabled": true}));
    document["edges"][1] = json!({"from": "a.number", "to": "b"});
    document["nodes"]["b"]["config"] = json!({"number": "{{ size(input.words) }}"});
    assert_eq!(problems(&document), []);
    document["nodes"]["b"]["config"] = json!({"number": "{{ input.words }}"});
    assert_eq!(problems(&document), [("EXPRESSION_TYPE_MISMATCH", "/nodes/b/config/number".to_owned())]);
}

/// For each code a document that has it, and where.
fn cases() -> Vec<(Code, Value, &'static str)> {
    let node = || json!({"type": "test.pure@1"});
    let list = |from: &str| {
        let mut document = with("/nodes/a", json!({"type": "test.number@1"}));
        document["nodes"]["b"] = json!({"type": from});
        document["edges"][1] = json!({"from": "a.number", "to": "b"});
        document
    };
    let mut bad_key = with("/nodes/Bad-Key", node());
    put(&mut bad_key, "/edges/-", json!({"from": "b", "to": "Bad-Key"}));
    let mut cycle = with("/nodes/c", json!({"type": "test.merge@1"}));
    cycle["edges"] = json!([
        {"from": "start", "to": "c"}, {"from": "c", "to": "a"}, {"from": "a", "to": "c"}, {"from": "a.error", "to": "b"}
    ]);
    let mut unused = with("/output", json!("{{ nodes.a.output }}"));
    unused["nodes"]["b"] = node();
    let many: Map<String, Value> = (0..10_001).map(|n| (format!("n{n}"), node())).collect();
    vec![
        (Code::DocumentInvalid, with("/surprise", json!(1)), "/surprise"),
        (Code::DocumentTooLarge, with("/nodes", Value::Object(many)), "/nodes"),
        (
            Code::NumberNotExact,
            with("/nodes/a/config", json!({"number": 9_007_199_254_740_993_u64})),
            "/nodes/a/config/number",
        ),
        (Code::TriggerMissing, json!({"nodes": {}, "edges": []}), "/nodes"),
        (Code::TriggerDisabled, with("/nodes/start/disabled", json!(true)), "/nodes/start/disabled"),
        (Code::NodeKeyInvalid, bad_key, "/nodes/Bad-Key"),
        (Code::NodeTypeUnknown, with("/nodes/b", json!({"type": "test.nothing@1"})), "/nodes/b/type"),
        (Code::NodeTypeDeprecated, with("/nodes/b", json!({"type": "test.old@1"})), "/nodes/b/type"),
        (Code::ConfigInvalid, with("/nodes/a/config", json!({"number": "five"})), "/nodes/a/config/number"),
        (Code::ConnectionNotAccepted, with("/nodes/a/connection", json!("crm")), "/nodes/a/connection"),
        (
            Code::ConnectionUnknown,
            with("/nodes/b", json!({"type": "test.get@1", "connection": "none"})),
            "/nodes/b/connection",
        ),
        (Code::EdgeDangling, with("/edges/-", json!({"from": "b", "to": "c"})), "/edges/2"),
        (Code::PortUnknown, with("/edges/1", json!({"from": "a.side", "to": "b"})), "/edges/2/from"),
        (Code::EdgeDuplicate, with("/edges/-", json!({"from": "a", "to": "b"})), "/edges/2"),
        (Code::PortTaken, with("/edges/-", json!({"from": "start", "to": "b"})), "/edges/2/to"),
        (Code::PortTypeMismatch, list("test.list@1"), "/edges/1"),
        (Code::PortTypeUncertain, list("test.integer@1"), "/edges/1"),
        (Code::Cycle, cycle, "/edges"),
        (Code::NodeUnreachable, with("/nodes/c", node()), "/nodes/c"),
        (Code::NodeUnused, unused, "/nodes/b"),
        (Code::ExpressionInvalid, expression("input."), "/nodes/a/config/number"),
        (
            Code::ExpressionNotAllowedHere,
            with("/nodes/a/config/literal", json!("select {{ input.n }}")),
            "/nodes/a/config/literal",
        ),
        (Code::ExpressionUnknownName, expression("inputs.n"), "/nodes/a/config/number"),
        (Code::ExpressionTypeMismatch, expression("input.words * 2"), "/nodes/a/config/number"),
        (Code::MemberUnknown, expression("input.m"), "/nodes/a/config/number"),
        (Code::MemberUndeclared, expression("run.label"), "/nodes/a/config/number"),
        (Code::ReferenceNotUpstream, expression("nodes.b.output"), "/nodes/a/config/number"),
        (Code::ReferenceUnknown, expression("nodes.c.output"), "/nodes/a/config/number"),
        (Code::SecretNotAllowedHere, expression("secrets.token"), "/nodes/a/config/number"),
        (
            Code::ForEachInvalid,
            with("/nodes/a/for_each", json!({"items": [], "concurrency": 0})),
            "/nodes/a/for_each/concurrency",
        ),
        (Code::DurationInvalid, with("/nodes/a/timeout", json!("soon")), "/nodes/a/timeout"),
        (Code::RetryInvalid, with("/nodes/a/retry", json!({"attempts": 0})), "/nodes/a/retry/attempts"),
        (Code::InputSchemaInvalid, with("/input_schema", json!({"type": 5})), "/input_schema"),
        (
            Code::SchemaNotCovered,
            with("/input_schema", json!({"allOf": [{"type": "object"}, {"type": "string"}]})),
            "/input_schema/allOf",
        ),
    ]
}

#[test]
fn every_code_of_the_list_is_given_once_and_alone_by_its_own_fault() {
    let cases = cases();
    let covered: Vec<Code> = cases.iter().map(|(code, _, _)| *code).collect();
    assert_eq!(covered, Code::ALL, "a document for every code, in the order of the list");
    for (code, mut document, path) in cases {
        if code == Code::PortUnknown {
            // The changed edge went to the end of the list; the good one makes room for it.
            document["edges"].as_array_mut().unwrap().remove(1);
            put(&mut document, "/edges/-", json!({"from": "start", "to": "b.other"}));
            document["edges"].as_array_mut().unwrap().swap_remove(2);
            assert_eq!(problems(&document), [("PORT_UNKNOWN", "/edges/1/from".to_owned())]);
            continue;
        }
        let examined = looked_at(&document);
        let found: Vec<_> =
            examined.problems.iter().map(|problem| (problem.code.as_str(), problem.path.as_str())).collect();
        assert_eq!(found, [(code.as_str(), path)], "{:#?}", examined.problems);
        assert_eq!(examined.graph.is_some(), code.severity() == Severity::Warning, "{}", code.as_str());
        let problem = &examined.problems[0];
        assert!(!problem.hint.is_empty() && !problem.message.is_empty(), "{problem:?}");
        if path.starts_with("/nodes/") {
            let key = path.split('/').nth(2);
            assert_eq!(problem.node.as_deref(), key, "{problem:?}");
        }
    }
}

fn only(document: &Value) -> Problem {
    let mut found = looked_at(document).problems;
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

#[test]
fn an_expression_problem_has_line_and_column() {
    let text = "a\nbc {{ input.n *\n  nodes.b.output }}";
    let problem = only(&with("/nodes/a/name", json!("x")).tap(|document| {
        document["nodes"]["a"]["config"] = json!({"text": text});
    }));
    assert_eq!(problem.code, Code::ReferenceNotUpstream);
    let position = problem.position.unwrap();
    assert_eq!((position.line, position.column), (3, 3), "{problem:?}");
}

trait Tap: Sized {
    fn tap(self, change: impl FnOnce(&mut Self)) -> Self;
}

impl Tap for Value {
    fn tap(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

#[test]
fn messages_say_the_types_in_words_and_what_may_have_been_meant() {
    let words = |source: &str| {
        let problem = only(&expression(source));
        format!("{} ({})", problem.message, problem.hint)
    };
    assert_eq!(words("input.word.size()"), "there is no member `word` here (is it `words`?)");
    assert_eq!(words("nodes.strat.output"), "there is no node `strat` here (is it `start`?)".replace(" here", ""));
    assert_eq!(
        words("input.words"),
        "this field takes integer, and the expression gives list of text (convert it, such as by `string(x)` or \
         `number(x)`)"
    );
    let mut document = with("/nodes/a", json!({"type": "test.number@1"}));
    document["nodes"]["b"] = json!({"type": "test.list@1"});
    document["edges"][1] = json!({"from": "a.number", "to": "b"});
    assert_eq!(only(&document).message, "`a` gives number, and `b` takes list");
}

#[test]
fn types_pass_through_nodes_as_far_as_they_are_known() {
    let mut document = with("/nodes/a/config", json!({"number": "{{ input.n }}"}));
    document["nodes"]["b"] = json!({"type": "test.same@1", "config": {"number": "{{ input.number }}"}});
    document["nodes"]["a"]["type"] = json!("test.same@1");
    assert_eq!(problems(&document), []);
    document["nodes"]["b"]["config"] = json!({"number": "{{ input.numbr }}"});
    assert_eq!(problems(&document), [("MEMBER_UNKNOWN", "/nodes/b/config/number".to_owned())]);
    // Of what a node once per item gives, an element is asked for.
    document["nodes"]["a"]["for_each"] = json!({"items": [1, 2]});
    document["nodes"]["b"]["config"] = json!({"number": "{{ input.number }}"});
    assert_eq!(problems(&document), [("EXPRESSION_TYPE_MISMATCH", "/nodes/b/config/number".to_owned())]);
    document["nodes"]["b"]["config"] = json!({"number": "{{ input[1].number }}"});
    assert_eq!(problems(&document), []);
}

#[test]
fn an_error_port_gives_the_error_and_what_had_arrived() {
    let mut document = with("/edges/1", json!(null));
    document["edges"] = json!([{"from": "start", "to": "a"}, {"from": "a.error", "to": "b"}]);
    document["nodes"]["b"]["config"] = json!({"number": "{{ input.input.n + size(input.error.code) }}"});
    assert_eq!(problems(&document), []);
    document["nodes"]["b"]["config"] = json!({"number": "{{ input.code.size() }}"});
    assert_eq!(problems(&document), [("MEMBER_UNKNOWN", "/nodes/b/config/number".to_owned())]);
}

#[test]
fn a_connection_has_to_be_of_a_type_that_the_node_takes() {
    let node = |connection: &str| with("/nodes/b", json!({"type": "test.get@1", "connection": connection}));
    assert_eq!(problems(&node("crm")), []);
    let problem = only(&node("db"));
    assert_eq!((problem.code, problem.hint.as_str()), (Code::ConnectionNotAccepted, "it takes test.key"));
    let unknown = node("none");
    assert!(examine(&unknown, &TestCatalog::new()).graph.is_some(), "not checked where connections are not known");
}

#[test]
fn a_deprecated_type_names_its_replacement() {
    let problem = only(&with("/nodes/b", json!({"type": "test.old@1"})));
    assert_eq!((problem.severity, problem.hint.as_str()), (Severity::Warning, "use `test.pure@1`"));
}

#[test]
fn who_gives_a_default_has_thought_of_a_member_that_is_missing() {
    for source in ["run.label.orValue(1)", "run?.label", "has(run.label) ? 1 : 2", "run.label == null ? 1 : 2"] {
        assert_eq!(problems(&expression(source)), [], "{source}");
    }
}

#[test]
fn all_problems_of_a_document_come_at_once() {
    let mut document = with("/nodes/b", json!({"type": "nothing", "timeout": "x"}));
    put(&mut document, "/edges/-", json!({"from": "ghost", "to": "b"}));
    document["nodes"]["a"]["config"] =
        json!({"number": "{{ input.x }}", "text": "{{ 1 + }} {{ secrets.a }}", "later": "{{ nodes.q.output }}"});
    document["nodes"]["a"]["retry"] = json!({"attempts": "many"});
    document["nodes"]["c"] = json!({"type": "test.pure@1", "config": {"text": "{{ secrets.a }}{{ nope }}"}});
    let codes: Vec<_> = problems(&document).into_iter().map(|(code, _)| code).collect();
    for code in [
        "NODE_TYPE_UNKNOWN",
        "DURATION_INVALID",
        "EDGE_DANGLING",
        "DOCUMENT_INVALID",
        "EXPRESSION_INVALID",
        "SECRET_NOT_ALLOWED_HERE",
        "EXPRESSION_UNKNOWN_NAME",
    ] {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}");
    }
}

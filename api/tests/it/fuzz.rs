//! Documents of every kind through the real use cases: whatever somebody makes of a draft, it is saved, reads back as it
//! was, and gets its problems.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::app::App;
use api::auth::Viewer;
use api::service::draft::{self, Draft, Save};
use api::service::workflow::change::{Create, create};
use engine::definition::problem::ProblemCode as Code;
use serde_json::{Map, Value, json};

use runtime::database::wall;

use crate::app::{Home, doubling, waiting};
use crate::in_process::{admin, idle_app};

/// A small generator of its own: the same documents for the same seed, everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// Words that mean something to a definition, and words that do not.
    fn word(&mut self) -> String {
        let words = [
            "nodes",
            "edges",
            "settings",
            "output",
            "input_schema",
            "type",
            "config",
            "from",
            "to",
            "retry",
            "attempts",
            "for_each",
            "items",
            "concurrency",
            "timeout",
            "join",
            "name",
            "start",
            "a",
            "b",
            "a.out",
            "b.error",
            "any",
            "trigger.manual@1",
            "data.set@1",
            "flow.merge@1",
            "flow.if@1",
            "http.request@1",
            "no.such@9",
            "fields",
            "{{ input.n }}",
            "{{ nodes.a.output }}",
            "{{ 1 + }}",
            "}}{{",
            "{{ secrets.x }}",
            "30s",
            "",
            "\u{0}",
            "\u{1F600}",
            "a\"b\\c",
            "~1/~0",
            "-1",
            "connection",
            "value",
            "properties",
            "$ref",
            "#",
            "x-deferred",
        ];
        self.pick(&words).to_owned()
    }

    fn value(&mut self, depth: u64) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(u64::MAX)),
            3 => json!(-(i64::try_from(self.below(1 << 40)).unwrap()) as f64 / 7.0),
            4 | 5 => json!(self.word()),
            6 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.fields(depth)),
        }
    }

    fn fields(&mut self, depth: u64) -> Map<String, Value> {
        (0..self.below(5)).map(|_| (self.word(), self.value(depth - 1))).collect()
    }

    /// An object that is often nearly a definition.
    fn document(&mut self) -> Value {
        let mut document = match self.below(4) {
            0 => Value::Object(self.fields(5)),
            1 => doubling(),
            _ => waiting(),
        };
        for _ in 0..self.below(6) {
            let (path, value) = (self.path(), self.value(3));
            if let Some(place) = document.pointer_mut(&path) {
                match place {
                    Value::Object(fields) => drop(fields.insert(self.word(), value)),
                    Value::Array(items) => items.push(value),
                    other => *other = value,
                }
            }
        }
        document
    }

    fn path(&mut self) -> String {
        let paths = [
            "",
            "/nodes",
            "/edges",
            "/nodes/start",
            "/nodes/start/type",
            "/nodes/double",
            "/nodes/double/config",
            "/nodes/hold/config/signal",
            "/edges/0",
            "/edges/0/from",
            "/edges/1/to",
            "/settings",
        ];
        self.pick(&paths).to_owned()
    }
}

#[test]
fn ten_thousand_documents_are_examined_and_compared_without_a_panic() {
    let registry = nodes::Registry::built_in();
    let mut draw = Draw(0x5eed_0003);
    let (mut broken, mut before) = (0, doubling());
    for _ in 0..10_000 {
        let document = draw.document();
        assert_eq!(engine::definition::patch::check(&document, 4 << 20), Ok(()));
        let examined = engine::graph::examine(&document, &registry);
        assert!(examined.graph.is_some() || !examined.problems.is_empty(), "refused without a reason: {document}");
        broken += i32::from(examined.graph.is_none());
        if let Ok(definition) = engine::definition::Definition::from_json(&document) {
            let types = engine::graph::hash::type_digests(&definition, &registry);
            let hashes = engine::graph::hash::node_hashes(&definition, &types);
            assert!(examined.graph.is_none() || hashes.len() == definition.nodes.len());
        }
        let patch = engine::definition::patch::between(&before, &document);
        assert_eq!(engine::definition::patch::apply(&before, &patch, 4 << 20).as_ref(), Ok(&document));
        engine::definition::diff::between(&before, &document);
        before = document;
    }
    assert!(
        (2_000..9_990).contains(&broken),
        "{broken} of 10,000 are broken: the generator draws too much of one kind"
    );
}

/// Files that people read, with everything that a workflow usually has.
const EXAMPLES: [&str; 4] = [
    include_str!("../../../examples/github.flow.yaml"),
    include_str!("../../../examples/hello.flow.yaml"),
    include_str!("../../../examples/import.flow.yaml"),
    include_str!("../../../examples/order.flow.yaml"),
];

/// What documents are mutated from: the examples, and a document for each code.
fn seeds() -> Vec<Value> {
    let mut seeds: Vec<Value> =
        EXAMPLES.iter().map(|text| serde_saphyr::from_str::<Value>(text).unwrap()["definition"].take()).collect();
    // The one with 10,001 nodes is for one look, not for hundreds.
    seeds
        .extend(faulty().into_iter().filter(|(code, _)| *code != Code::DocumentTooLarge).map(|(_, document)| document));
    seeds
}

/// A workflow of built-in node types with nothing wrong.
fn sound() -> Value {
    json!({
        "input_schema": {"type": "object", "additionalProperties": false, "required": ["words"],
            "properties": {"n": {"type": "integer"}, "words": {"type": "array", "items": {"type": "string"}}}},
        "nodes": {
            "start": {"type": "trigger.manual@1"},
            "a": {"type": "data.set@1", "config": {"fields": {"n": "{{ input.n + size(run.input.words) }}"}}},
            "b": {"type": "data.set@1", "config": {"value": "{{ input.n * 2 }}"}},
        },
        "edges": [{"from": "start", "to": "a"}, {"from": "a", "to": "b"}],
        "output": {"twice": "{{ nodes.b.output }}"},
    })
}

/// The codes that built-in node types cannot give yet: none is deprecated, and their inputs take anything.
const NOT_BUILT_IN: [Code; 3] = [Code::NodeTypeDeprecated, Code::PortTypeMismatch, Code::PortTypeUncertain];

/// A sound workflow with one fault each, for every other code.
fn faulty() -> BTreeMap<Code, Value> {
    let with = |pointer: &str, value: Value| {
        let mut document = sound();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(items) => items.push(value),
            Value::Object(members) => drop(members.insert(name.to_owned(), value)),
            other => panic!("{pointer} leads into {other}"),
        }
        document
    };
    let says = |source: &str| with("/nodes/b/config", json!({"value": format!("{{{{ {source} }}}}")}));
    let set = || json!({"type": "data.set@1", "config": {"value": 1}});
    let mut bad_key = with("/nodes/Bad-Key", set());
    bad_key["edges"] =
        json!([{"from": "start", "to": "a"}, {"from": "a", "to": "Bad-Key"}, {"from": "Bad-Key", "to": "b"}]);
    bad_key["nodes"]["b"]["config"] = json!({"value": "{{ input }}"});
    let mut port = sound();
    port["edges"][1]["from"] = json!("a.side");
    let mut cycle = with("/nodes/c", json!({"type": "flow.merge@1", "config": {"mode": "object"}}));
    cycle["edges"] = json!([{"from": "start", "to": "c"}, {"from": "c", "to": "a"}, {"from": "a", "to": "c"},
        {"from": "a.error", "to": "b"}]);
    cycle["nodes"]["b"]["config"] = json!({"value": 1});
    cycle["nodes"]["a"]["config"] = json!({"value": 1});
    let mut unused = with("/nodes/c", set());
    unused["edges"].as_array_mut().unwrap().push(json!({"from": "start", "to": "c"}));
    let many: Map<String, Value> = (0..10_001).map(|n| (format!("n{n}"), json!({"type": "data.set@1"}))).collect();
    let mut schema = with("/input_schema", json!({"allOf": [{"type": "object"}, {"type": "string"}]}));
    schema["nodes"]["a"]["config"] = json!({"value": 1});
    schema["nodes"]["b"]["config"] = json!({"value": 1});
    BTreeMap::from([
        (Code::DocumentInvalid, with("/surprise", json!(1))),
        (Code::DocumentTooLarge, with("/nodes", Value::Object(many))),
        (Code::NumberNotExact, with("/nodes/b/config", json!({"value": 9_007_199_254_740_993_u64}))),
        (Code::TriggerMissing, json!({"nodes": {}, "edges": []})),
        (Code::TriggerDisabled, with("/nodes/start/disabled", json!(true))),
        (Code::NodeKeyInvalid, bad_key),
        (Code::NodeTypeUnknown, with("/nodes/b", json!({"type": "data.nothing@1"}))),
        (Code::ConfigInvalid, with("/nodes/b", json!({"type": "data.filter@1", "config": {}}))),
        (Code::ConnectionNotAccepted, with("/nodes/b/connection", json!("crm"))),
        (
            Code::ConnectionUnknown,
            with(
                "/nodes/b",
                json!({"type": "http.request@1", "connection": "none",
            "config": {"url": "https://example.com/"}}),
            ),
        ),
        (Code::EdgeDangling, with("/edges/-", json!({"from": "b", "to": "c"}))),
        (Code::PortUnknown, port),
        (Code::EdgeDuplicate, with("/edges/-", json!({"from": "a", "to": "b"}))),
        (Code::PortTaken, with("/edges/-", json!({"from": "start", "to": "b"}))),
        (Code::Cycle, cycle),
        (
            Code::NodeUnreachable,
            with("/nodes/c", json!({"type": "http.request@1", "config": {"url": "https://example.com/"}})),
        ),
        (Code::NodeUnused, unused),
        (Code::ExpressionInvalid, says("input.")),
        (
            Code::ExpressionNotAllowedHere,
            with(
                "/nodes/b",
                json!({"type": "http.graphql@1", "config": {
                    "url": "https://example.com/", "query": "{ order(id: {{ input.n }}) { total } }"
                }}),
            ),
        ),
        (Code::ExpressionUnknownName, says("inputs.n")),
        (Code::ExpressionTypeMismatch, says("run.input.words * 2")),
        (Code::MemberUnknown, says("run.input.m")),
        (Code::MemberUndeclared, says("run.label")),
        (Code::ReferenceNotUpstream, with("/nodes/a/config", json!({"value": "{{ nodes.b.output }}"}))),
        (Code::ReferenceUnknown, says("nodes.c.output")),
        (Code::SecretNotAllowedHere, says("secrets.token")),
        (Code::ForEachInvalid, with("/nodes/b/for_each", json!({"items": [], "concurrency": 0}))),
        (Code::DurationInvalid, with("/nodes/b/timeout", json!("soon"))),
        (Code::RetryInvalid, with("/nodes/b/retry", json!({"attempts": 0}))),
        (Code::InputSchemaInvalid, with("/input_schema", json!({"type": 5}))),
        (Code::SchemaNotCovered, schema),
    ])
}

impl Draw {
    fn usize(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound.max(1) as u64)).unwrap()
    }

    /// A seed with some of it taken away, doubled, exchanged, renamed or misspelled.
    fn mutated(&mut self, seeds: &[Value]) -> Value {
        let mut document = seeds[self.usize(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let mut pointers = Vec::new();
            collect(&document, &mut String::new(), &mut pointers);
            let pointer = pointers[self.usize(pointers.len())].clone();
            let fresh = match self.below(3) {
                0 => self.value(2),
                1 => json!(self.word()),
                _ => document.pointer(&pointers[self.usize(pointers.len())]).unwrap().clone(),
            };
            let word = self.word();
            let (kind, place) = (self.below(5), self.below(1 << 20));
            match document.pointer_mut(&pointer).unwrap() {
                Value::Object(members) if !members.is_empty() => {
                    let name = members.keys().nth(self.usize(members.len())).unwrap().clone();
                    match kind {
                        0 => drop(members.remove(&name)),
                        1 => drop(members.insert(word, fresh)),
                        2 => {
                            let moved = members.remove(&name).unwrap();
                            members.insert(word, moved);
                        }
                        _ => drop(members.insert(name, fresh)),
                    }
                }
                Value::Array(items) if !items.is_empty() => {
                    let at = self.usize(items.len());
                    match kind {
                        0 => drop(items.remove(at)),
                        1 => items.insert(at, fresh),
                        2 => items.push(items[at].clone()),
                        _ => items[at] = fresh,
                    }
                }
                Value::String(text) if kind > 0 => *text = misspelled(text, kind, place),
                other if !pointer.is_empty() => *other = fresh,
                _ => {}
            }
        }
        if document.is_object() { document } else { json!({"nodes": document}) }
    }
}

fn collect(of: &Value, pointer: &mut String, into: &mut Vec<String>) {
    into.push(pointer.clone());
    let length = pointer.len();
    let mut each = |name: &str, value: &Value| {
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        collect(value, pointer, into);
        pointer.truncate(length);
    };
    match of {
        Value::Object(members) => members.iter().for_each(|(name, value)| each(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| each(&at.to_string(), value)),
        _ => {}
    }
}

/// One character gone, doubled, or another in its place.
fn misspelled(text: &str, kind: u64, place: u64) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    if characters.is_empty() {
        return "{{".to_owned();
    }
    let at = usize::try_from(place).unwrap() % characters.len();
    match kind {
        1 => drop(characters.remove(at)),
        2 => characters.insert(at, characters[at]),
        _ => {
            let others = ['{', '}', '"', '\'', '(', ')', '.', ',', '+', '\u{0}', '9', ' ', '?', 'é', '🎈', '\n'];
            characters[at] = others[usize::try_from(place >> 8).unwrap() % others.len()];
        }
    }
    characters.into_iter().collect()
}

/// Saves documents one after the other in a draft of its own, and reads each back.
async fn saved_and_read(app: Arc<App>, viewer: Viewer, stream: u64, count: usize) -> BTreeSet<Code> {
    let request = Create { project: "default".to_owned(), name: format!("fuzzed-{stream}"), ..Create::default() };
    let workflow = create(&app, &viewer, request).await.unwrap();
    let mut now: Draft = draft::get_main(&app, &viewer, workflow.id).await.unwrap();
    let (seeds, mut draw, mut met) = (seeds(), Draw(0x5eed_0004 + stream), BTreeSet::new());
    for index in 0..count {
        let document = if draw.below(4) == 0 { draw.document() } else { draw.mutated(&seeds) };
        let patch = match draw.below(2) {
            0 => json!([{"op": "replace", "path": "", "value": document}]),
            _ => serde_json::to_value(engine::definition::patch::between(&now.document, &document)).unwrap(),
        };
        let save = Save { expected: now.revision, patch: Some(patch), sidecar_patch: None };
        let saved = draft::save(&app, &viewer, now.id, save).await;
        now = saved.unwrap_or_else(|error| panic!("{index} of stream {stream}: {error}: {document}"));
        let read = draft::get(&app, &viewer, now.id).await.unwrap();
        assert_eq!((&read.document, read.revision), (&document, now.revision), "{index} of stream {stream}");
        let problems = draft::problems_in(&app, &viewer, &read, "default").await.unwrap();
        let can_run = engine::graph::examine(&document, app.runtime.registry()).graph.is_some();
        assert!(can_run || !problems.is_empty(), "refused without a reason: {document}");
        met.extend(problems.into_iter().map(|problem| problem.code));
    }
    met
}

/// In sixteen drafts at once, so that many saves share a commit.
async fn fuzzed_documents_are_saved_read_and_judged(home: Home, count: usize) {
    const STREAMS: u64 = 16;
    let tracker = tokio_util::task::TaskTracker::new();
    let app: Arc<_> = idle_app(&home).await;
    let viewer = wall::of_system(admin(&app, &home)).await;
    let streams = (0..STREAMS).map(|stream| {
        let saving = saved_and_read(Arc::clone(&app), viewer.clone(), stream, count / 16);
        tracker.spawn(wall::of(viewer.workspace, saving))
    });
    let met: BTreeSet<Code> =
        futures::future::join_all(streams).await.into_iter().flat_map(|met| met.unwrap()).collect();
    let could_be = |code: &&Code| !NOT_BUILT_IN.contains(code) && **code != Code::DocumentTooLarge;
    let missed: Vec<_> = Code::ALL.iter().filter(could_be).filter(|code| !met.contains(code)).collect();
    assert!(missed.is_empty() || count < 10_000, "the documents are too tame for {missed:?}");
    app.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_fuzzed_documents_are_saved_on_sqlite() {
    fuzzed_documents_are_saved_read_and_judged(Home::sqlite().await, 10_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_fuzzed_documents_are_saved_on_postgres() {
    fuzzed_documents_are_saved_read_and_judged(Home::postgres().await, 1_000).await;
}

/// The engine's own tests do the same with node types made for it; here it is the server with the types that it has.
async fn every_code_is_given_for_a_saved_draft(home: Home) {
    let app: Arc<_> = idle_app(&home).await;
    let viewer = wall::of_system(admin(&app, &home)).await;
    let request = Create { project: "default".to_owned(), name: "faulty".to_owned(), ..Create::default() };
    let workflow = create(&app, &viewer, request).await.unwrap();
    let mut now = draft::get_main(&app, &viewer, workflow.id).await.unwrap();
    let mut wrong = Vec::new();
    let cases = std::iter::once((None, sound())).chain(faulty().into_iter().map(|(code, case)| (Some(code), case)));
    for (code, document) in cases {
        let patch = json!([{"op": "replace", "path": "", "value": document}]);
        let save = Save { expected: now.revision, patch: Some(patch), sidecar_patch: None };
        now = draft::save(&app, &viewer, now.id, save).await.unwrap();
        let problems = draft::problems_in(&app, &viewer, &now, "default").await.unwrap();
        let found: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
        if found != Vec::from_iter(code) {
            wrong.push(format!("{code:?}: {problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<Code> = Code::ALL.iter().copied().filter(|code| !faulty().contains_key(code)).collect();
    assert_eq!(missing, NOT_BUILT_IN);
    app.runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_given_once_and_alone_on_sqlite() {
    every_code_is_given_for_a_saved_draft(Home::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_code_is_given_once_and_alone_on_postgres() {
    wall::of_system(every_code_is_given_for_a_saved_draft(Home::postgres().await)).await;
}

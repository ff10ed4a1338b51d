//! Ten thousand documents made by chance from one seed: none makes the check panic, and reading is strict and lenient
//! alike about what is a document.

use engine::definition::Definition;
use engine::definition::problem::ProblemCode;
use engine::graph::{Graph, Surroundings, examine, types_at};
use serde_json::{Map, Value, json};

use crate::play::TestCatalog;

/// A small generator of chance (splitmix64), the same on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn word(&mut self) -> String {
        let words = [
            "a",
            "b",
            "c",
            "start",
            "nodes",
            "ä",
            "日本",
            "a/b",
            "~1",
            "",
            "in",
            "null",
            "\u{0}",
            "\u{202e}x",
            "🦀",
            "A",
            "_",
            "a.b",
            "type",
            "config",
            "items",
            "__proto__",
            "{{",
            "x y",
            "9",
        ];
        self.pick(&words).to_owned()
    }

    fn expression(&mut self) -> String {
        let pieces = [
            "{{",
            "}}",
            "input",
            ".",
            "nodes",
            "a",
            "b",
            "output",
            "[",
            "]",
            "0",
            "(",
            ")",
            "+",
            "secrets.x",
            "\"",
            "'",
            "ü",
            " ",
            "?.",
            "map(x, ",
            "item",
            "index",
            "&&",
            "==",
            "null",
            "9223372036854775808",
            "1e999",
            "\\",
            "\n",
            "run.input",
            "{",
            "}",
            ":",
            ",",
            "trigger.body",
            "vars",
            "size(",
            "🦀",
        ];
        let whole = [
            "{{ input.a }}",
            "{{ input.zz }} {{ input.a.zz }}",
            "{{ nodes.c.output }}",
            "{{ nodes.b.output.number }}",
            "{{ nodes.a.output.x }}",
            "{{ nodes.zz.output }}",
            "{{ run.input.a * 2 }}",
            "{{ trigger.zz }}",
        ];
        if self.one_in(3) {
            return self.pick(&whole).to_owned();
        }
        let mut text = if self.one_in(2) { "{{ ".to_owned() } else { String::new() };
        for _ in 0..self.below(9) {
            text.push_str(self.pick(&pieces));
        }
        text + if self.one_in(3) { "" } else { " }}" }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 8 } else { 11 }) {
            0 => Value::Null,
            1 => json!(self.one_in(2)),
            2 => json!(self.next()),
            3 => json!(-(self.below(1 << 40) as i64)),
            4 => json!(f64::from_bits(self.next())),
            5 => json!(self.word()),
            6 | 7 => json!(self.expression()),
            8 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object((0..self.below(4)).map(|_| (self.word(), self.value(depth - 1))).collect()),
        }
    }

    fn schema(&mut self, depth: usize) -> Value {
        let types = ["string", "integer", "object", "array", "null", "any", "number"];
        let mut schema = Map::new();
        for _ in 0..self.below(4) {
            let (keyword, value) = match self.below(9) {
                0 => ("type", json!(self.pick(&types))),
                1 if self.one_in(2) => ("type", json!("object")),
                1 => (
                    "$ref",
                    json!(self.pick(&["#", "#/properties/a", "#/$defs/x", "https://example.org", "#/nothing", "~"])),
                ),
                2 if depth > 0 => ("items", self.schema(depth - 1)),
                3 if depth > 0 => {
                    ("properties", json!({self.word(): self.schema(depth - 1), "a": self.schema(depth - 1)}))
                }
                4 if depth > 0 => ("anyOf", json!([self.schema(depth - 1), self.schema(depth - 1)])),
                5 => ("required", json!([self.word()])),
                6 => ("additionalProperties", json!(self.one_in(2))),
                7 => ("enum", json!([self.value(1)])),
                _ => ("type", self.value(1)),
            };
            schema.insert(keyword.to_owned(), value);
        }
        Value::Object(schema)
    }

    fn node(&mut self) -> Value {
        let types = [
            "test.trigger@1",
            "test.pure@1",
            "test.list@1",
            "test.number@1",
            "test.if@1",
            "test.merge@1",
            "test.same@1",
            "test.get@1",
            "test.old@1",
            "test.nothing@1",
            "test.pure@99999999999",
            "@",
            "",
        ];
        let mut node = json!({"type": self.pick(&types)});
        for _ in 0..self.below(4) {
            let (field, value) = match self.below(11) {
                0 => {
                    let (number, text, later) = (self.value(1), self.expression(), self.value(2));
                    ("config", json!({"number": number, "text": text, "later": later, "literal": self.expression()}))
                }
                1 => ("config", self.value(3)),
                2 => ("for_each", json!({"items": self.value(2), "concurrency": self.below(3)})),
                3 => ("retry", json!({"attempts": self.below(200), "initial": self.word(), "jitter": self.value(0)})),
                4 => ("timeout", self.value(0)),
                5 => ("join", json!(self.pick(&["all", "any", "none"]))),
                6 => ("connection", self.value(0)),
                7 => ("name", self.value(0)),
                8 => ("on_uncertain", json!(self.pick(&["park", "retry", "soon"]))),
                9 => ("disabled", json!(self.below(4) > 0)),
                _ => ("surprise", self.value(1)),
            };
            node[field] = value;
        }
        node
    }

    fn document(&mut self) -> Value {
        let keys = ["start", "a", "b", "c", "Bad", "ä/~"];
        let mut nodes = Map::from_iter([("start".to_owned(), json!({"type": "test.trigger@1"}))]);
        for _ in 0..self.below(6) {
            nodes.insert(self.pick(&keys).to_owned(), self.node());
        }
        let ports = ["", ".out", ".error", ".true", ".number", ".a.b", "."];
        let end = |chance: &mut Self| format!("{}{}", chance.pick(&keys), chance.pick(&ports));
        let edges: Vec<Value> = (0..self.below(7)).map(|_| json!({"from": end(self), "to": end(self)})).collect();
        let mut document = json!({"nodes": nodes, "edges": edges});
        if self.one_in(2) {
            document["input_schema"] = self.schema(3);
        }
        if self.one_in(3) {
            document["output"] = self.value(2);
        }
        if self.one_in(5) {
            document["settings"] = json!({"timeout": self.value(0)});
        }
        // Now and then a part is replaced by anything at all.
        if self.one_in(3) {
            let part =
                self.pick(&["/nodes", "/edges", "/nodes/start", "/edges/0", "/input_schema", "/nodes/a/config", ""]);
            let anything = self.value(4);
            if let Some(place) = document.pointer_mut(part) {
                *place = anything;
            }
        }
        document
    }
}

#[test]
fn ten_thousand_documents_by_chance_never_make_the_check_panic() {
    let catalog = TestCatalog::new();
    let mut chance = Chance(20_261_121);
    let mut met = std::collections::BTreeSet::new();
    for _ in 0..10_000 {
        let document = chance.document();
        let examined = examine(&document, &catalog);
        for problem in &examined.problems {
            met.insert(problem.code);
            let exists = document.pointer(&problem.path).is_some();
            // What is missing is named by where it should stand.
            assert!(exists || problem.path.ends_with("/type") || problem.path == "/nodes", "{problem:?} in {document}");
        }
        let is_good = !examined.problems.iter().any(engine::definition::problem::Problem::is_error);
        assert_eq!(examined.graph.is_some(), is_good);
        // What passes the check can be run, and what cannot be read does not pass.
        match Definition::from_json(&document) {
            Ok(definition) if is_good => assert!(Graph::check(&definition, &catalog).is_ok(), "{document}"),
            Ok(definition) => drop(Graph::check(&definition, &catalog)),
            Err(problem) => assert!(examined.problems.contains(&problem), "{problem:?} in {document}"),
        }
        types_at(&document, &catalog, &Surroundings::default(), Some("a"), "/config/later");
    }
    let not_by_chance = [ProblemCode::DocumentTooLarge, ProblemCode::ConnectionUnknown, ProblemCode::PortTypeUncertain];
    let missed: Vec<_> =
        ProblemCode::ALL.iter().filter(|code| !met.contains(code) && !not_by_chance.contains(code)).collect();
    assert!(missed.is_empty(), "the documents are too tame for {missed:?}");
}

#[test]
fn large_documents_are_checked_in_time_that_grows_with_them() {
    // A chain behind a cycle, each node reading the one before: what a careless check takes the square of the size for.
    let mut nodes = Map::from_iter([("start".to_owned(), json!({"type": "test.trigger@1"}))]);
    let mut edges = vec![json!({"from": "n1", "to": "n0"})];
    for n in 0..9_999 {
        let before = if n == 0 { "start".to_owned() } else { format!("n{}", n - 1) };
        nodes.insert(
            format!("n{n}"),
            json!({"type": "test.same@1", "config": {"text": format!("{{{{ nodes.{before}.output }}}}")}}),
        );
        edges.push(json!({"from": before, "to": format!("n{n}")}));
    }
    let mut document = json!({"nodes": nodes, "edges": edges});
    let codes: Vec<_> = examine(&document, &TestCatalog::new()).problems.into_iter().map(|p| p.code).collect();
    assert!(codes.contains(&ProblemCode::Cycle), "{codes:?}");
    document["edges"].as_array_mut().unwrap().remove(0);
    assert!(examine(&document, &TestCatalog::new()).problems.len() < 20_000);
}

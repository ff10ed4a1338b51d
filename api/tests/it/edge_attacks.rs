//! Attacks on what comes in and goes out that no other file is about, and a look whether every attack there has its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::app::{Home, TestApp, doubling, on_both_databases};

/// Quotes of every kind, comments, patterns, paths of JSON, templates and files, in one text.
const TRICKS: &str = "x'; DROP TABLE run; -- \" OR \"\"=\" ` \\ %_ $.a[*] ? (@ == 1) {{ secrets }} ../../etc/passwd <img src=x onerror=alert(1)>";
/// PostgreSQL keeps no NUL.
const NUL: &str = "a\u{0}b";

/// The types of the schema by name.
struct Schema(BTreeMap<String, TypeKind>);

impl Schema {
    fn read() -> Self {
        let document = parse_schema(api::graphql::schema_sdl()).unwrap();
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => {
                Some((definition.node.name.node.to_string(), definition.node.kind))
            }
            _ => None,
        });
        Self(types.collect())
    }

    fn fields(&self, of: &str) -> Vec<FieldDefinition> {
        match &self.0[of] {
            TypeKind::Object(object) => object.fields.iter().map(|field| field.node.clone()).collect(),
            _ => panic!("{of} is no object"),
        }
    }

    /// A value for a type, in which the text number `at` is the attack and every other one is plausible. `seen` counts
    /// the texts.
    fn value(&self, of: &Type, at: usize, attack: &str, seen: &mut usize) -> Value {
        let name = match &of.base {
            BaseType::List(inner) => return json!([self.value(inner, at, attack, seen)]),
            BaseType::Named(name) => name.as_str(),
        };
        let mut text = |plausible: &str| {
            *seen += 1;
            if *seen - 1 == at { json!(attack) } else { json!(plausible) }
        };
        match (name, self.0.get(name)) {
            ("String", _) => text("default"),
            ("ID", _) => text("run_01890000000070008000000000000000"),
            ("JSON", _) => json!({ "a": text("default") }),
            ("Int" | "Float", _) => json!(1),
            ("Boolean", _) => json!(false),
            ("DateTime", _) => json!("2026-01-01T00:00:00Z"),
            (_, Some(TypeKind::Enum(kind))) => json!(kind.values[0].node.value.node.as_str()),
            (_, Some(TypeKind::InputObject(input))) => {
                let mut field = |field: &InputValueDefinition| {
                    (field.name.node.to_string(), self.value(&field.ty.node, at, attack, seen))
                };
                Value::Object(input.fields.iter().map(|one| field(&one.node)).collect::<Map<_, _>>())
            }
            _ => text("default"),
        }
    }

    /// A request for a field, with the attack at one place; `None` when there are fewer texts.
    fn request(&self, root: &str, field: &FieldDefinition, at: usize, attack: &str) -> Option<(String, Value)> {
        let (mut seen, mut declared, mut passed, mut variables) = (0, Vec::new(), Vec::new(), Map::new());
        for argument in &field.arguments {
            let (name, of) = (argument.node.name.node.as_str(), &argument.node.ty.node);
            // Pages from one end only.
            if matches!(name, "last" | "before") {
                continue;
            }
            declared.push(format!("${name}: {of}"));
            passed.push(format!("{name}: ${name}"));
            variables.insert(name.to_owned(), self.value(of, at, attack, &mut seen));
        }
        let mut of = &field.ty.node.base;
        while let BaseType::List(inner) = of {
            of = &inner.base;
        }
        let BaseType::Named(of) = of else { unreachable!() };
        let selection = match self.0.get(of.as_str()) {
            Some(TypeKind::Object(_) | TypeKind::Union(_) | TypeKind::Interface(_)) => "{ __typename }",
            _ => "",
        };
        let (declared, passed) = (declared.join(", "), passed.join(", "));
        let text = format!("{root}({declared}) {{ it: {}({passed}) {selection} }}", field.name.node);
        (at < seen).then_some((text, Value::Object(variables)))
    }
}

on_both_databases! {
    async fn e10_text_of_other_languages_in_any_argument_is_only_text(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let schema = Schema::read();
        let mut asked = 0;
        for (root, of) in [("query", "Query"), ("mutation", "Mutation")] {
            for field in schema.fields(of) {
                for attack in [TRICKS, NUL] {
                    for at in 0.. {
                        let Some((text, variables)) = schema.request(root, &field, at, attack) else { break };
                        let response = app.post(&app.key, &json!({"query": text, "variables": variables})).send().await.unwrap();
                        let (status, answer) = (response.status(), response.json::<Value>().await.unwrap());
                        assert!(status.as_u16() < 500, "{status} {text} {variables} {answer:#}");
                        assert!(!answer.to_string().contains("INTERNAL"), "{text} {variables} {answer:#}");
                        asked += 1;
                    }
                }
            }
        }
        assert!(asked > 400, "only {asked} requests were made");
        let run = app.start_run("double", json!({"n": 2})).await;
        assert_eq!(app.finish(&run).await["status"], "SUCCEEDED");
        app.stop().await;
    }

    async fn e02_a_body_that_names_files_is_data_and_nothing_is_read(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = json!({
            "nodes": {
                "hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}},
                "keep": {"type": "data.set@1", "config": {"value": "{{ input.body }}"}},
            },
            "edges": [{"from": "hook", "to": "keep"}],
        });
        app.publish("inbox", &definition).await;
        let body = json!({
            "data": {"name": "x"},
            "files": {"f": [{"filepath": "/etc/passwd", "originalFilename": "a", "mimetype": "text/plain", "size": 9}]},
            "$file": {"id": "art_01890000000070008000000000000000", "path": "/etc/passwd"},
        });
        let url = app.url("/hooks/default/default/inbox/hook");
        let answer: Value = app.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        let seen = app.finish(answer["runId"].as_str().unwrap()).await;
        assert_eq!(seen["output"]["json"], body);
        app.stop().await;
    }

    async fn e03_no_name_leads_out_of_its_place(home: Home) {
        let app = TestApp::start(&home).await;
        for name in ["../x", "..", "/etc/passwd", "a/b", "a\\b", "a\u{0}", "CON:", "C:\\x", &"a".repeat(4_096)] {
            let document = json!({"nodes": {"start": {"type": "trigger.manual@1"}}, "edges": []});
            assert_eq!(app.refused("createWorkflow", json!({"name": name, "document": document})).await, "BAD_USER_INPUT", "{name}");
            assert_eq!(app.refused("createProject", json!({"slug": name})).await, "BAD_USER_INPUT", "{name}");
        }
        // As they are, without a client that tidies them.
        for path in ["/../../../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd", "/hooks/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd"] {
            let mut socket = tokio::net::TcpStream::connect(app.address).await.unwrap();
            let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", app.address);
            socket.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            assert!(!answer.contains("root:"), "{path}: {answer}");
        }
        app.stop().await;
    }

    async fn e04_what_comes_packed_is_not_unpacked(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = json!({"nodes": {"hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}}}, "edges": []});
        app.publish("inbox", &definition).await;
        // An archive that names a file outside of it, and JSON that says that it is packed.
        let zip = b"PK\x03\x04\xff\xfe../../../etc/cron.d/x".to_vec();
        for (header, value, body) in [("content-type", "application/zip", zip), ("content-encoding", "gzip", b"\x1f\x8b{}".to_vec())] {
            let request = app.http.post(app.url("/hooks/default/default/inbox/hook")).body(body);
            let status = request.header(header, value).send().await.unwrap().status().as_u16();
            assert!((400..500).contains(&status), "{header}: {status}");
        }
        assert_eq!(app.ask("{ runs { totalCount } }", json!({})).await["runs"]["totalCount"], 0);
        app.stop().await;
    }

    async fn e05_bombs_of_nesting_and_size_are_refused_before_they_are_unfolded(home: Home) {
        let app = TestApp::start(&home).await;
        let definition = json!({"nodes": {"hook": {"type": "trigger.webhook@1", "config": {"verify": "none"}}}, "edges": []});
        app.publish("inbox", &definition).await;
        let send = async |body: String| {
            let request = app.http.post(app.url("/hooks/default/default/inbox/hook"));
            request.header("content-type", "application/json").body(body).send().await.unwrap().status().as_u16()
        };
        assert_eq!(send("[".repeat(100_000) + &"]".repeat(100_000)).await, 400);
        assert_eq!(send(format!("\"{}\"", "a".repeat(17 << 20))).await, 413);
        assert_eq!(send("{\"a\":1}".to_owned()).await, 202);
        app.stop().await;
    }

    async fn e09_names_of_people_come_back_as_they_were_and_never_as_a_page(home: Home) {
        let app = TestApp::start(&home).await;
        app.publish("double", &doubling()).await;
        let label = "<img src=x onerror=alert(1)>\u{202e}javascript:alert(1)";
        let input = json!({"workflow": "double", "input": {"n": 1}, "key": label, "labels": {"who": label}});
        let run = app.changed("startRun", input, "run { id key labels }").await["run"].clone();
        assert_eq!((&run["key"], &run["labels"]["who"]), (&json!(label), &json!(label)));
        for path in ["/graphql".to_owned(), format!("/api/v1/runs/{}", run["id"].as_str().unwrap())] {
            let request = app.http.get(app.url(&path)).query(&[("query", "{ runs { nodes { key } } }")]);
            let response = request.bearer_auth(&app.key).send().await.unwrap();
            let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-type").contains("json"), "{path}: {}", header("content-type"));
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        }
        app.stop().await;
    }
}

/// Every file of tests.
fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() && !matches!(name.as_str(), "node_modules" | "target" | ".git" | "dist") {
            sources(&path, found);
        } else if [".rs", ".spec.ts", ".test.ts", ".test.tsx"].iter().any(|end| name.ends_with(end)) {
            found.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_attack_of_the_list_is_answered_by_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut tests = String::new();
    sources(root, &mut tests);
    let list = std::fs::read_to_string(root.join("docs/guides/attacks.md")).unwrap();
    let mut ids = BTreeSet::new();
    for row in list.lines().filter(|line| line.starts_with("| **")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let named: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            let is_there = tests.contains(&format!("fn {name}(")) || tests.contains(&format!("\"{name}\""));
            assert!(is_there, "there is no test `{name}`: {row}");
        }
        ids.insert(cells[1].trim_matches('*').to_owned());
    }
    for (letter, count) in [('D', 10), ('E', 10)] {
        for number in 1..=count {
            assert!(ids.contains(&format!("{letter}{number}")), "{letter}{number} is not in the list");
        }
    }
}

//! What holds for every built-in type.

use super::*;
use jsonschema::draft202012;
use serde_json::json;

/// Every field in a schema, also below others, with its path.
fn fields(schema: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        fields(field, &path, found);
        found.push((path, field.clone()));
    }
    if schema["additionalProperties"].is_object() {
        fields(&schema["additionalProperties"], &format!("{path}.*"), found);
    }
}

/// The YAML blocks of a type's docs, each a node as people write it.
fn examples(docs: &str) -> Vec<Value> {
    let blocks = docs.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| serde_saphyr::from_str(block).unwrap()).collect()
}

/// What a schema says against a config whose expressions are not put in yet.
fn faults(schema: &Value, config: &Value) -> Vec<String> {
    let validator = draft202012::new(schema).unwrap();
    let open = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
    validator.iter_errors(config).filter(|error| !open(error.instance())).map(|error| error.to_string()).collect()
}

#[test]
fn the_built_in_types_are_these() {
    let names: Vec<_> = Registry::built_in().descriptors().map(|descriptor| descriptor.r#type.to_string()).collect();
    assert_eq!(
        names,
        [
            "artifact.read@1",
            "artifact.write@1",
            "code.js@1",
            "data.aggregate@1",
            "data.dedupe@1",
            "data.filter@1",
            "data.set@1",
            "data.sort@1",
            "data.text@1",
            "event.publish@1",
            "file.convert@1",
            "flow.fail@1",
            "flow.if@1",
            "flow.merge@1",
            "flow.switch@1",
            "flow.wait@1",
            "http.graphql@1",
            "http.request@1",
            "http.respond@1",
            "log.write@1",
            "mail.send@1",
            "redis.command@1",
            "sql.query@1",
            "trigger.error@1",
            "trigger.event@1",
            "trigger.manual@1",
            "trigger.schedule@1",
            "trigger.webhook@1",
            "trigger.workflow@1",
        ]
    );
}

#[test]
fn every_name_reads_back_as_itself() {
    for descriptor in Registry::built_in().descriptors() {
        assert_eq!(descriptor.r#type.to_string().parse(), Ok(descriptor.r#type.clone()));
    }
}

#[test]
fn every_config_schema_is_a_closed_object_in_json_schema_2020_12() {
    for descriptor in Registry::built_in().descriptors() {
        let (name, schema) = (&descriptor.r#type, &descriptor.config_schema);
        assert!(draft202012::meta::validate(schema).is_ok(), "{name}");
        assert_eq!(schema["type"], json!("object"), "{name}");
        assert_eq!(schema["additionalProperties"], json!(false), "{name}");
        assert!(!faults(schema, &json!({"no_such_field": 1})).is_empty(), "{name}");
    }
}

#[test]
fn every_field_has_a_title_and_a_description_to_make_a_form_of() {
    for descriptor in Registry::built_in().descriptors() {
        let mut found = Vec::new();
        fields(&descriptor.config_schema, &descriptor.r#type.to_string(), &mut found);
        for (path, field) in found {
            for key in ["title", "description"] {
                assert!(field[key].as_str().is_some_and(|text| !text.is_empty()), "{path} has no {key}");
            }
        }
    }
}

#[test]
fn every_type_has_words_for_people_and_an_example_that_its_schema_accepts() {
    for descriptor in Registry::built_in().descriptors() {
        let name = descriptor.r#type.to_string();
        assert!(!descriptor.title.is_empty() && descriptor.summary.ends_with('.'), "{name}");
        assert!(!descriptor.aliases.is_empty(), "{name}");
        let examples = examples(descriptor.docs);
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            assert_eq!(example["type"], json!(name));
            assert_eq!(faults(&descriptor.config_schema, &example["config"]), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn every_text_of_every_type_is_there_in_german_and_no_other() {
    for descriptor in Registry::built_in().descriptors() {
        let name = descriptor.r#type.to_string();
        let german = descriptor.translations.iter().find(|known| known.language == "de").unwrap();
        let mut known: Vec<&str> = german.messages.iter().map(|(key, _)| *key).collect();
        let mut expected = descriptor.message_keys();
        known.sort_unstable();
        expected.sort_unstable();
        assert_eq!(known, expected, "{name}");
        assert!(german.messages.iter().all(|(_, text)| !text.trim().is_empty()), "{name}");
        assert!(german.aliases.len() >= 4, "{name}");
        let words = descriptor.words("de-CH");
        assert!(
            words.language == "de" && words.summary != descriptor.summary && words.summary.ends_with('.'),
            "{name}"
        );
        // The examples are the same in every language.
        assert_eq!(examples(words.docs), examples(descriptor.docs), "{name}");
    }
}

#[test]
fn every_field_has_a_place_of_its_own_in_a_form() {
    for descriptor in Registry::built_in().descriptors() {
        let fields = descriptor.config_schema["properties"].as_object().unwrap();
        let mut order: Vec<u64> = fields.values().map(|field| field["x-order"].as_u64().unwrap()).collect();
        order.sort_unstable();
        assert_eq!(order, (1..=fields.len() as u64).collect::<Vec<_>>(), "{}", descriptor.r#type);
    }
}

/// A type of which version 2 renamed a field.
struct Renamed;

#[async_trait]
impl NodeType for Renamed {
    fn descriptor(&self) -> NodeDescriptor {
        NodeDescriptor::new("test.renamed", 2, engine::catalog::NodeCategory::Data)
    }

    fn effect(&self, _: &Value) -> EffectClass {
        EffectClass::Pure
    }

    fn migrate(&self, config: &Value, from: u32) -> Option<Value> {
        let mut config = config.as_object()?.clone();
        if from == 1 {
            let address = config.remove("address")?;
            config.insert("url".to_owned(), address);
        }
        Some(Value::Object(config))
    }

    async fn execute(&self, _: &dyn NodeContext, attempt: &Attempt) -> Result<NodeOutcome, ErrorInfo> {
        Ok(done(attempt.config.clone()))
    }
}

#[test]
fn a_newer_version_takes_over_the_config_of_an_older_one() {
    let registry = Registry::built_in().with(Renamed);
    let name = "test.renamed@2".parse().unwrap();
    let migrated = registry.migrate(&name, &json!({"address": "x", "n": 1}), 1);
    assert_eq!(migrated, Some(json!({"url": "x", "n": 1})));
    assert_eq!(registry.migrate(&name, &json!({"n": 1}), 1), None, "it cannot tell");
    assert_eq!(registry.migrate(&name, &json!({}), 2), None, "there is nothing to migrate from");
    assert_eq!(registry.migrate(&"data.set@1".parse().unwrap(), &json!({}), 0), None);
}

/// The problems of a document over the built-in types.
fn problems(document: Value) -> Vec<(&'static str, String)> {
    let examined = engine::graph::examine(&document, &Registry::built_in());
    examined.problems.into_iter().map(|problem| (problem.code.as_str(), problem.path)).collect()
}

#[test]
fn types_pass_through_the_built_in_nodes() {
    let document = |condition: &str, field: &str| {
        json!({
            "input_schema": {"type": "object", "required": ["rows"], "properties": {
                "rows": {"type": "array", "items": {
                    "type": "object", "additionalProperties": false, "required": ["name", "price"],
                    "properties": {"name": {"type": "string"}, "price": {"type": "number"}}
                }}
            }},
            "nodes": {
                "start": {"type": "trigger.manual@1"},
                "cheap": {"type": "data.filter@1", "config": {"items": "{{ input.rows }}", "condition": condition}},
                "is_any": {"type": "flow.if@1", "config": {"condition": "{{ size(input) > 0 }}"}},
                "first": {"type": "data.set@1", "config": {"fields": {"label": field}}},
            },
            "edges": [
                {"from": "start", "to": "cheap"}, {"from": "cheap", "to": "is_any"}, {"from": "is_any.true", "to": "first"}
            ]
        })
    };
    let good = "{{ item.price < 10 && index < 5 }}";
    assert_eq!(problems(document(good, "{{ input[0].name.upper() }}")), []);
    assert_eq!(
        problems(document("{{ item.prize < 10 }}", "x")),
        [("MEMBER_UNKNOWN", "/nodes/cheap/config/condition".to_owned())]
    );
    assert_eq!(
        problems(document("{{ item.name }}", "x")),
        [("EXPRESSION_TYPE_MISMATCH", "/nodes/cheap/config/condition".to_owned())]
    );
    assert_eq!(
        problems(document(good, "{{ input.name }}")),
        [("EXPRESSION_TYPE_MISMATCH", "/nodes/first/config/fields/label".to_owned())]
    );
    assert_eq!(
        problems(document(good, "{{ input[0].names }}")),
        [("MEMBER_UNKNOWN", "/nodes/first/config/fields/label".to_owned())]
    );
}

#[test]
fn triggers_take_nothing_and_all_others_take_something() {
    for descriptor in Registry::built_in().descriptors() {
        assert_eq!(descriptor.is_trigger(), descriptor.inputs.is_empty(), "{}", descriptor.r#type);
        assert!(descriptor.outputs.iter().all(|port| port.name != engine::catalog::ERROR), "{}", descriptor.r#type);
    }
}

#[test]
fn schemas_refuse_what_makes_no_sense() {
    let registry = Registry::built_in();
    for (name, config) in [
        ("data.set@1", json!({})),
        ("data.set@1", json!({"value": 1, "fields": {}})),
        ("data.aggregate@1", json!({"values": {"v": {"op": "sum"}}})),
        ("data.aggregate@1", json!({"values": {"v": {"op": "median", "of": 1}}})),
        ("flow.wait@1", json!({"for": "1s", "until": "2030-01-01T00:00:00Z"})),
        ("flow.wait@1", json!({"for": "soon"})),
        ("flow.merge@1", json!({"mode": "join_by_key"})),
        ("flow.if@1", json!({})),
        ("flow.fail@1", json!({"message": "m", "code": "not a code"})),
        ("http.request@1", json!({"url": "https://example.com", "success": ["9xx"]})),
        ("http.request@1", json!({"url": "https://example.com", "method": "BREW"})),
        ("http.respond@1", json!({"status": 99})),
    ] {
        let descriptor = registry.descriptor(&name.parse().unwrap()).unwrap();
        assert!(!faults(&descriptor.config_schema, &config).is_empty(), "{name} {config}");
    }
    let descriptor = registry.descriptor(&"data.aggregate@1".parse().unwrap()).unwrap();
    assert!(faults(&descriptor.config_schema, &json!({"values": {"n": {"op": "count"}}})).is_empty());
    let descriptor = registry.descriptor(&"flow.merge@1".parse().unwrap()).unwrap();
    assert!(faults(&descriptor.config_schema, &json!({})).is_empty());
}

#[test]
fn an_unknown_type_counts_as_effectful() {
    let unknown = "acme.thing@1".parse().unwrap();
    assert_eq!(Registry::built_in().effect(&unknown, &json!({})), EffectClass::Effectful);
    let set = "data.set@1".parse().unwrap();
    assert_eq!(Registry::built_in().effect(&set, &json!({})), EffectClass::Pure);
}

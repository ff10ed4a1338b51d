//! What a published node relies on of its type.

use serde_json::{Map, Value, json};

use super::{NodeDescriptor, Port};
use crate::definition::canonical;
use crate::value::Digest;

/// Keywords that only people and forms read.
const FOR_PEOPLE: &[&str] = &[
    "title",
    "description",
    "examples",
    "$comment",
    "deprecated",
    "x-widget",
    "x-order",
    "x-sensitive",
    "x-item-of",
    "x-types",
];
/// Keywords whose members are names, each with a schema.
const NAMED_SCHEMAS: &[&str] = &["properties", "patternProperties", "$defs", "dependentSchemas"];
/// Keywords whose content is data, to be kept as it is.
const DATA: &[&str] = &["const", "enum", "default", "required", "dependentRequired"];

pub(super) fn digest(descriptor: &NodeDescriptor) -> Digest {
    let ports = |ports: &[Port]| -> Value {
        ports
            .iter()
            .map(|port| json!({ "name": port.name, "schema": port.r#type.to_schema(), "many": port.many }))
            .collect()
    };
    canonical::hash(&json!({
        "type": descriptor.r#type,
        "config": essence(&descriptor.config_schema),
        "inputs": ports(&descriptor.inputs),
        "outputs": ports(&descriptor.outputs),
    }))
}

/// The schema without what only people read.
fn essence(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            let kept = keywords.iter().filter(|(keyword, _)| !FOR_PEOPLE.contains(&keyword.as_str()));
            Value::Object(kept.map(|(keyword, value)| (keyword.clone(), member(keyword, value))).collect())
        }
        Value::Array(schemas) => schemas.iter().map(essence).collect(),
        other => other.clone(),
    }
}

fn member(keyword: &str, value: &Value) -> Value {
    match value {
        _ if DATA.contains(&keyword) => value.clone(),
        Value::Object(named) if NAMED_SCHEMAS.contains(&keyword) => {
            let named = named.iter().map(|(name, schema)| (name.clone(), essence(schema)));
            Value::Object(named.collect::<Map<_, _>>())
        }
        other => essence(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::NodeCategory;
    use crate::port::PortType;

    fn with_schema(config_schema: Value) -> NodeDescriptor {
        NodeDescriptor { config_schema, ..NodeDescriptor::new("test.thing", 1, NodeCategory::Data) }
    }

    #[test]
    fn words_and_form_hints_do_not_change_the_digest() {
        let plain = json!({"properties": {"title": {"type": "string", "default": {"title": "x"}}}});
        let dressed = json!({
            "title": "T",
            "properties": {"title": {"type": "string", "default": {"title": "x"}, "description": "D", "x-order": 1}}
        });
        let dressed = NodeDescriptor { title: "Thing", icon: "star", ..with_schema(dressed) };
        assert_eq!(with_schema(plain).digest(), dressed.digest());
    }

    #[test]
    fn name_config_and_ports_do() {
        let thing = with_schema(json!({"properties": {"title": {"type": "string"}}}));
        let others = [
            with_schema(json!({"properties": {"titel": {"type": "string"}}})),
            with_schema(json!({"properties": {"title": {"type": "string", "default": {"title": "x"}}}})),
            with_schema(json!({"properties": {"title": {"type": "string", "x-deferred": true}}})),
            NodeDescriptor { r#type: "test.thing@2".parse().unwrap(), ..thing.clone() },
            NodeDescriptor { outputs: vec![Port::one("out", PortType::String)], ..thing.clone() },
            NodeDescriptor { inputs: vec![Port::many("in")], ..thing.clone() },
        ];
        for other in others {
            assert_ne!(thing.digest(), other.digest(), "{other:?}");
        }
    }
}

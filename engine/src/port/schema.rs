//! JSON Schema (2020-12) in and out.
//!
//! Keywords that only narrow a type (`minLength`, `pattern`, `enum` of texts) are passed over: the type stays right.
//! What cannot be said in the algebra is `any`, and [`PortType::from_schema`] tells where.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{FILE, PortType};
use crate::definition::canonical::escape;

/// Deepest nesting of a schema that is looked into.
const MOST_LEVELS: usize = 32;
/// Most schemas looked at, references counted each time they are followed.
const MOST_SCHEMAS: usize = 10_000;

/// A part of a schema that the algebra cannot say; it counts as `any`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// JSON pointer into the schema.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

impl PortType {
    /// The type of what a schema allows, and what of the schema it could not say.
    pub fn from_schema(schema: &Value) -> (Self, Vec<Outside>) {
        let mut reader = Reader { root: schema, left: MOST_SCHEMAS, outside: Vec::new(), followed: None };
        let r#type = reader.read(schema, String::new(), 0);
        (r#type, reader.outside)
    }

    /// The same as JSON Schema.
    pub fn to_schema(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Null => json!({"type": "null"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Integer => json!({"type": "integer"}),
            Self::Number => json!({"type": "number"}),
            Self::String => json!({"type": "string"}),
            Self::File => {
                let mut schema = object_schema(&Self::file_fields(), false);
                schema.insert("x-file".to_owned(), Value::Bool(true));
                Value::Object(schema)
            }
            Self::List { items } if **items == Self::Any => json!({"type": "array"}),
            Self::List { items } => json!({"type": "array", "items": items.to_schema()}),
            Self::Object { fields, open } => Value::Object(object_schema(fields, *open)),
            Self::Union { of } => json!({"anyOf": of.iter().map(Self::to_schema).collect::<Vec<_>>()}),
        }
    }
}

fn object_schema(fields: &BTreeMap<String, PortType>, open: bool) -> Map<String, Value> {
    let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
    if !fields.is_empty() {
        let properties = fields.iter().map(|(name, field)| (name.clone(), field.to_schema()));
        schema.insert("properties".to_owned(), Value::Object(properties.collect()));
        let required: Vec<&String> =
            fields.iter().filter(|(_, field)| !field.takes_null()).map(|(name, _)| name).collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
    }
    if !open {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}

struct Reader<'a> {
    root: &'a Value,
    left: usize,
    outside: Vec<Outside>,
    /// The place of the outermost reference that is being followed.
    followed: Option<String>,
}

impl<'a> Reader<'a> {
    fn outside(&mut self, path: String, reason: &'static str) -> PortType {
        let path = self.followed.clone().unwrap_or(path);
        // One complaint of a kind is enough of a schema that is too large.
        let outside = Outside { path, reason };
        let is_known =
            self.outside.iter().any(|known| *known == outside || (known.reason == reason && reason == TOO_LARGE));
        if !is_known {
            self.outside.push(outside);
        }
        PortType::Any
    }

    fn read(&mut self, schema: &'a Value, path: String, level: usize) -> PortType {
        if level > MOST_LEVELS || self.left == 0 {
            return self.outside(path, TOO_LARGE);
        }
        self.left -= 1;
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(false) => return self.outside(path, "`false` allows nothing"),
            _ => return PortType::Any,
        };
        if let Some(reference) = keywords.get("$ref") {
            return self.referred(reference, path, level);
        }
        if keywords.contains_key("$dynamicRef") {
            return self.outside(path, "a dynamic reference is not followed");
        }
        let own = self.own(keywords, &path, level);
        let parts = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|word| Some((word, keywords.get(word)?)));
        let mut found = own;
        for (word, schemas) in parts {
            let schemas = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
            let types: Vec<PortType> = schemas
                .iter()
                .enumerate()
                .map(|(index, schema)| self.read(schema, format!("{path}/{word}/{index}"), level + 1))
                .filter(|r#type| word != "allOf" || *r#type != PortType::Any)
                .collect();
            let combined = match (word, types.len()) {
                (_, 0) => PortType::Any,
                ("allOf", 1) => types.into_iter().next().unwrap_or(PortType::Any),
                ("allOf", _) => return self.outside(format!("{path}/allOf"), "only one of `allOf` may name a type"),
                _ => PortType::union(types),
            };
            // Beside a type of its own, alternatives mostly narrow it (`required` of one field or another).
            if found == PortType::Any {
                found = combined;
            }
        }
        found
    }

    fn referred(&mut self, reference: &Value, path: String, level: usize) -> PortType {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(schema) => {
                let is_outermost = self.followed.is_none();
                if is_outermost {
                    self.followed = Some(path.clone());
                }
                let r#type = self.read(schema, path, level + 1);
                if is_outermost {
                    self.followed = None;
                }
                r#type
            }
            None => self.outside(path, "only references inside the schema, such as `#/$defs/row`, are followed"),
        }
    }

    /// The type that the keywords of this level name, alternatives aside.
    fn own(&mut self, keywords: &'a Map<String, Value>, path: &str, level: usize) -> PortType {
        if keywords.get("x-file").and_then(Value::as_bool) == Some(true) {
            return PortType::File;
        }
        match keywords.get("type") {
            Some(Value::String(word)) => self.of_word(word, keywords, path, level),
            Some(Value::Array(words)) => {
                let words = words.iter().filter_map(Value::as_str);
                PortType::union(words.map(|word| self.of_word(word, keywords, path, level)).collect::<Vec<_>>())
            }
            _ => match (keywords.get("const"), keywords.get("enum")) {
                (Some(value), _) => PortType::of_value(value),
                (None, Some(Value::Array(values))) => PortType::union(values.iter().map(PortType::of_value)),
                _ if keywords.contains_key("properties") => self.object(keywords, path, level),
                _ => PortType::Any,
            },
        }
    }

    fn of_word(&mut self, word: &str, keywords: &'a Map<String, Value>, path: &str, level: usize) -> PortType {
        match word {
            "null" => PortType::Null,
            "boolean" => PortType::Boolean,
            "integer" => PortType::Integer,
            "number" => PortType::Number,
            "string" => PortType::String,
            "array" => match keywords.get("items") {
                Some(items) if !keywords.contains_key("prefixItems") => {
                    PortType::list_of(self.read(items, format!("{path}/items"), level + 1))
                }
                _ => PortType::list(),
            },
            "object" => self.object(keywords, path, level),
            _ => self.outside(format!("{path}/type"), "the type is none of JSON Schema"),
        }
    }

    fn object(&mut self, keywords: &'a Map<String, Value>, path: &str, level: usize) -> PortType {
        let required: Vec<&str> = keywords
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut fields = BTreeMap::new();
        if let Some(Value::Object(properties)) = keywords.get("properties") {
            for (name, schema) in properties {
                let field = self.read(schema, format!("{path}/properties/{}", escape(name)), level + 1);
                let field = if required.contains(&name.as_str()) { field } else { field.or_null() };
                fields.insert(name.clone(), field);
            }
        }
        if required.contains(&FILE) {
            return PortType::File;
        }
        let closed = keywords.get("additionalProperties") == Some(&Value::Bool(false))
            && !keywords.contains_key("patternProperties");
        PortType::Object { fields, open: !closed }
    }
}

const TOO_LARGE: &str = "the schema is too large or refers to itself";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(schema: Value) -> (String, Vec<(String, &'static str)>) {
        let (r#type, outside) = PortType::from_schema(&schema);
        (r#type.to_string(), outside.into_iter().map(|outside| (outside.path, outside.reason)).collect())
    }

    #[test]
    fn a_schema_becomes_a_type() {
        for (schema, expected) in [
            (json!({}), "anything"),
            (json!(true), "anything"),
            (json!({"type": "string", "minLength": 3}), "text"),
            (json!({"type": ["string", "null"]}), "null or text"),
            (json!({"enum": ["a", "b", 1]}), "integer or text"),
            (json!({"const": null}), "null"),
            (json!({"type": "array", "items": {"type": "integer"}}), "list of integer"),
            (json!({"type": "array", "prefixItems": [{"type": "string"}]}), "list"),
            (json!({"type": "object"}), "object"),
            (
                json!({"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}),
                "object {a: text, b: anything, …}",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false}),
                "object {a: null or text}",
            ),
            (json!({"anyOf": [{"type": "string"}, {"type": "boolean"}]}), "boolean or text"),
            (json!({"allOf": [{"type": "string"}, {"description": "words"}]}), "text"),
            (json!({"$ref": "#/$defs/id", "$defs": {"id": {"type": "integer"}}}), "integer"),
            (json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}), "object"),
        ] {
            assert_eq!(read(schema.clone()), (expected.to_owned(), Vec::new()), "{schema}");
        }
    }

    #[test]
    fn what_lies_outside_is_any_and_says_where() {
        let schema = json!({"properties": {
            "a/b": {"$ref": "https://example.org/schema"},
            "c": {"allOf": [{"type": "string"}, {"type": "number"}]},
            "d": false,
        }});
        let (_, outside) = read(schema);
        let paths: Vec<_> = outside.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/properties/a~1b", "/properties/c/allOf", "/properties/d"]);
    }

    #[test]
    fn a_schema_that_grows_without_end_is_cut() {
        let (_, outside) = read(json!({"$ref": "#"}));
        assert_eq!(outside.len(), 1);
        let twice = |name: &str| json!({"properties": {"l": {"$ref": name}, "r": {"$ref": name}}});
        let mut defs: Map<String, Value> =
            (0..30).map(|n| (format!("d{n}"), twice(&format!("#/$defs/d{}", n + 1)))).collect();
        defs.insert("d30".to_owned(), json!({"type": "string"}));
        let (_, outside) = read(json!({"$ref": "#/$defs/d0", "$defs": defs}));
        assert_eq!(outside, [(outside[0].0.clone(), TOO_LARGE)]);
    }

    fn types() -> impl Strategy<Value = PortType> {
        let leaf = prop::sample::select(vec![
            PortType::Any,
            PortType::Null,
            PortType::Boolean,
            PortType::Integer,
            PortType::Number,
            PortType::String,
            PortType::File,
        ]);
        leaf.prop_recursive(3, 24, 4, |inner| {
            let fields = prop::collection::btree_map("[a-c/]{1,2}", inner.clone(), 0..4);
            prop_oneof![
                inner.clone().prop_map(PortType::list_of),
                (fields, any::<bool>()).prop_map(|(fields, open)| PortType::Object { fields, open }),
                prop::collection::vec(inner, 1..4).prop_map(PortType::union),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_type_comes_back_from_its_schema(r#type in types()) {
            let (back, outside) = PortType::from_schema(&r#type.to_schema());
            prop_assert_eq!((back, outside), (r#type, Vec::new()));
        }

        #[test]
        fn every_type_fits_itself_and_what_contains_it(r#type in types(), other in types()) {
            prop_assert!(r#type.fits(&r#type));
            prop_assert!(r#type.fits(&PortType::union([r#type.clone(), other])));
        }
    }
}

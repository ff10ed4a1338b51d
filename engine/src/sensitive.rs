//! What of a run's data people do not get to see: what an `input_schema` marks with `x-sensitive: true`, and the same
//! texts and numbers wherever the run carries them on.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Stands where something is hidden.
pub const REDACTED: &str = "[redacted]";
/// The mark in a schema.
const MARK: &str = "x-sensitive";
/// Shorter texts and numbers are hidden in their own place only: elsewhere they would be found in everything.
const SHORTEST: usize = 4;

/// A schema that marks something.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitive {
    schema: Value,
}

impl Sensitive {
    /// The marks of a schema; `None` when there is none.
    pub fn of(schema: &Value) -> Option<Self> {
        has_mark(schema).then(|| Self { schema: schema.clone() })
    }

    /// What a value of that schema holds at the marked places.
    pub fn found_in(&self, value: &Value) -> Traces {
        let mut places = Vec::new();
        self.collect(&self.schema, value, &mut Vec::new(), &mut places);
        let mut traces = Traces::default();
        places.into_iter().for_each(|place| traces.add(place));
        traces
    }

    /// Hides the marked places of a value of that schema; whether there was one.
    pub fn hide(&self, value: &mut Value) -> bool {
        self.hide_by(&self.schema, value, &mut Vec::new())
    }

    /// `seen` are the schemas that spoke of this value already: a reference to itself ends there.
    fn collect<'s, 'v>(
        &'s self,
        schema: &'s Value,
        value: &'v Value,
        seen: &mut Seen<'s>,
        places: &mut Vec<&'v Value>,
    ) {
        let Value::Object(keywords) = schema else { return };
        if is_marked(keywords) {
            places.push(value);
            return;
        }
        for same in self.same(keywords) {
            if is_new(seen, same) {
                self.collect(same, value, seen, places);
            }
        }
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, field)| {
                members(keywords, name).for_each(|schema| self.collect(schema, field, &mut Vec::new(), places));
            }),
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
                elements(keywords, index).for_each(|schema| self.collect(schema, item, &mut Vec::new(), places));
            }),
            _ => {}
        }
    }

    fn hide_by<'s>(&'s self, schema: &'s Value, value: &mut Value, seen: &mut Seen<'s>) -> bool {
        let Value::Object(keywords) = schema else { return false };
        if is_marked(keywords) {
            *value = Value::String(REDACTED.to_owned());
            return true;
        }
        let mut hidden = false;
        for same in self.same(keywords) {
            if is_new(seen, same) {
                hidden |= self.hide_by(same, value, seen);
            }
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    members(keywords, name).for_each(|schema| hidden |= self.hide_by(schema, field, &mut Vec::new()));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    elements(keywords, index).for_each(|schema| hidden |= self.hide_by(schema, item, &mut Vec::new()));
                }
            }
            _ => {}
        }
        hidden
    }

    /// The schemas that speak of the same value.
    fn same<'s>(&'s self, keywords: &'s Map<String, Value>) -> impl Iterator<Item = &'s Value> {
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| keywords.get(word)?.as_array()).flatten();
        let single = ["if", "then", "else"].into_iter().filter_map(|word| keywords.get(word));
        let target = keywords.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
        lists.chain(single).chain(target.and_then(|pointer| self.schema.pointer(pointer)))
    }
}

/// Schemas that a value was held against.
type Seen<'s> = Vec<&'s Value>;

fn is_new<'s>(seen: &mut Seen<'s>, schema: &'s Value) -> bool {
    let is_new = !seen.iter().any(|known| std::ptr::eq(*known, schema));
    if is_new {
        seen.push(schema);
    }
    is_new
}

/// Texts and numbers that stood at marked places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// Longer ones first, so that none hides a part of another.
    texts: BTreeSet<(std::cmp::Reverse<usize>, String)>,
}

impl Traces {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.keep(text),
            Value::Number(number) => self.keep(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.add(field)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn keep(&mut self, text: &str) {
        if text.chars().count() >= SHORTEST {
            self.texts.insert((std::cmp::Reverse(text.len()), text.to_owned()));
        }
    }

    /// Hides them in any value of the same run: in texts, as numbers, and in names of fields. Whether there was one.
    pub fn hide(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.cleaned(text) {
                Some(clean) => {
                    *text = clean;
                    true
                }
                None => false,
            },
            Value::Number(number) => {
                let text = number.to_string();
                let found = self.texts.iter().any(|(_, known)| *known == text);
                if found {
                    *value = Value::String(REDACTED.to_owned());
                }
                found
            }
            Value::Array(items) => items.iter_mut().fold(false, |hidden, item| self.hide(item) | hidden),
            Value::Object(fields) => {
                let mut hidden = fields.values_mut().fold(false, |hidden, field| self.hide(field) | hidden);
                if fields.keys().any(|name| self.cleaned(name).is_some()) {
                    *fields = self.renamed(std::mem::take(fields));
                    hidden = true;
                }
                hidden
            }
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// The text without them; `None` when it holds none.
    pub fn cleaned(&self, text: &str) -> Option<String> {
        let mut clean: Option<String> = None;
        for (_, known) in &self.texts {
            let so_far = clean.as_deref().unwrap_or(text);
            if so_far.contains(known.as_str()) {
                clean = Some(so_far.replace(known.as_str(), REDACTED));
            }
        }
        clean
    }

    fn renamed(&self, fields: Map<String, Value>) -> Map<String, Value> {
        let mut renamed = Map::new();
        for (name, field) in fields {
            let clean = self.cleaned(&name).unwrap_or(name);
            let mut free = clean.clone();
            // Two hidden names must not become one field.
            for n in 2.. {
                if !renamed.contains_key(&free) {
                    break;
                }
                free = format!("{clean} {n}");
            }
            renamed.insert(free, field);
        }
        renamed
    }
}

fn is_marked(keywords: &Map<String, Value>) -> bool {
    keywords.get(MARK) == Some(&Value::Bool(true))
}

fn has_mark(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => is_marked(keywords) || keywords.values().any(has_mark),
        Value::Array(schemas) => schemas.iter().any(has_mark),
        _ => false,
    }
}

/// The schemas of a field. One for names of a pattern counts for every field: hiding too much is the lesser fault.
fn members<'a>(keywords: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    let own = keywords.get("properties").and_then(|fields| fields.get(name));
    let other = keywords.get("additionalProperties").filter(|_| own.is_none());
    let by_pattern = keywords.get("patternProperties").and_then(Value::as_object);
    own.into_iter().chain(other).chain(by_pattern.into_iter().flat_map(Map::values))
}

fn elements(keywords: &Map<String, Value>, index: usize) -> impl Iterator<Item = &Value> {
    let own = keywords.get("prefixItems").and_then(|items| items.get(index));
    let other = keywords.get("items").filter(|_| own.is_none());
    own.into_iter().chain(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden(schema: &Value, mut value: Value) -> Value {
        Sensitive::of(schema).unwrap().hide(&mut value);
        value
    }

    #[test]
    fn a_schema_without_a_mark_hides_nothing() {
        assert_eq!(Sensitive::of(&json!({"properties": {"a": {"x-sensitive": false}}})), None);
        assert_eq!(Sensitive::of(&json!(true)), None);
    }

    #[test]
    fn a_mark_hides_its_place_whatever_stands_there() {
        let schema = json!({"properties": {"card": {"x-sensitive": true}, "name": {}}});
        for value in [json!("4111"), json!(1), json!(null), json!({"deep": [1]})] {
            assert_eq!(
                hidden(&schema, json!({"card": value, "name": "A"})),
                json!({"card": "[redacted]", "name": "A"})
            );
        }
        assert_eq!(hidden(&schema, json!({"name": "A"})), json!({"name": "A"}), "nothing is made up");
        assert_eq!(hidden(&schema, json!([{"card": 1}])), json!([{"card": 1}]), "a value of another shape");
        assert_eq!(hidden(&json!({"x-sensitive": true}), json!({"a": 1})), json!("[redacted]"));
    }

    #[test]
    fn marks_are_found_through_every_keyword() {
        let mark = json!({"x-sensitive": true});
        for (schema, value, expected) in [
            (json!({"items": mark}), json!([1, 2]), json!(["[redacted]", "[redacted]"])),
            (json!({"prefixItems": [{}, mark], "items": {}}), json!([1, 2, 3]), json!([1, "[redacted]", 3])),
            (
                json!({"properties": {"a": {}}, "additionalProperties": mark}),
                json!({"a": 1, "b": 2}),
                json!({"a": 1, "b": "[redacted]"}),
            ),
            (json!({"patternProperties": {"^s_": mark}}), json!({"s_a": 1}), json!({"s_a": "[redacted]"})),
            (json!({"allOf": [{"properties": {"a": mark}}, {}]}), json!({"a": 1}), json!({"a": "[redacted]"})),
            (
                json!({"$ref": "#/$defs/p", "$defs": {"p": {"properties": {"a": mark}}}}),
                json!({"a": 1}),
                json!({"a": "[redacted]"}),
            ),
            (
                json!({"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"s": mark, "next": {"$ref": "#/$defs/t"}}}}}),
                json!({"next": {"next": {"s": 1}}}),
                json!({"next": {"next": {"s": "[redacted]"}}}),
            ),
        ] {
            assert_eq!(hidden(&schema, value), expected, "{schema}");
        }
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let schema = json!({"$ref": "#", "allOf": [{"$ref": "#"}], "$defs": {"a": {"x-sensitive": true}}});
        let wide = json!({"allOf": vec![json!({"$ref": "#"}); 50], "$defs": {"a": {"x-sensitive": true}}});
        assert_eq!(hidden(&wide, json!(1)), json!(1));
        let alone = json!({"$ref": "#", "$defs": {"a": {"x-sensitive": true}}});
        assert_eq!(hidden(&alone, json!(1)), json!(1));
        assert_eq!(hidden(&schema, json!(1)), json!(1));
    }

    #[test]
    fn what_stood_there_is_hidden_wherever_it_goes() {
        let sensitive = Sensitive::of(&json!({"properties": {"card": {"x-sensitive": true}}})).unwrap();
        let traces =
            sensitive.found_in(&json!({"card": {"number": "4111-22", "pin": 123_456, "n": 7}, "name": "4111"}));
        let mut value = json!({
            "line": "pay by 4111-22, again 4111-22", "pin": 123_456, "text": "pin=123456", "n": 7,
            "by": {"4111-22": 1, "[redacted]": 2}, "list": [["4111-22"]]
        });
        assert!(traces.hide(&mut value));
        assert_eq!(
            value,
            json!({
                "line": "pay by [redacted], again [redacted]", "pin": "[redacted]", "text": "pin=[redacted]", "n": 7,
                "by": {"[redacted]": 1, "[redacted] 2": 2}, "list": [["[redacted]"]]
            })
        );
        assert_eq!(traces.cleaned("nothing of it"), None);
        assert!(!traces.hide(&mut json!({"name": "4111"})));
    }

    #[test]
    fn of_two_texts_the_longer_is_hidden_first() {
        let sensitive = Sensitive::of(&json!({"x-sensitive": true})).unwrap();
        let traces = sensitive.found_in(&json!(["anna", "anna.b@example.com"]));
        assert_eq!(traces.cleaned("to anna.b@example.com").as_deref(), Some("to [redacted]"));
    }
}

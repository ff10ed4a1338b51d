//! A node's config, split into what is put in before the node starts and what the node evaluates itself.

use serde_json::Value;

use crate::definition::canonical::escape;
use crate::expression::{Budget, ExpressionError, References, Scope, Template};

/// A config whose expressions have been read.
#[derive(Debug, Default)]
pub struct Config {
    /// `None` for an empty config.
    template: Option<Template>,
    /// Fields marked `x-deferred`, by JSON pointer, as written.
    deferred: Vec<(String, Value)>,
    /// Fields marked `x-verbatim`, likewise: what looks like an expression in them is none.
    verbatim: Vec<(String, Value)>,
}

impl Config {
    /// Reads a config; `references` is called with what each of its expressions reads.
    ///
    /// # Errors
    /// The first expression that cannot be read.
    pub(super) fn compile(
        config: &Value,
        schema: &Value,
        mut references: impl FnMut(&References),
    ) -> Result<Self, ExpressionError> {
        if config.is_null() {
            return Ok(Self::default());
        }
        let (mut written, verbatim) = without_verbatim(config, schema);
        let mut paths = Vec::new();
        marked_paths("x-deferred", schema, &written, String::new(), &mut paths);
        let mut deferred = Vec::with_capacity(paths.len());
        for path in paths {
            if let Some(field) = written.pointer_mut(&path) {
                let value = field.take();
                let inner = Template::compile(&value)
                    .map_err(|error| ExpressionError { path: format!("{path}{}", error.path), ..error })?;
                references(inner.references());
                deferred.push((path, value));
            }
        }
        let template = Template::compile(&written)?;
        references(template.references());
        Ok(Self { template: Some(template), deferred, verbatim })
    }

    /// What is put in before the node starts; deferred fields are null in it.
    pub(super) fn template(&self) -> Option<&Template> {
        self.template.as_ref()
    }

    /// The deferred fields as written, each with its JSON pointer and its part of the schema.
    pub(super) fn deferred<'s>(
        &'s self,
        schema: Option<&'s Value>,
    ) -> impl Iterator<Item = (&'s str, &'s Value, Option<&'s Value>)> {
        self.deferred.iter().map(move |(path, written)| {
            let found = schema.and_then(|schema| super::check::field_schema(schema, path));
            (path.as_str(), written, found)
        })
    }

    /// The config with its expressions put in, deferred and verbatim fields as written.
    ///
    /// # Errors
    /// The first expression that fails, with its place.
    pub fn render(&self, scope: &dyn Scope, budget: &mut Budget) -> Result<Value, ExpressionError> {
        let Some(template) = &self.template else { return Ok(Value::Object(serde_json::Map::new())) };
        let mut config = template.render(scope, budget)?;
        for (path, value) in self.deferred.iter().chain(&self.verbatim) {
            if let Some(field) = config.pointer_mut(path) {
                *field = value.clone();
            }
        }
        Ok(config)
    }
}

/// A config with null for the fields whose schema says `"x-verbatim": true`, and those, each with its JSON pointer.
pub(super) fn without_verbatim(config: &Value, schema: &Value) -> (Value, Vec<(String, Value)>) {
    let mut rest = config.clone();
    let mut paths = Vec::new();
    marked_paths("x-verbatim", schema, &rest, String::new(), &mut paths);
    let mut verbatim = Vec::with_capacity(paths.len());
    for path in paths {
        if let Some(field) = rest.pointer_mut(&path) {
            let value = field.take();
            verbatim.push((path, value));
        }
    }
    (rest, verbatim)
}

/// Finds the fields of `config` whose schema has this mark, through `properties`, `additionalProperties` and `items`.
fn marked_paths(mark: &str, schema: &Value, config: &Value, path: String, found: &mut Vec<String>) {
    if schema.get(mark).and_then(Value::as_bool) == Some(true) {
        found.push(path);
        return;
    }
    match config {
        Value::Object(fields) => {
            for (key, field) in fields {
                let named = schema.get("properties").and_then(|properties| properties.get(key));
                if let Some(schema) = named.or_else(|| schema.get("additionalProperties")) {
                    marked_paths(mark, schema, field, format!("{path}/{}", escape(key)), found);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    marked_paths(mark, schema, item, format!("{path}/{index}"), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Seven(Value);

    impl Scope for Seven {
        fn root(&self, name: &str) -> Option<&Value> {
            (name == "input").then_some(&self.0)
        }

        fn node_output(&self, _key: &str) -> Option<&Value> {
            None
        }
    }

    #[test]
    fn what_looks_like_an_expression_in_a_verbatim_field_is_none() {
        let schema = json!({"properties": {"code": {"x-verbatim": true}, "n": {}}});
        let written = json!({"code": "return {{ nodes.other }} + {{ no end", "n": "{{ input }}"});
        let mut read = 0;
        let config = Config::compile(&written, &schema, |references| read += references.nodes.len()).unwrap();
        assert_eq!(read, 0, "it reads no node");
        let rendered = config.render(&Seven(json!(7)), &mut Budget::default()).unwrap();
        assert_eq!(rendered, json!({"code": "return {{ nodes.other }} + {{ no end", "n": 7}));
        assert!(Config::compile(&written, &json!({}), |_| {}).is_err(), "without the mark it is an expression");
    }
}

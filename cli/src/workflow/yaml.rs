//! Writing a workflow document, so that reading it back gives the same definition.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::document::{API_VERSION, KIND, Metadata};
use crate::exit::{Exit, Failure};

/// Members that people look for first; the others follow by name.
const FIRST: &[&str] = &["type", "name", "from", "to", "settings", "nodes"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: &'a Metadata,
    definition: Ordered<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<Ordered<'a>>,
}

/// JSON whose objects begin with what people look for first.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for name in FIRST {
                    if let Some(value) = members.get(*name) {
                        map.serialize_entry(name, &Ordered(value))?;
                    }
                }
                for (name, value) in members.iter().filter(|(name, _)| !FIRST.contains(&name.as_str())) {
                    map.serialize_entry(name, &Ordered(value))?;
                }
                map.end()
            }
            // A number that has no fraction reads back as a number, whichever way it was written.
            plain => plain.serialize(serializer),
        }
    }
}

/// The document as a `*.flow.yaml` file holds it.
pub(super) fn write(metadata: &Metadata, definition: &Value, layout: Option<&Value>) -> Result<String, Failure> {
    let (definition, layout) = (Ordered(definition), layout.map(Ordered));
    let file = File { api_version: API_VERSION, kind: KIND, metadata, definition, layout };
    // Lines are not folded: what is copied out of the file is what was put in.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(&file, options)
        .map_err(|error| Failure::new(Exit::Failed, "NOT_WRITABLE", format!("{}: {error}", metadata.name)))
}

/// A definition alone, as a file would hold it.
pub(super) fn definition(definition: &Value) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(&Ordered(definition), options)
        .map_err(|error| Failure::new(Exit::Failed, "NOT_WRITABLE", format!("the definition: {error}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::definition::canonical;
    use serde_json::json;

    use super::super::document;
    use super::*;

    fn again(definition: &Value) -> Value {
        let metadata = Metadata {
            project: Some("default".into()),
            name: "one".into(),
            title: Some("Eins: ja, no".into()),
            description: Some("two\nlines\n".into()),
            folder: Some("a/ü 1".into()),
            tags: Some(vec!["5".into(), "no".into()]),
        };
        let text = write(&metadata, definition, Some(definition)).unwrap();
        let mut read = document::Read::default();
        document::parse(Path::new("a.flow.yaml"), &text, &mut read);
        assert_eq!((read.documents.len(), &read.faults), (1, &Vec::new()), "{text}");
        let read = read.documents.remove(0);
        assert_eq!(read.metadata, metadata, "{text}");
        assert_eq!(read.layout.as_ref(), Some(definition), "{text}");
        read.definition
    }

    #[test]
    fn what_was_written_reads_back_with_the_same_hash() {
        let awkward = [
            "", " ", "yes", "on", "null", "~", "5", "5.0", "1e3", "0x1f", "0o7", "1:30", "2026-11-21", "- a", "# no",
            "a: b", "a #b", "{{ input.n + 1 }}", "[1]", "{a: 1}", "'", "\"", "\\", "a\nb", "a\nb\n", "\na", " a\nb", "a \nb",
            "a\n\n", "\t", "a\tb", "\r", "a\r\nb", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "\u{0}", "é ö 漢 🎈",
            "%a", "@a", "`a", "!a", "&a", "*a", "?", "-", "---", "...", "true", ".inf", "=", "<<", "|", ">", "x".repeat(300).as_str(),
            "long words with many spaces in between that go on and on until a writer would like to fold the line somewhere",
        ]
        .map(|text| json!(text))
        .to_vec();
        let numbers =
            json!([0, -1, 9_007_199_254_740_993_u64, 1.5, -0.25, 1e300, 1e-7, 12.0, 100_000_000_000_000_000_000.0]);
        let keyed: serde_json::Map<String, Value> =
            awkward.iter().map(|text| (text.as_str().unwrap_or_default().to_owned(), text.clone())).collect();
        let definition = json!({
            "edges": [{"to": "b", "from": "a"}],
            "nodes": {"a": {"config": {"texts": awkward, "numbers": numbers, "keyed": keyed, "none": null,
                "empty": [{}, [], ""], "nested": [[["x"], {"y": [{"z": false}]}]]}, "type": "data.set@1"}},
        });
        let read = again(&definition);
        assert_eq!(read, definition);
        assert_eq!(canonical::hash(&read), canonical::hash(&definition));
    }

    #[test]
    fn people_find_the_type_first() {
        let metadata = Metadata { name: "one".into(), ..Metadata::default() };
        let definition = json!({"edges": [], "nodes": {"start": {"config": {}, "type": "trigger.manual@1"}}});
        assert_eq!(
            write(&metadata, &definition, None).unwrap(),
            "apiVersion: flowforge/v1\nkind: Workflow\nmetadata:\n  name: one\ndefinition:\n  nodes:\n    start:\n      \
             type: trigger.manual@1\n      config: {}\n  edges: []\n"
        );
    }
}

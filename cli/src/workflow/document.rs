//! A `*.flow.yaml` file: one or several workflow documents with names, never ids or secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

pub(super) use super::metadata::Metadata;
use super::metadata::Wrong;
use super::tree::{self, Places, Tree};
use crate::exit::{Exit, Failure, Fault, Place};

/// The only format there is so far.
pub(crate) const API_VERSION: &str = "flowforge/v1";
pub(super) const KIND: &str = "Workflow";
/// The members of a document.
const MEMBERS: [&str; 5] = ["apiVersion", "kind", "metadata", "definition", "layout"];

/// One document and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) file: PathBuf,
    pub(crate) metadata: Metadata,
    pub(crate) definition: Value,
    /// Positions, notes and groups: no part of the definition and its hash.
    pub(crate) layout: Option<Value>,
    /// Where the definition's values stand.
    places: Places,
    /// All of the file.
    source: Arc<str>,
}

impl Document {
    /// Its project and its name.
    pub(crate) fn place(&self, project: &str) -> (String, String) {
        (self.metadata.project.clone().unwrap_or_else(|| project.to_owned()), self.metadata.name.clone())
    }

    /// Where a JSON pointer into the definition leads, and a line and column in the text there.
    pub(super) fn locate(&self, pointer: &str, position: Option<(u64, u64)>) -> Option<Place> {
        let place = self.places.find(pointer)?;
        match (self.definition.pointer(pointer).and_then(Value::as_str), position) {
            (Some(text), Some((line, column))) => Some(tree::within(&self.source, place, text, line, column)),
            _ => Some(place),
        }
    }
}

/// What files hold.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Every document that has a definition.
    pub(crate) documents: Vec<Document>,
    /// Everything that is wrong with the files themselves.
    pub(crate) faults: Vec<Fault>,
}

impl Read {
    /// The documents, when nothing is wrong with any file.
    pub(crate) fn whole(self) -> Result<Vec<Document>, Failure> {
        if self.faults.is_empty() { Ok(self.documents) } else { Err(Failure::of_files(self.faults)) }
    }
}

/// Refuses two documents for the same workflow: only one of them could be the latest.
pub(crate) fn each_once(documents: &[Document], project: &str) -> Result<(), Failure> {
    let mut seen = BTreeMap::new();
    for document in documents {
        let place = document.place(project);
        let message = |first: &Path| {
            let (first, second) = (first.display(), document.file.display());
            format!("{}/{} is in {first} and again in {second}; keep one of them", place.0, place.1)
        };
        if let Some(first) = seen.insert(place.clone(), document.file.clone()) {
            return Err(Failure::new(Exit::Usage, "FILE_INVALID", message(&first)));
        }
    }
    Ok(())
}

/// Reads every document of every file, and everything that is wrong with them.
pub(crate) fn read(files: &[PathBuf]) -> Read {
    let mut read = Read::default();
    for file in files {
        match std::fs::read_to_string(file) {
            Ok(text) => parse(file, &text, &mut read),
            Err(error) => read.faults.push(fault(file, None, error.to_string())),
        }
    }
    read
}

pub(super) fn parse(file: &Path, text: &str, read: &mut Read) {
    let documents = tree::documents(&file.display().to_string(), text);
    if documents.is_empty() {
        read.faults.push(fault(file, None, "holds no document".to_owned()));
    }
    let source: Arc<str> = text.into();
    for document in documents {
        match document {
            Ok(tree) => {
                let (document, wrong) = self::document(file, &source, &tree);
                read.documents.extend(document);
                read.faults.extend(wrong.into_iter().map(|(place, why)| fault(file, Some(place), why)));
            }
            Err(fault) => read.faults.push(fault),
        }
    }
}

/// The document, when it has a definition, and everything that is wrong around that.
fn document(file: &Path, source: &Arc<str>, tree: &Tree) -> (Option<Document>, Vec<Wrong>) {
    let Some(members) = tree.members() else {
        let why =
            format!("a document is a map with `apiVersion`, `kind`, `metadata` and `definition`, not {}", tree.what());
        return (None, vec![(tree.place, why)]);
    };
    let mut wrong = Vec::new();
    for (key, _) in members.iter().filter(|(key, _)| !MEMBERS.contains(&key.name.as_str())) {
        let known = "`apiVersion`, `kind`, `metadata`, `definition` and `layout`";
        wrong.push((key.place, format!("`{}` is not known here; a document has {known}", key.name)));
    }
    let member = |name: &str| members.iter().find(|(key, _)| key.name == name).map(|(_, value)| value);
    for (name, only) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        match member(name) {
            None => wrong.push((tree.place, format!("the document lacks `{name}: {only}`"))),
            Some(value) if value.text() != Some(only) => {
                wrong.push((value.place, format!("{} is not known here; write `{name}: {only}`", value.value())));
            }
            Some(_) => {}
        }
    }
    let metadata = match member("metadata") {
        Some(tree) => {
            let (metadata, more) = Metadata::read(tree);
            wrong.extend(more);
            metadata
        }
        None => {
            wrong.push((tree.place, "the document lacks `metadata` with a `name`".to_owned()));
            Metadata::default()
        }
    };
    let layout = member("layout").and_then(|tree| layout(tree, &mut wrong));
    let Some(definition) = member("definition") else {
        wrong.push((tree.place, "the document lacks `definition`".to_owned()));
        return (None, wrong);
    };
    let (places, definition) = (Places::of(definition), definition.value());
    let source = Arc::clone(source);
    (Some(Document { file: file.to_path_buf(), metadata, definition, layout, places, source }), wrong)
}

fn layout(tree: &Tree, wrong: &mut Vec<Wrong>) -> Option<Value> {
    let Some(members) = tree.members() else {
        wrong.push((tree.place, format!("`layout` is a map, not {}", tree.what())));
        return None;
    };
    for (key, _) in members.iter().filter(|(key, _)| key.name == "pins") {
        let why = "pins are data of test runs and belong into no file; try one with `workflow test --pin`";
        wrong.push((key.place, why.to_owned()));
    }
    Some(tree.value())
}

fn fault(file: &Path, place: Option<Place>, message: String) -> Fault {
    Fault { file: file.display().to_string(), place, message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "apiVersion: flowforge/v1\nkind: Workflow\nmetadata:\n  name: one\ndefinition:\n  nodes:\n    start: {type: trigger.manual@1}\n";

    fn parsed(text: &str) -> Result<Vec<Document>, Failure> {
        let mut read = Read::default();
        parse(Path::new("a.flow.yaml"), text, &mut read);
        read.whole()
    }

    fn faults(text: &str) -> Vec<String> {
        parsed(text).unwrap_err().faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_may_hold_several_documents() {
        let documents = parsed(&format!("{ONE}---\n{}", ONE.replace("one", "two"))).unwrap();
        let names: Vec<&str> = documents.iter().map(|document| document.metadata.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(documents[0].definition, json!({ "nodes": { "start": { "type": "trigger.manual@1" } } }));
    }

    #[test]
    fn a_workflow_is_in_the_files_once() {
        let twice = parsed(&format!("{ONE}---\n{ONE}")).unwrap();
        assert!(each_once(&twice, "default").unwrap_err().message.contains("default/one"));
        let apart = ONE.replace("  name: one", "  name: one\n  project: other");
        assert!(each_once(&parsed(&format!("{ONE}---\n{apart}")).unwrap(), "default").is_ok());
    }

    #[test]
    fn what_yaml_writes_plainly_keeps_its_kind() {
        let text = format!(
            "{ONE}    set: {{type: data.set@1, config: {{on: yes, off: on, b: true, n: 5, x: 1.5, t: '5', e: null, 7: a,
                big: 12345678901234567890, low: -9, float: 1e3}}}}\n"
        );
        let documents = parsed(&text).unwrap();
        assert_eq!(
            documents[0].definition["nodes"]["set"]["config"],
            json!({ "on": "yes", "off": "on", "b": true, "n": 5, "x": 1.5, "t": "5", "e": null, "7": "a",
                "big": 12_345_678_901_234_567_890_u64, "low": -9, "float": 1000.0 })
        );
    }

    #[test]
    fn what_is_said_about_a_workflow_is_read() {
        let text = ONE.replace("  name: one\n", "  name: one\n  tags: [b, a, b]\n  folder: billing/eu\n  title: One\n");
        let text = format!("{text}layout:\n  positions: {{start: {{x: 1, y: 2}}}}\n");
        let document = parsed(&text).unwrap().remove(0);
        assert_eq!(document.metadata.tags, Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(document.metadata.folder.as_deref(), Some("billing/eu"));
        assert_eq!(document.layout, Some(json!({ "positions": { "start": { "x": 1, "y": 2 } } })));
        assert_eq!(document.definition, parsed(ONE).unwrap()[0].definition);
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_place() {
        let broken = "apiVersion: flowforge/v9\nkind: Workflow\nmetadata:\n  name: Not A Name\n  tags: [5]\n  colour: red\n\
             \x20 folder: a//b\ndefinitions: {}\nlayout: {pins: {}}\n---\n- 1\n---\na: [\n";
        let found = faults(broken);
        let beginnings = [
            "a.flow.yaml:1:13: \"flowforge/v9\" is not known here",
            "a.flow.yaml:4:9: `name` must be",
            "a.flow.yaml:5:10: a tag is a text, not a number",
            "a.flow.yaml:6:3: `colour` is not known here",
            "a.flow.yaml:7:11: `folder` is folder names",
            "a.flow.yaml:8:1: `definitions` is not known here",
            "a.flow.yaml:9:10: pins are data",
            "a.flow.yaml:1:1: the document lacks `definition`",
            "a.flow.yaml:11:1: a document is a map",
        ];
        for beginning in beginnings {
            assert!(found.iter().any(|fault| fault.starts_with(beginning)), "{beginning} in {found:#?}");
        }
        assert_eq!(found.len(), beginnings.len() + 1, "{found:#?}");
        assert!(found.iter().any(|fault| fault.starts_with("a.flow.yaml:13:") || fault.starts_with("a.flow.yaml:14:")));
        assert_eq!(faults(""), ["a.flow.yaml: holds no document"]);
        assert_eq!(faults("kind: Workflow\n").len(), 3);
    }
}

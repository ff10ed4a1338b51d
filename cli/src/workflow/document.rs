//! A `*.flow.yaml` file: one or several workflow documents with names, never ids or secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// The only format there is so far.
pub(crate) const API_VERSION: &str = "flowforge/v1";
pub(super) const KIND: &str = "Workflow";

/// One workflow as its file says it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    api_version: String,
    kind: String,
    metadata: Metadata,
    definition: Value,
}

/// What the workflow is called.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// One document and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) file: PathBuf,
    pub(crate) metadata: Metadata,
    pub(crate) definition: Value,
}

impl Document {
    /// Its project and its name.
    pub(crate) fn place(&self, project: &str) -> (String, String) {
        (self.metadata.project.clone().unwrap_or_else(|| project.to_owned()), self.metadata.name.clone())
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

/// Reads every document of every file; nothing is published before all can be read.
pub(crate) fn read(files: &[PathBuf]) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error.to_string()))?;
        documents.extend(parse(file, &text)?);
    }
    Ok(documents)
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Vec<Document>, Failure> {
    let written: Vec<Written> =
        serde_saphyr::from_multiple_with_options(text, yaml()).map_err(|error| unreadable(file, &error.to_string()))?;
    if written.is_empty() {
        return Err(unreadable(file, "holds no document"));
    }
    written.into_iter().map(|written| document(file, written)).collect()
}

/// YAML 1.2: `yes`, `on` and `off` are texts, as in every other file of today.
fn yaml() -> serde_saphyr::Options {
    serde_saphyr::options! { strict_booleans: true }
}

fn document(file: &Path, written: Written) -> Result<Document, Failure> {
    let Written { api_version, kind, metadata, definition } = written;
    if api_version != API_VERSION || kind != KIND {
        let what = format!("`{api_version}` `{kind}` is not known here; write `{API_VERSION}` and `{KIND}`");
        return Err(unreadable(file, &what));
    }
    Ok(Document { file: file.to_path_buf(), metadata, definition })
}

fn unreadable(file: &Path, why: &str) -> Failure {
    Failure::new(Exit::Usage, "FILE_INVALID", format!("{}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "apiVersion: flowforge/v1\nkind: Workflow\nmetadata:\n  name: one\ndefinition:\n  nodes:\n    start: {type: trigger.manual@1}\n";

    fn parsed(text: &str) -> Result<Vec<Document>, Failure> {
        parse(Path::new("a.flow.yaml"), text)
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
            "{ONE}    set: {{type: data.set@1, config: {{on: yes, off: on, b: true, n: 5, x: 1.5, t: '5', e: null}}}}\n"
        );
        let documents = parsed(&text).unwrap();
        assert_eq!(
            documents[0].definition["nodes"]["set"]["config"],
            json!({ "on": "yes", "off": "on", "b": true, "n": 5, "x": 1.5, "t": "5", "e": null })
        );
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_its_name() {
        for (text, wanted) in [
            (ONE.replace("v1", "v9"), "flowforge/v9"),
            (ONE.replace("kind: Workflow", "kind: Secret"), "Secret"),
            (ONE.replace("metadata", "metadatum"), "metadatum"),
            ("a: [".to_owned(), "line 1"),
            (String::new(), "document"),
        ] {
            let failure = parsed(&text).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.message.starts_with("a.flow.yaml: "), "{failure}");
            assert!(failure.message.contains(wanted), "{failure}");
        }
    }
}

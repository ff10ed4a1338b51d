//! What the server has of a workflow, and how that differs from what a document says.

use engine::definition::{canonical, patch};
use serde_json::{Map, Value, json};

use super::Apply;
use super::document::{Document, Metadata};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::question::workflow as question;

/// How often somebody else may change the draft between a look and a save.
const TRIES: usize = 5;

/// The workflow of this name; none when it is not there.
pub(super) async fn find(client: &Client, project: &str, name: &str) -> Result<Option<Value>, Failure> {
    match client.ask(question::FIND, json!({ "project": project, "name": name })).await {
        Ok(mut data) => Ok(data.get_mut("workflow").map(Value::take).filter(|workflow| !workflow.is_null())),
        Err(failure) if failure.exit == Exit::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// What differs from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    /// There is no such workflow.
    pub(super) is_new: bool,
    /// The latest version has another definition, or there is none.
    pub(super) definition: bool,
    /// The environment does not run this definition, and shall.
    pub(super) deployment: bool,
    /// Title, description, folder or tags.
    pub(super) metadata: bool,
    /// The draft's layout.
    pub(super) layout: bool,
}

impl Difference {
    pub(super) fn between(apply: &Apply, document: &Document, found: Option<&Value>) -> Self {
        let hash = canonical::hash(&document.definition).to_string();
        let Some(found) = found else {
            let layout = document.layout.is_some();
            return Self { is_new: true, definition: true, deployment: !apply.no_deploy, metadata: false, layout };
        };
        let runs_it = |one: &Value| one["environment"] == apply.environment && one["version"]["hash"] == hash;
        let runs = found["deployments"].as_array().is_some_and(|all| all.iter().any(runs_it));
        let sidecar = &found["draft"]["sidecar"];
        Self {
            is_new: false,
            definition: found["latestVersion"]["hash"] != hash,
            deployment: !apply.no_deploy && !runs,
            metadata: says_other(&document.metadata, found),
            layout: document.layout.as_ref().is_some_and(|layout| with_layout(sidecar, layout) != *sidecar),
        }
    }

    pub(super) fn is_none(self) -> bool {
        !(self.is_new || self.definition || self.deployment || self.metadata || self.layout)
    }
}

/// Whether a file says something else; what it does not say stays as it is.
fn says_other(metadata: &Metadata, found: &Value) -> bool {
    // A title of nothing is the name.
    let plain = |metadata: &Metadata| {
        let mut plain = metadata.clone();
        plain.title = plain.title.map(|title| if title.is_empty() { metadata.name.clone() } else { title });
        plain
    };
    plain(metadata) != plain(&metadata.as_found(found))
}

/// The part of a draft's sidecar that files hold: all but the pins, which are data of runs.
pub(super) fn layout_of(sidecar: &Value) -> Option<Value> {
    let members: Map<String, Value> =
        sidecar.as_object()?.iter().filter(|(name, _)| *name != "pins").map(|(a, b)| (a.clone(), b.clone())).collect();
    (!members.is_empty()).then_some(members.into())
}

/// A sidecar with another layout.
fn with_layout(sidecar: &Value, layout: &Value) -> Value {
    let mut next = layout.clone();
    if let (Some(pins), Some(next)) = (sidecar.get("pins"), next.as_object_mut()) {
        next.insert("pins".to_owned(), pins.clone());
    }
    next
}

/// Gives the workflow's draft this layout. Somebody who edits it at the same time keeps what they do: only the layout
/// is taken from the file.
pub(super) async fn save_layout(client: &Client, project: &str, name: &str, layout: &Value) -> Result<(), Failure> {
    let mut tries = 1;
    loop {
        let data = client.ask(question::DRAFT, json!({ "project": project, "name": name })).await?;
        let draft = &data["workflow"]["draft"];
        let patch = patch::between(&draft["sidecar"], &with_layout(&draft["sidecar"], layout));
        if patch.is_empty() {
            return Ok(());
        }
        let input = json!({ "draftId": draft["id"], "expectedRevision": draft["revision"], "sidecarPatch": patch });
        match client.change("saveDraft", question::SAVE_DRAFT, input).await {
            Err(failure) if failure.code == "REVISION_CONFLICT" && tries < TRIES => tries += 1,
            done => return done.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_does_not_say_is_no_difference() {
        let found = json!({ "title": "Orders", "description": null, "folderPath": "a", "tags": ["x"] });
        let silent = Metadata { name: "orders".into(), ..Metadata::default() };
        assert!(!says_other(&silent, &found));
        assert!(says_other(&Metadata { title: Some("Order".into()), ..silent.clone() }, &found));
        assert!(says_other(&Metadata { tags: Some(Vec::new()), ..silent.clone() }, &found));
        assert!(!says_other(&Metadata { description: Some(String::new()), ..silent.clone() }, &found));
        let untitled = json!({ "title": "orders" });
        assert!(!says_other(&Metadata { title: Some(String::new()), ..silent }, &untitled));
    }

    #[test]
    fn pins_are_no_layout_and_stay() {
        let sidecar = json!({ "positions": { "a": 1 }, "pins": { "a": "data" } });
        assert_eq!(layout_of(&sidecar), Some(json!({ "positions": { "a": 1 } })));
        assert_eq!(with_layout(&sidecar, &json!({ "notes": [] })), json!({ "notes": [], "pins": { "a": "data" } }));
        assert_eq!(layout_of(&json!({ "pins": {} })), None);
    }
}

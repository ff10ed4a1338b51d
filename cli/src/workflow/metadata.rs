//! What a file says about a workflow beside its definition.

use api::service::ServiceError;
use api::service::workflow::change::{About, check_name};
use serde::Serialize;
use serde_json::{Value, json};

use super::tree::{Key, Kind, Tree};
use crate::exit::Place;

/// What the workflow is called. What is absent stays as the server has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<String>>,
}

/// What is wrong at a place.
pub(super) type Wrong = (Place, String);

impl Metadata {
    /// Reads it with everything that is wrong, by the rules of the server.
    pub(super) fn read(tree: &Tree) -> (Self, Vec<Wrong>) {
        let mut metadata = Self::default();
        let mut wrong = Vec::new();
        let Some(members) = tree.members() else {
            wrong.push((tree.place, format!("`metadata` is a map with `name`, not {}", tree.what())));
            return (metadata, wrong);
        };
        for (key, value) in members {
            if let Err((place, why)) = metadata.take(key, value) {
                wrong.push((place, why));
            }
        }
        if !members.iter().any(|(key, _)| key.name == "name") {
            wrong.push((tree.place, "`metadata` lacks `name`".to_owned()));
        }
        (metadata, wrong)
    }

    fn take(&mut self, key: &Key, value: &Tree) -> Result<(), Wrong> {
        let text = || match value.text() {
            Some(text) => Ok(text.to_owned()),
            None => Err((value.place, format!("`{}` is a text, not {}", key.name, value.what()))),
        };
        let judged = |judged: Result<(), ServiceError>| {
            judged.map_err(|error| (value.place, error.to_string().replace("folderPath", "folder")))
        };
        let about = |about: About| judged(about.checked().map(drop));
        match key.name.as_str() {
            "project" => {
                let project = text()?;
                judged(check_name("project", &project))?;
                self.project = Some(project);
            }
            "name" => {
                let name = text()?;
                judged(check_name("name", &name))?;
                self.name = name;
            }
            "title" => {
                self.title = Some(text()?);
                about(About { title: self.title.clone(), ..About::default() })?;
            }
            "description" => {
                self.description = Some(text()?);
                about(About { description: self.description.clone(), ..About::default() })?;
            }
            "folder" => {
                self.folder = Some(text()?);
                about(About { folder: self.folder.clone(), ..About::default() })?;
            }
            "tags" => {
                let mut tags = tags(value)?;
                about(About { tags: Some(tags.clone()), ..About::default() })?;
                tags.sort();
                tags.dedup();
                self.tags = Some(tags);
            }
            other => {
                let known = "`project`, `name`, `title`, `description`, `folder` and `tags`";
                return Err((key.place, format!("`{other}` is not known here; `metadata` has {known}")));
            }
        }
        Ok(())
    }

    /// What the server has, for the members that this one says.
    pub(super) fn as_found(&self, found: &Value) -> Self {
        let has = |said: &Option<String>, name: &str| {
            said.as_ref().map(|_| found[name].as_str().unwrap_or_default().to_owned())
        };
        Self {
            title: has(&self.title, "title"),
            description: has(&self.description, "description"),
            folder: has(&self.folder, "folderPath"),
            tags: self.tags.as_ref().map(|_| texts(&found["tags"])),
            ..self.clone()
        }
    }

    /// All that the server has, when it is worth saying.
    pub(super) fn of(found: &Value) -> Self {
        let text = |member: &str| found[member].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let name = text("name").unwrap_or_default();
        Self {
            project: found["project"]["slug"].as_str().map(str::to_owned),
            // The server answers with the name when nobody gave a title.
            title: text("title").filter(|title| *title != name),
            description: text("description"),
            folder: text("folderPath"),
            tags: Some(texts(&found["tags"])).filter(|tags| !tags.is_empty()),
            name,
        }
    }

    /// The members of an input that says it.
    pub(super) fn input(&self) -> Value {
        json!({
            "name": self.name, "title": self.title, "description": self.description,
            "tags": self.tags, "folderPath": self.folder,
        })
    }
}

fn tags(value: &Tree) -> Result<Vec<String>, Wrong> {
    let Kind::List(items) = &value.kind else {
        return Err((value.place, format!("`tags` is a list of texts, not {}", value.what())));
    };
    let tag = |item: &Tree| match item.text() {
        Some(text) => Ok(text.to_owned()),
        None => Err((item.place, format!("a tag is a text, not {}", item.what()))),
    };
    items.iter().map(tag).collect()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

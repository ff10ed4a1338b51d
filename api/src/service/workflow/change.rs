//! Making and changing workflows.

use std::collections::BTreeSet;

use engine::definition::DOCUMENT_LIMIT;
use engine::definition::patch;
use engine::id::{DraftId, ProjectId, WorkflowId};
use serde_json::{Value, json};

use super::{Workflow, get};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::service::audit::Context;
use crate::service::draft::{self, Draft};
use crate::service::{ServiceError, project, text};
use crate::store;

/// Most tags of a workflow.
const TAG_LIMIT: usize = 32;
/// Longest folder path, in bytes.
const FOLDER_LIMIT: usize = 255;

/// A workflow to make.
#[derive(Debug, Clone, Default)]
pub struct Create {
    /// The project's slug.
    pub project: String,
    /// The workflow's name.
    pub name: String,
    /// The rest.
    pub about: About,
    /// What its draft begins as; an empty document when absent.
    pub document: Option<Value>,
    /// The sidecar that the draft begins with.
    pub sidecar: Option<Value>,
}

/// What can be said about a workflow; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// What people call it.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// To find it by.
    pub tags: Option<Vec<String>>,
    /// Where lists show it, such as `billing/eu`.
    pub folder: Option<String>,
}

impl About {
    /// Checks every text, sorts the tags and drops double ones.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn checked(mut self) -> Result<Self, ServiceError> {
        for (field, prose) in [("title", &self.title), ("description", &self.description)] {
            prose.as_deref().map_or(Ok(()), |prose| text::prose(field, prose))?;
        }
        if let Some(tags) = self.tags.take() {
            tags.iter().try_for_each(|tag| text::tag("tags", tag))?;
            let tags: BTreeSet<String> = tags.into_iter().collect();
            if tags.len() > TAG_LIMIT {
                return Err(ServiceError::invalid("tags", format!("a workflow has at most {TAG_LIMIT} tags")));
            }
            self.tags = Some(tags.into_iter().collect());
        }
        if let Some(folder) = &self.folder {
            check_folder(folder)?;
        }
        Ok(self)
    }
}

/// Whether a project, an environment or a workflow can be called this.
///
/// # Errors
/// What a name consists of, under the field's name.
pub fn check_name(field: &'static str, name: &str) -> Result<(), ServiceError> {
    text::slug(field, name)
}

fn check_folder(folder: &str) -> Result<(), ServiceError> {
    let fits = folder.len() <= FOLDER_LIMIT
        && (folder.is_empty() || folder.split('/').all(|name| !name.trim().is_empty() && name.trim() == name))
        && !folder.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let message =
        format!("`folderPath` is folder names joined by `/`, such as `billing/eu`, up to {FOLDER_LIMIT} bytes");
    Err(ServiceError::invalid("folderPath", message))
}

/// A workflow and its draft with everything about them, ready to be written.
pub(crate) struct NewWorkflow {
    pub(crate) workflow: Workflow,
    pub(crate) draft: Draft,
}

/// Makes a workflow with a draft and no version.
///
/// # Errors
/// When they may not, the project is not there, a text cannot be used, or the name is taken.
pub async fn create(app: &App, viewer: &Viewer, request: Create) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    text::slug("name", &request.name)?;
    let about = request.about.checked()?;
    let document = request.document.unwrap_or_else(|| json!({"nodes": {}, "edges": []}));
    let sidecar = request.sidecar.unwrap_or_else(|| json!({}));
    patch::check(&document, DOCUMENT_LIMIT).map_err(|error| ServiceError::invalid("document", error.to_string()))?;
    draft::check_sidecar(&sidecar)?;
    let project = project::get_by_slug(app, viewer, &request.project).await?;
    save_new(app, viewer, project.id, request.name, about, document, sidecar).await
}

/// Makes a workflow with the draft of another; its versions are not copied.
///
/// # Errors
/// When they may not, the workflow or the project is not there, or the name is taken.
pub async fn duplicate(
    app: &App,
    viewer: &Viewer,
    id: WorkflowId,
    project: Option<String>,
    name: String,
    title: Option<String>,
) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    text::slug("name", &name)?;
    let original = get(app, viewer, id).await?;
    let project = match project {
        Some(slug) => project::get_by_slug(app, viewer, &slug).await?.id,
        None => original.project_id,
    };
    let draft = draft::get_main(app, viewer, id).await?;
    let about = About {
        title: title.or(original.title),
        description: original.description,
        tags: Some(original.tags),
        folder: Some(original.folder),
    };
    save_new(app, viewer, project, name, about.checked()?, draft.document, draft.sidecar).await
}

async fn save_new(
    app: &App,
    viewer: &Viewer,
    project: ProjectId,
    name: String,
    about: About,
    document: Value,
    sidecar: Value,
) -> Result<Workflow, ServiceError> {
    let context = Context::of(app, viewer);
    let id = WorkflowId(app.runtime.clock().new_id());
    let draft = DraftId(app.runtime.clock().new_id());
    let draft = draft::first(draft, id, document, sidecar, &viewer.actor(), context.at);
    let workflow = Workflow {
        id,
        project_id: project,
        project: String::new(),
        name,
        title: about.title.filter(|title| !title.is_empty()),
        description: about.description.filter(|description| !description.is_empty()),
        tags: about.tags.unwrap_or_default(),
        folder: about.folder.unwrap_or_default(),
        archived_at: None,
        created_at: context.at,
        updated_at: context.at,
    };
    store::workflow::create(app.runtime.database(), &context, &NewWorkflow { workflow, draft }).await?;
    get(app, viewer, id).await
}

/// Changes what is said about a workflow.
///
/// # Errors
/// When they may not, it is not there, or a text cannot be used.
pub async fn update(app: &App, viewer: &Viewer, id: WorkflowId, about: About) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    let about = about.checked()?;
    store::workflow::update(app.runtime.database(), &Context::of(app, viewer), id, &about).await?;
    get(app, viewer, id).await
}

/// Hides a workflow from lists and stops it from being started, or takes that back. Doing it twice is not an error.
///
/// # Errors
/// When they may not, or it is not there.
pub async fn archive(app: &App, viewer: &Viewer, id: WorkflowId, archived: bool) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    store::workflow::archive(app.runtime.database(), &Context::of(app, viewer), id, archived).await?;
    get(app, viewer, id).await
}

/// Puts a workflow into another project.
///
/// # Errors
/// When they may not, either is not there, the name is taken there, or an environment is missing there.
pub async fn move_to(app: &App, viewer: &Viewer, id: WorkflowId, project: &str) -> Result<Workflow, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    let target = project::get_by_slug(app, viewer, project).await?;
    store::workflow::move_to(app.runtime.database(), &Context::of(app, viewer), id, &target).await?;
    get(app, viewer, id).await
}

/// Deletes an archived workflow with its versions and drafts; its runs stay until they are too old.
///
/// # Errors
/// When they may not, it is not there, is not archived, or has runs under way.
pub async fn delete(app: &App, viewer: &Viewer, id: WorkflowId) -> Result<WorkflowId, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    store::workflow::delete(app.runtime.database(), &Context::of(app, viewer), id).await?;
    tracing::info!(workflow.id = %id, "{id} was deleted");
    Ok(id)
}

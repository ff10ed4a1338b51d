//! Drafts: what people edit before it is published. A broken one can always be saved and opened.

use engine::definition::problem::Problem;
use engine::definition::{DOCUMENT_LIMIT, patch};
use engine::graph::examine;
use engine::id::{DraftId, VersionId, WorkflowId};
use engine::time::Timestamp;
use serde_json::Value;

use super::audit::Context;
use super::page::{Page, PageRequest};
use super::surroundings::{Known, Place};
use super::{ServiceError, text, workflow};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// The draft that every workflow has.
pub const MAIN: &str = "main";
/// Largest sidecar, in bytes of JSON.
pub const SIDECAR_LIMIT: usize = 1024 * 1024;
/// Most bytes of `pins` in a sidecar.
pub const PIN_LIMIT: usize = 256 * 1024;

/// What people edit before it is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Its name, unique in the workflow.
    pub name: String,
    /// The version that it began as or was last published as.
    pub base: Option<VersionId>,
    /// Counts its changes from 1.
    pub revision: i64,
    /// An object, broken or not.
    pub document: Value,
    /// Layout, notes, groups, colors, pins; never part of a version.
    pub sidecar: Value,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

/// One change of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftChange {
    /// The draft.
    pub draft: DraftId,
    /// The revision that it made.
    pub revision: i64,
    /// JSON Patch of the document.
    pub patch: Value,
    /// JSON Patch of the sidecar.
    pub sidecar_patch: Value,
    /// When.
    pub changed_at: Timestamp,
    /// Who made it.
    pub changed_by: String,
}

/// A change to make of a draft.
#[derive(Debug, Clone, Default)]
pub struct Save {
    /// The revision that it was made for.
    pub expected: i64,
    /// JSON Patch of the document.
    pub patch: Option<Value>,
    /// JSON Patch of the sidecar.
    pub sidecar_patch: Option<Value>,
}

/// The first draft of a workflow.
pub(crate) fn first(
    id: DraftId,
    workflow: WorkflowId,
    document: Value,
    sidecar: Value,
    by: &str,
    at: Timestamp,
) -> Draft {
    Draft {
        id,
        workflow,
        name: MAIN.to_owned(),
        base: None,
        revision: 1,
        document,
        sidecar,
        created_at: at,
        updated_at: at,
        updated_by: by.to_owned(),
    }
}

/// The draft of this id.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get(app: &App, viewer: &Viewer, id: DraftId) -> Result<Draft, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::draft::find(app.runtime.database(), &viewer.scope(), id).await?;
    found.ok_or(ServiceError::NotFound { what: "draft" })
}

/// The draft that a workflow has.
///
/// # Errors
/// `NotFound` also for another workspace's.
pub async fn get_main(app: &App, viewer: &Viewer, of: WorkflowId) -> Result<Draft, ServiceError> {
    viewer.require(Permission::Read)?;
    let found = store::draft::find_main(app.runtime.database(), &viewer.scope(), of).await?;
    found.ok_or(ServiceError::NotFound { what: "draft" })
}

/// Everything that is wrong with a document, or may be; with a place, also what it names and that place has not.
///
/// # Errors
/// When they may not, or the place is not there.
pub async fn problems(
    app: &App,
    viewer: &Viewer,
    document: &Value,
    place: Option<&Place>,
) -> Result<Vec<Problem>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(match place {
        Some(place) => Known::at(app, viewer, place).await?.examine(app, document).problems,
        None => examine(document, app.runtime.registry()).problems,
    })
}

/// Everything that is wrong with a draft, or may be, when it is to run in an environment.
///
/// # Errors
/// When they may not.
pub async fn problems_in(
    app: &App,
    viewer: &Viewer,
    draft: &Draft,
    environment: &str,
) -> Result<Vec<Problem>, ServiceError> {
    viewer.require(Permission::Read)?;
    text::slug("environment", environment)?;
    let project = workflow::get(app, viewer, draft.workflow).await?.project_id;
    let known = Known::load(app, viewer.workspace, project, environment).await?;
    Ok(known.examine(app, &draft.document).problems)
}

/// Saves a change, whatever it does to the document, unless somebody else was faster. A change that changes nothing
/// makes no revision.
///
/// # Errors
/// When they may not, the draft is not there, a patch cannot be applied, or with [`ServiceError::RevisionConflict`] the
/// draft as somebody else left it.
pub async fn save(app: &App, viewer: &Viewer, id: DraftId, change: Save) -> Result<Draft, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    let before = expected(app, viewer, id, change.expected).await?;
    let mut after = before.clone();
    if let Some(patch) = &change.patch {
        after.document = patched("patch", &before.document, patch, DOCUMENT_LIMIT)?;
    }
    if let Some(patch) = &change.sidecar_patch {
        after.sidecar = patched("sidecarPatch", &before.sidecar, patch, SIDECAR_LIMIT)?;
        check_sidecar(&after.sidecar)?;
    }
    let kept = |patch: Option<Value>| patch.unwrap_or_else(|| Value::Array(Vec::new()));
    replace(app, viewer, before, after, kept(change.patch), kept(change.sidecar_patch)).await
}

/// Takes a draft's document back to a version; its sidecar stays. This is a change like any other and can be seen in
/// the history.
///
/// # Errors
/// As [`save`]; also when the version is not there, or of another workflow, or none is named and there is none.
pub async fn discard(
    app: &App,
    viewer: &Viewer,
    id: DraftId,
    revision: i64,
    to: Option<VersionId>,
) -> Result<Draft, ServiceError> {
    viewer.require(Permission::WorkflowEdit)?;
    let before = expected(app, viewer, id, revision).await?;
    let to = to
        .or(before.base)
        .ok_or_else(|| ServiceError::Conflict { message: "the workflow has no version to go back to".to_owned() })?;
    let version = workflow::get_version(app, viewer, to).await?;
    if version.workflow != before.workflow {
        return Err(ServiceError::NotFound { what: "version" });
    }
    let mut after = before.clone();
    after.document = workflow::definition(app, viewer, &version).await?;
    after.base = Some(version.id);
    let patch = serde_json::to_value(patch::between(&before.document, &after.document));
    let patch = patch.map_err(ServiceError::internal)?;
    replace(app, viewer, before, after, patch, Value::Array(Vec::new())).await
}

/// The draft, when it is at the revision that the asker knows.
pub(super) async fn expected(app: &App, viewer: &Viewer, id: DraftId, revision: i64) -> Result<Draft, ServiceError> {
    let found = get(app, viewer, id).await?;
    if found.revision == revision { Ok(found) } else { Err(ServiceError::RevisionConflict(Box::new(found))) }
}

async fn replace(
    app: &App,
    viewer: &Viewer,
    before: Draft,
    mut after: Draft,
    patch: Value,
    sidecar_patch: Value,
) -> Result<Draft, ServiceError> {
    if after == before {
        return Ok(before);
    }
    let context = Context::of(app, viewer);
    after.revision += 1;
    after.updated_at = context.at;
    after.updated_by = viewer.actor();
    let change = DraftChange {
        draft: after.id,
        revision: after.revision,
        patch,
        sidecar_patch,
        changed_at: context.at,
        changed_by: after.updated_by.clone(),
    };
    let saved = store::draft::replace(app.runtime.database(), &context, &after, &change).await?;
    if saved {
        return Ok(after);
    }
    // Somebody was faster between our read and our write.
    Err(ServiceError::RevisionConflict(Box::new(get(app, viewer, after.id).await?)))
}

fn patched(field: &'static str, of: &Value, patch: &Value, limit: usize) -> Result<Value, ServiceError> {
    let wrong = |error: patch::PatchError| ServiceError::invalid(field, error.to_string());
    patch::apply(of, &patch::read(patch).map_err(wrong)?, limit).map_err(wrong)
}

/// Whether a sidecar can be kept.
pub(super) fn check_sidecar(sidecar: &Value) -> Result<(), ServiceError> {
    patch::check(sidecar, SIDECAR_LIMIT).map_err(|error| ServiceError::invalid("sidecar", error.to_string()))?;
    let pins = sidecar.get("pins").map_or(0, |pins| pins.to_string().len());
    if pins <= PIN_LIMIT {
        return Ok(());
    }
    let message = format!("the pins have {pins} bytes; a draft keeps at most {PIN_LIMIT}");
    Err(ServiceError::invalid("sidecarPatch", message))
}

const CHANGES: &str = "draft-changes";

/// The change that made a revision; none when the draft is gone.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn change(
    app: &App,
    viewer: &Viewer,
    id: DraftId,
    revision: i64,
) -> Result<Option<DraftChange>, ServiceError> {
    viewer.require(Permission::Read)?;
    Ok(store::draft::change(app.runtime.database(), viewer.workspace, id, revision).await?)
}

/// A draft's changes, the latest first.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn changes(
    app: &App,
    viewer: &Viewer,
    id: DraftId,
    page: &PageRequest,
) -> Result<Page<DraftChange>, ServiceError> {
    viewer.require(Permission::Read)?;
    let window = page.window(&viewer.cursors, CHANGES, |text| text.parse().ok())?;
    let rows = store::draft::changes(app.runtime.database(), viewer.workspace, id, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(CHANGES, &row.revision.to_string())))
}

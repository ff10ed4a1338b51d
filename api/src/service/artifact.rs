//! Files: those of a run are seen and downloaded by whoever may see the run; those that were sent and wait for runs, by
//! whoever sees the project.

use std::ops::Range;

use engine::id::ArtifactId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::artifact::Artifact;
use runtime::blob::{BlobError, Pieces};

use super::ServiceError;
use super::page::{Page, PageRequest};
use super::run::{self, Run};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

pub mod link;
pub mod upload;

/// What RFC 8187 leaves as it is in `filename*`.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What cursors of this list are made for.
const ARTIFACTS: &str = "artifacts";

/// The files of a run, in the order in which they were kept. Having the run is the proof that the viewer may see them.
///
/// # Errors
/// A cursor of another list, or the database.
pub async fn of_run(app: &App, viewer: &Viewer, run: &Run, page: &PageRequest) -> Result<Page<Artifact>, ServiceError> {
    viewer.require(Permission::Read)?;
    let list = format!("{ARTIFACTS}:{}", run.id);
    let window = page.window(&viewer.cursors, &list, |text| text.parse::<ArtifactId>().ok())?;
    let rows = store::artifact::of_run(app.runtime.database(), viewer.workspace, run.id, window).await?;
    Ok(Page::of(rows, page, |row| viewer.cursors.cursor(&list, &row.handle.id.to_string())))
}

/// The file of this id.
///
/// # Errors
/// `NotFound` also for another workspace's, and where the viewer may not see its run, or the project that it waits in.
pub async fn get(app: &App, viewer: &Viewer, id: ArtifactId) -> Result<Artifact, ServiceError> {
    viewer.require(Permission::Read)?;
    let absent = || ServiceError::NotFound { what: "artifact" };
    let found = app.runtime.artifacts().find(viewer.workspace, id).await?.ok_or_else(absent)?;
    let Some(of) = found.run else {
        return if viewer.scope().has(found.project) { Ok(found) } else { Err(absent()) };
    };
    match run::get(app, viewer, of).await {
        Ok(_) => Ok(found),
        Err(ServiceError::NotFound { .. }) => Err(absent()),
        Err(error) => Err(error),
    }
}

/// Its bytes, or a part of them. When all are read, the last ones come only if they are what was kept.
///
/// # Errors
/// When the store fails, or the bytes are gone.
pub async fn open(app: &App, artifact: &Artifact, range: Option<Range<u64>>) -> Result<Pieces, ServiceError> {
    app.runtime.artifacts().read(artifact, range).await.map_err(|error| {
        let id = artifact.handle.id;
        tracing::error!(error = %error, artifact.id = %id, "a file cannot be read");
        match error {
            BlobError::Missing(_) => ServiceError::NotFound { what: "artifact" },
            _ => silent(),
        }
    })
}

/// The `Content-Disposition` of a download of this name: always an attachment.
pub fn disposition(name: &str) -> String {
    format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(name, ATTRIBUTE))
}

fn silent() -> ServiceError {
    ServiceError::Unavailable { message: "the artifact store does not answer; try again".to_owned() }
}

/// The store failed at something that was to be done now.
fn unavailable(error: &BlobError) -> ServiceError {
    tracing::error!(error = %error, "the artifact store failed");
    silent()
}

//! The door by which nodes keep and read files of their run.

use async_trait::async_trait;
use engine::error::ErrorInfo;
use engine::id::{ArtifactId, ProjectId, RunId, WorkspaceId};
use entity::run;
use futures::{StreamExt as _, TryStreamExt as _};
use nodes::file::{FileBytes, FileHandle, Files, NewFile, not_found};
use sea_orm::{DbErr, EntityTrait as _, QuerySelect as _};

use super::{Artifacts, KeepError, NewArtifact};
use crate::blob::{BlobError, ReceiveError};

/// The files of a run, as one of its nodes sees them.
#[derive(Debug)]
pub(crate) struct RunFiles {
    pub(crate) artifacts: Artifacts,
    pub(crate) workspace: WorkspaceId,
    pub(crate) run: RunId,
    pub(crate) node: String,
}

#[async_trait]
impl Files for RunFiles {
    async fn keep(&self, new: NewFile, bytes: FileBytes) -> Result<FileHandle, ErrorInfo> {
        let project = self.project().await.map_err(unreadable)?;
        let new = NewArtifact {
            id: None,
            workspace: self.workspace,
            project,
            run: Some(self.run),
            node: Some(self.node.clone()),
            name: new.name,
            media_type: new.media_type,
            created_by: format!("node:{}", self.node),
            expires_at: None,
        };
        let kept = self.artifacts.keep(new, bytes).await.map_err(|error| match error {
            KeepError::Receive(ReceiveError::BrokeOff(error)) => error,
            KeepError::Receive(ReceiveError::TooLarge { most }) => ErrorInfo::permanent(
                "FILE_TOO_LARGE",
                format!("the file is larger than {most} bytes, which the server allows; an operator can set `artifact.max_file`"),
            ),
            // Whoever sent the bytes has acted by now.
            KeepError::Receive(ReceiveError::Blob(error)) => store_failed(ErrorInfo::unknown, &error),
            KeepError::Taken(_) | KeepError::Database(_) => store_failed(ErrorInfo::unknown, &error),
        })?;
        Ok(kept.handle)
    }

    async fn find(&self, id: ArtifactId) -> Result<FileHandle, ErrorInfo> {
        let found = self.artifacts.find_for_run(self.workspace, self.run, id).await.map_err(unreadable)?;
        found.map(|artifact| artifact.handle).ok_or_else(|| not_found(id))
    }

    async fn read(&self, file: &FileHandle) -> Result<FileBytes, ErrorInfo> {
        let found = self.artifacts.find_for_run(self.workspace, self.run, file.id).await.map_err(unreadable)?;
        let artifact = found.ok_or_else(|| not_found(file.id))?;
        let pieces = self.artifacts.read(&artifact, None).await.map_err(|error| unread(&error))?;
        Ok(pieces.map_err(|error| unread(&error)).boxed())
    }
}

impl RunFiles {
    async fn project(&self) -> Result<ProjectId, DbErr> {
        let project = run::Entity::find_by_id(self.run.0)
            .select_only()
            .column(run::Column::ProjectId)
            .into_tuple()
            .one(self.artifacts.database.read())
            .await?;
        project.map(ProjectId).ok_or_else(|| DbErr::RecordNotFound(format!("there is no run {}", self.run)))
    }
}

fn store_failed(kind: fn(&str, String) -> ErrorInfo, error: &dyn std::fmt::Display) -> ErrorInfo {
    kind("ARTIFACT_STORE_FAILED", format!("the file could not be kept: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` gives")]
fn unreadable(error: DbErr) -> ErrorInfo {
    ErrorInfo::transient("ARTIFACT_STORE_FAILED", format!("the file cannot be looked up: {error}"))
}

fn unread(error: &BlobError) -> ErrorInfo {
    let message = format!("the file cannot be read: {error}");
    match error {
        BlobError::Damaged(_) => ErrorInfo::permanent("FILE_DAMAGED", message),
        BlobError::Missing(_) => ErrorInfo::permanent("FILE_GONE", message),
        _ => ErrorInfo::transient("ARTIFACT_STORE_FAILED", message),
    }
}

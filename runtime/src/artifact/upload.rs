//! Files that people send before a run needs them, and links to files.

use std::convert::Infallible;
use std::time::Duration;

use engine::id::{ArtifactId, RunId};

use super::{Artifact, Artifacts, KeepError, NewArtifact};
use crate::blob::{BlobError, Link, Received};
use crate::figure::file::Coming;

/// The largest object that S3 takes in one request.
const LARGEST_PUT: u64 = 5 * 1024 * 1024 * 1024;

impl Artifacts {
    /// The size of the largest file, in bytes.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// A link to send a file of so many bytes to, which [`Artifacts::keep_sent`] then keeps. `None` when it has to come
    /// through the server.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn upload_link(&self, id: ArtifactId, size: u64, lives: Duration) -> Result<Option<Link>, BlobError> {
        if size > LARGEST_PUT { Ok(None) } else { self.blobs.upload_link(id.0, size, lives).await }
    }

    /// Keeps what was sent by a link under the id of `new`; `None` when nothing was.
    ///
    /// # Errors
    /// When it is too large, or the store or the database fails.
    pub async fn keep_sent(&self, new: NewArtifact) -> Result<Option<Artifact>, KeepError<Infallible>> {
        let Some(id) = new.id else { return Ok(None) };
        let kept = async {
            let Some(received) = self.blobs.receive_sent(new.workspace, id.0, self.most).await? else {
                return Ok(None);
            };
            self.point(new, received).await.map(Some)
        };
        let Some(kept) = kept.await.transpose() else { return Ok(None) };
        let kept = Coming::begins().ended(kept)?;
        self.blobs.forget_sent(id.0).await;
        Ok(Some(kept))
    }

    /// A link to the bytes of a file, as an attachment. `None` when they come through the server only.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn download_link(
        &self,
        artifact: &Artifact,
        disposition: &str,
        lives: Duration,
    ) -> Result<Option<Link>, BlobError> {
        let media_type = &artifact.handle.media_type;
        self.blobs.download_link(artifact.workspace, &artifact.received(), disposition, media_type, lives).await
    }

    /// Gives a run that is about to begin a file of its own of the same bytes.
    ///
    /// # Errors
    /// When the bytes are gone, or the database fails.
    pub async fn give(
        &self,
        artifact: &Artifact,
        run: RunId,
        created_by: &str,
    ) -> Result<Artifact, KeepError<Infallible>> {
        let new = NewArtifact {
            id: None,
            workspace: artifact.workspace,
            project: artifact.project,
            run: Some(run),
            node: None,
            name: artifact.handle.name.clone(),
            media_type: artifact.handle.media_type.clone(),
            created_by: created_by.to_owned(),
            expires_at: None,
        };
        self.point(new, artifact.received()).await
    }
}

impl Artifact {
    pub(super) fn received(&self) -> Received {
        Received { digest: self.digest, sha256: self.handle.sha256, size: self.handle.size }
    }
}

//! Bytes that go straight between others and the bucket, where the settings allow that. Nothing that came so is believed
//! before it lies where the sender cannot change it and was hashed there.

use std::convert::Infallible;
use std::time::Duration;

use engine::id::WorkspaceId;
use futures::StreamExt as _;
use uuid::Uuid;

use super::objects::{Address, Link, Shown};
use super::stream::Sum;
use super::{BlobError, BlobStore, ReceiveError, Received};
use crate::crash;

impl BlobStore {
    /// A link to a blob; `None` when its bytes go through this process only.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn download_link(
        &self,
        workspace: WorkspaceId,
        received: &Received,
        disposition: &str,
        media_type: &str,
        lives: Duration,
    ) -> Result<Option<Link>, BlobError> {
        let Some(links) = self.objects.links().filter(|_| received.size > 0) else { return Ok(None) };
        let at = Address { workspace, digest: received.digest };
        Ok(Some(links.download(at, Shown { disposition, media_type }, lives).await?))
    }

    /// A link to send so many bytes to, which [`BlobStore::receive_sent`] then takes by the same id. `None` when bytes
    /// go through this process only.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) async fn upload_link(&self, sent: Uuid, size: u64, lives: Duration) -> Result<Option<Link>, BlobError> {
        let Some(links) = self.objects.links() else { return Ok(None) };
        Ok(Some(links.upload(sent, size, lives).await?))
    }

    /// Keeps what was sent by a link, as [`BlobStore::receive`] does; `None` when nothing is there.
    ///
    /// # Errors
    /// When it is over `most` bytes, or the store or the database fails.
    pub(crate) async fn receive_sent(
        &self,
        workspace: WorkspaceId,
        sent: Uuid,
        most: u64,
    ) -> Result<Option<Received>, ReceiveError<Infallible>> {
        let Some(links) = self.objects.links() else { return Ok(None) };
        let salt = self.salt_of(workspace).await?;
        let Some(size) = links.sent(sent).await? else { return Ok(None) };
        if size > most {
            return Err(ReceiveError::TooLarge { most });
        }
        let unique = self.clock.new_id();
        links.take(sent, size, unique).await?;
        crash::point("file_taken");
        let mut sum = Sum::new(most);
        let mut pieces = links.taken(unique).await?;
        while let Some(piece) = pieces.next().await {
            sum.take(Ok::<_, Infallible>(piece?))?;
        }
        let received = sum.finish(&salt);
        self.settle(workspace, unique, received).await?;
        Ok(Some(received))
    }

    /// What was sent is not needed any more. Should that fail, the sweep does it in a day.
    pub(crate) async fn forget_sent(&self, sent: Uuid) {
        let Some(links) = self.objects.links() else { return };
        if let Err(error) = links.forget(sent).await {
            tracing::debug!(error = %error, "what was sent by a link stays for a day");
        }
    }
}

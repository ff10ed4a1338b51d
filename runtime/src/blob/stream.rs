//! Bytes of any number, as they come: kept without ever being in memory as a whole, and checked while they are read.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use engine::id::WorkspaceId;
use engine::value::Digest;
use futures::{Stream, StreamExt as _};
use metrics::Counter;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::objects::{Address, Pieces};
use super::{BlobError, BlobStore};
use crate::crash;
use crate::figure::file::bytes_came;

/// Streams of at most this many bytes are put at once.
const SMALL: usize = 1024 * 1024;

/// Keeps the addresses of streams apart from those of values: a stream's is made from its SHA-256, so that its bytes are
/// hashed once only.
const LABEL: &[u8] = b"stream\0";

/// Bytes that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Where: the address of a blob in its workspace.
    pub digest: Digest,
    /// What everybody can check.
    pub sha256: [u8; 32],
    /// How many.
    pub size: u64,
}

/// Why bytes that came were not kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError<E> {
    /// There are too many.
    #[error("more than {most} bytes came")]
    TooLarge {
        /// The bound.
        most: u64,
    },
    /// They broke off.
    #[error("the bytes broke off: {0}")]
    BrokeOff(E),
    /// The store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}

/// What came so far.
pub(super) struct Sum {
    hash: Sha256,
    size: u64,
    most: u64,
    counted: Counter,
}

impl Sum {
    /// Nothing yet, of at most so many bytes.
    pub(super) fn new(most: u64) -> Self {
        Self { hash: Sha256::new(), size: 0, most, counted: bytes_came() }
    }

    pub(super) fn take<E>(&mut self, piece: Result<Bytes, E>) -> Result<Bytes, ReceiveError<E>> {
        let piece = piece.map_err(ReceiveError::BrokeOff)?;
        self.counted.increment(piece.len() as u64);
        self.size = self.size.saturating_add(piece.len() as u64);
        if self.size > self.most {
            return Err(ReceiveError::TooLarge { most: self.most });
        }
        self.hash.update(&piece);
        Ok(piece)
    }

    pub(super) fn finish(self, salt: &[u8]) -> Received {
        let sha256: [u8; 32] = self.hash.finalize().into();
        Received { digest: Digest::of(salt, &[LABEL, &sha256].concat()), sha256, size: self.size }
    }
}

impl BlobStore {
    /// Keeps what comes, durable when this returns. Nothing is left of what broke off, or was too large. As for
    /// [`BlobStore::put`], whoever refers to it does so within a day.
    ///
    /// # Errors
    /// When it breaks off, is over `most` bytes, or the store or the database fails.
    pub async fn receive<E>(
        &self,
        workspace: WorkspaceId,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
        most: u64,
    ) -> Result<Received, ReceiveError<E>> {
        let salt = self.salt_of(workspace).await?;
        let mut sum = Sum::new(most);
        let mut head = BytesMut::new();
        while head.len() <= SMALL {
            let Some(piece) = pieces.next().await else {
                let received = sum.finish(&salt);
                crash::point("file_gathered");
                self.put(workspace, received.digest, head.freeze()).await?;
                return Ok(received);
            };
            head.extend_from_slice(&sum.take(piece)?);
        }
        let unique = self.clock.new_id();
        let mut upload = self.objects.begin(unique).await?;
        crash::point("file_begun");
        let rest = async {
            upload.write(head.freeze()).await?;
            while let Some(piece) = pieces.next().await {
                upload.write(sum.take(piece)?).await?;
                crash::point("file_piece");
            }
            Ok(())
        };
        if let Err(error) = rest.await {
            upload.abandon().await;
            return Err(error);
        }
        upload.finish().await?;
        crash::point("file_finished");
        let received = sum.finish(&salt);
        self.settle(workspace, unique, received).await?;
        Ok(received)
    }

    /// Brings what was taken to its place. The row goes first, so that no sweep takes the place meanwhile.
    pub(super) async fn settle(
        &self,
        workspace: WorkspaceId,
        unique: Uuid,
        received: Received,
    ) -> Result<(), BlobError> {
        self.touch(workspace, received.digest, received.size).await?;
        crash::point("file_touched");
        self.objects.settle(unique, received.size, Address { workspace, digest: received.digest }).await?;
        crash::point("file_settled");
        Ok(())
    }

    /// The bytes of a stream. When all are read, the last ones come only if they are what was kept; when a part is,
    /// they are as they lie there.
    ///
    /// # Errors
    /// When there are none, or the store fails; the pieces then, too.
    pub async fn read(
        &self,
        workspace: WorkspaceId,
        received: &Received,
        range: Option<Range<u64>>,
    ) -> Result<Pieces, BlobError> {
        let at = Address { workspace, digest: received.digest };
        let range = range.filter(|range| *range != (0..received.size));
        if received.size == 0 || range.as_ref().is_some_and(Range::is_empty) {
            return Ok(futures::stream::empty().boxed());
        }
        let is_whole = range.is_none();
        let pieces = self.objects.read(at, range).await?;
        let sum = Expected { begun: Sha256::new(), sum: received.sha256, size: received.size };
        Ok(if is_whole { checked(pieces, received.digest, sum) } else { pieces })
    }

    /// The bytes of a value, `size` of them, as they come. The last ones come only if all are what was put.
    ///
    /// # Errors
    /// When there are none, or the store fails; the pieces then, too.
    pub async fn pieces(&self, workspace: WorkspaceId, digest: Digest, size: u64) -> Result<Pieces, BlobError> {
        let salt = self.salt(workspace).await?.ok_or(BlobError::Missing(digest))?;
        let pieces = self.objects.read(Address { workspace, digest }, None).await?;
        let sum = Expected { begun: Sha256::new().chain_update(&salt), sum: digest.0, size };
        Ok(checked(pieces, digest, sum))
    }
}

/// What bytes have to come to.
struct Expected {
    /// What is hashed before them.
    begun: Sha256,
    sum: [u8; 32],
    size: u64,
}

/// The same pieces; the last one waits until the sum of all is known to be right.
fn checked(pieces: Pieces, digest: Digest, expected: Expected) -> Pieces {
    struct Check {
        pieces: Pieces,
        hash: Sha256,
        held: Option<Bytes>,
        left: u64,
    }
    let Expected { begun, sum, size } = expected;
    let check = Check { pieces, hash: begun, held: None, left: size };
    futures::stream::try_unfold(Some(check), move |check| async move {
        let Some(mut check) = check else { return Ok(None) };
        loop {
            match check.pieces.next().await.transpose()? {
                Some(piece) => {
                    check.hash.update(&piece);
                    let damaged = BlobError::Damaged(digest);
                    check.left = check.left.checked_sub(piece.len() as u64).ok_or(damaged)?;
                    if let Some(before) = check.held.replace(piece) {
                        return Ok(Some((before, Some(check))));
                    }
                }
                None if check.left == 0 && check.hash.finalize().as_slice() == sum => {
                    return Ok(check.held.map(|last| (last, None)));
                }
                None => return Err(BlobError::Damaged(digest)),
            }
        }
    })
    .boxed()
}

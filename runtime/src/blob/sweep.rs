//! Deletes blobs that nothing refers to any more.

use std::time::Duration;

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use engine::value::Digest;
use entity::{artifact, blob, blob_ref};
use sea_orm::sea_query::{Expr, ExprTrait as _, Iden, Query, SelectStatement};
use sea_orm::{
    ColumnTrait as _, Condition, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
};

use super::{Address, BlobError, BlobStore, Point};
use crate::database::{from_column, to_column};

/// How long nothing must have put or referred to a blob before it is marked, and again before it goes.
const GRACE: Duration = Duration::from_secs(86_400);
/// Most blobs deleted by one sweep; the next one goes on.
const AT_ONCE: u64 = 1_000;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that nothing refers to, from now on under watch.
    pub marked: u64,
    /// Blobs that are gone.
    pub deleted: u64,
}

impl BlobStore {
    /// Marks what nothing refers to and deletes what was marked a day ago and is still unused. Any number of processes
    /// may do this at any time; after a crash in the middle the next one goes on.
    ///
    /// # Errors
    /// When the store or the database fails.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, BlobError> {
        self.at(Point::SweepBegins).await;
        let mut swept = Swept { marked: self.mark(now).await?, deleted: 0 };
        self.at(Point::SweepMarked).await;
        let (candidates, counted) = (self.candidates(now).await?, crate::figure::file::swept());
        self.at(Point::SweepListed).await;
        for (workspace, digest) in candidates {
            if self.doom(workspace, digest, now).await? {
                self.at(Point::SweepDoomed).await;
                let is_gone = u64::from(self.delete(workspace, digest).await?);
                swept.deleted += is_gone;
                counted.increment(is_gone);
            }
        }
        self.objects.delete_abandoned(now).await?;
        Ok(swept)
    }

    async fn mark(&self, now: Timestamp) -> Result<u64, BlobError> {
        let by_run = referring(blob_ref::Entity, blob_ref::Column::WorkspaceId, blob_ref::Column::Digest);
        let by_file = referring(artifact::Entity, artifact::Column::WorkspaceId, artifact::Column::Digest);
        let marked = blob::Entity::update_many()
            .col_expr(blob::Column::MarkedAt, Expr::value(to_column(now)))
            .filter(blob::Column::MarkedAt.is_null())
            .filter(blob::Column::TouchedAt.lte(to_column(before(now))))
            .filter(Expr::exists(by_run).not())
            .filter(Expr::exists(by_file).not())
            .exec(self.database.write())
            .await?;
        Ok(marked.rows_affected)
    }

    async fn candidates(&self, now: Timestamp) -> Result<Vec<(WorkspaceId, Digest)>, BlobError> {
        let rows = blob::Entity::find()
            .filter(blob::Column::MarkedAt.lte(to_column(before(now))))
            .order_by_asc(blob::Column::MarkedAt)
            .limit(AT_ONCE)
            .all(self.database.read())
            .await?;
        let place = |row: blob::Model| Some((WorkspaceId(row.workspace_id), Digest(row.digest.try_into().ok()?)));
        Ok(rows.into_iter().filter_map(place).collect())
    }

    /// Looks again under the row's lock: whoever wants to refer to the blob waits for it. References are read by a
    /// statement of its own after the lock, so that one committed just before it is seen.
    async fn doom(&self, workspace: WorkspaceId, digest: Digest, now: Timestamp) -> Result<bool, BlobError> {
        let transaction = self.database.begin_write().await?;
        let Some(row) = locked(&transaction, workspace, digest).await? else { return Ok(false) };
        // Putting the blob takes the mark away.
        let is_unused = row.marked_at.is_some_and(|at| from_column(at) <= before(now));
        if !is_unused {
            return Ok(false);
        }
        let by_runs = blob_ref::Entity::find()
            .filter(blob_ref::Column::WorkspaceId.eq(workspace.0))
            .filter(blob_ref::Column::Digest.eq(digest.0.as_slice()))
            .limit(1)
            .count(&transaction)
            .await?;
        let by_files = artifact::Entity::find()
            .filter(artifact::Column::WorkspaceId.eq(workspace.0))
            .filter(artifact::Column::Digest.eq(digest.0.as_slice()))
            .limit(1)
            .count(&transaction)
            .await?;
        let references = by_runs + by_files;
        self.at(Point::SweepLookedAgain).await;
        let (column, value) = if references == 0 {
            (blob::Column::DoomedAt, Some(to_column(now)))
        } else {
            (blob::Column::MarkedAt, None)
        };
        blob::Entity::update_many()
            .col_expr(column, Expr::value(value))
            .filter(this(workspace, digest))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(references == 0)
    }

    /// Deletes object and row under the row's lock. A process that dies in between leaves a doomed row: nobody refers to
    /// it, putting the blob makes the object anew, and the next sweep ends what this one began.
    async fn delete(&self, workspace: WorkspaceId, digest: Digest) -> Result<bool, BlobError> {
        let transaction = self.database.begin_write().await?;
        let row = locked(&transaction, workspace, digest).await?;
        if row.is_none_or(|row| row.doomed_at.is_none()) {
            return Ok(false);
        }
        self.at(Point::SweepLocked).await;
        self.objects.delete(Address { workspace, digest }).await?;
        self.at(Point::SweepUnlinked).await;
        blob::Entity::delete_many().filter(this(workspace, digest)).exec(&transaction).await?;
        self.at(Point::SweepDeleted).await;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Rows of a table that refer to the blob of the row at hand.
pub(super) fn referring<T: Iden + Copy + 'static, C: Iden + Copy + 'static>(
    table: T,
    workspace: C,
    digest: C,
) -> SelectStatement {
    let same = |column: C, of: blob::Column| Expr::col((table, column)).equals((blob::Entity, of));
    let mut reference = Query::select();
    reference.expr(Expr::value(1)).from(table);
    reference.and_where(same(workspace, blob::Column::WorkspaceId)).and_where(same(digest, blob::Column::Digest));
    reference
}

fn before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX)))
}

fn this(workspace: WorkspaceId, digest: Digest) -> Condition {
    Condition::all().add(blob::Column::WorkspaceId.eq(workspace.0)).add(blob::Column::Digest.eq(digest.0.as_slice()))
}

async fn locked(
    transaction: &DatabaseTransaction,
    workspace: WorkspaceId,
    digest: Digest,
) -> Result<Option<blob::Model>, DbErr> {
    blob::Entity::find().filter(this(workspace, digest)).lock_exclusive().one(transaction).await
}

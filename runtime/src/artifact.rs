//! Files: rows that point to blobs. A file belongs to a run, and goes with it; nobody else can read it by its id.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use engine::id::{ArtifactId, ProjectId, RunId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use entity::word::RunMode;
use entity::{artifact as row, blob, run};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use nodes::file::{FileHandle, FileName};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

mod door;
mod upload;

pub(crate) use self::door::RunFiles;
use crate::blob::{BlobError, BlobStore, Pieces, ReceiveError, Received};
use crate::clock::Clock;
use crate::crash;
use crate::database::{Database, from_column, to_column};
use crate::figure::file::{Coming, bytes_read};

/// How long a file waits for the run that it was promised to.
const WAITS: Duration = Duration::from_secs(86_400);
/// Runs that begin each other, looked back at; further back nobody's files are.
const MOST_BACK: usize = 100;
/// Rows deleted in one transaction.
const AT_ONCE: u64 = 1_000;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What nodes get of it.
    pub handle: FileHandle,
    /// Whose.
    pub workspace: WorkspaceId,
    /// In which project.
    pub project: ProjectId,
    /// The run that it belongs to.
    pub run: Option<RunId>,
    /// The node that kept it; none when it came with the run's start.
    pub node: Option<String>,
    /// Who kept it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it goes; none for with its run.
    pub expires_at: Option<Timestamp>,
    digest: Digest,
}

/// A file to keep.
#[derive(Debug, Clone)]
pub struct NewArtifact {
    /// Its id, when somebody was told it before; what is kept under it once stays.
    pub id: Option<ArtifactId>,
    /// Whose.
    pub workspace: WorkspaceId,
    /// In which project.
    pub project: ProjectId,
    /// The run that it belongs to, which may be one that is about to start.
    pub run: Option<RunId>,
    /// The node that keeps it.
    pub node: Option<String>,
    /// What people call it.
    pub name: FileName,
    /// What it says it is.
    pub media_type: String,
    /// Who.
    pub created_by: String,
    /// When it goes; none for with its run.
    pub expires_at: Option<Timestamp>,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError<E> {
    /// Its bytes were not taken.
    #[error(transparent)]
    Receive(#[from] ReceiveError<E>),
    /// Something else was kept under the id.
    #[error("another file was kept as {0} before")]
    Taken(ArtifactId),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl<E> From<BlobError> for KeepError<E> {
    fn from(error: BlobError) -> Self {
        Self::Receive(error.into())
    }
}

/// The files of a database. Cheap to clone.
#[derive(Clone)]
pub struct Artifacts {
    blobs: BlobStore,
    database: Database,
    clock: Clock,
    most: u64,
}

impl std::fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifacts").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Artifacts {
    /// Files of at most `most` bytes each.
    pub(crate) fn new(blobs: BlobStore, database: Database, clock: Clock, most: u64) -> Self {
        Self { blobs, database, clock, most }
    }

    /// Keeps a file; durable when this returns.
    ///
    /// # Errors
    /// When its bytes break off or are too many, or the store or the database fails.
    pub async fn keep<E>(
        &self,
        new: NewArtifact,
        pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin,
    ) -> Result<Artifact, KeepError<E>> {
        let coming = Coming::begins();
        let kept = async {
            let received = self.blobs.receive(new.workspace, pieces, self.most).await?;
            self.point(new, received).await
        };
        coming.ended(kept.await)
    }

    /// Makes the row that points to bytes that are there. The blob's row is locked meanwhile, so that no sweep takes it.
    async fn point<E>(&self, new: NewArtifact, received: Received) -> Result<Artifact, KeepError<E>> {
        let now = self.clock.now();
        let media_type: String = new.media_type.chars().filter(|c| !c.is_control()).take(200).collect();
        let handle = FileHandle {
            id: new.id.unwrap_or_else(|| ArtifactId(self.clock.new_id())),
            name: new.name,
            media_type,
            size: received.size,
            sha256: received.sha256,
        };
        let write = self.database.begin_write().await?;
        let key = (new.workspace.0, received.digest.0.to_vec());
        let found = blob::Entity::find_by_id(key).lock_shared().one(&write).await?;
        if found.is_none_or(|blob| blob.doomed_at.is_some()) {
            // It took longer than a day to come here.
            return Err(BlobError::Missing(received.digest).into());
        }
        let artifact = Artifact {
            handle,
            workspace: new.workspace,
            project: new.project,
            run: new.run,
            node: new.node,
            created_by: new.created_by,
            created_at: now,
            expires_at: new.expires_at,
            digest: received.digest,
        };
        let once = OnConflict::column(row::Column::Id).do_nothing().to_owned();
        if row::Entity::insert(artifact.row()).on_conflict(once).exec_without_returning(&write).await? == 0 {
            // Whoever lost the answer sends it again.
            let before = row::Entity::find_by_id(artifact.handle.id.0).one(&write).await?.and_then(Artifact::of);
            let is_same =
                |before: &Artifact| before.workspace == artifact.workspace && before.digest == artifact.digest;
            return before.filter(is_same).ok_or(KeepError::Taken(artifact.handle.id));
        }
        crash::point("file_pointed");
        write.commit().await?;
        crash::point("file_kept");
        Ok(artifact)
    }

    /// A file by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, workspace: WorkspaceId, id: ArtifactId) -> Result<Option<Artifact>, DbErr> {
        let found = row::Entity::find_by_id(id.0).filter(row::Column::WorkspaceId.eq(workspace.0));
        Ok(found.one(self.database.read()).await?.and_then(Artifact::of))
    }

    /// A file that a run may use: its own, or one of the runs that it goes back to or that go back to the same one. A test
    /// run may use those of its workflow's runs, whose values people take over and pin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_for_run(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        id: ArtifactId,
    ) -> Result<Option<Artifact>, DbErr> {
        let Some(found) = self.find(workspace, id).await? else { return Ok(None) };
        let Some(of) = found.run else { return Ok(None) };
        let may = of == run
            || self.beginning(of).await? == self.beginning(run).await?
            || self.is_test_beside(run, of).await?;
        Ok(may.then_some(found))
    }

    /// Whether a run is a test of the workflow that the other one is of.
    async fn is_test_beside(&self, run: RunId, other: RunId) -> Result<bool, DbErr> {
        let of = |id: RunId| {
            let found = run::Entity::find_by_id(id.0).select_only();
            found.columns([run::Column::WorkflowId, run::Column::Mode]).into_tuple::<(Uuid, RunMode)>()
        };
        let (test, other) = (of(run).one(self.database.read()).await?, of(other).one(self.database.read()).await?);
        let is_same =
            |(workflow, mode): (Uuid, RunMode)| mode == RunMode::Test && other.is_some_and(|(of, _)| of == workflow);
        Ok(test.is_some_and(is_same))
    }

    /// The run that a run goes back to: which retries it, or called it, and so on.
    async fn beginning(&self, run: RunId) -> Result<Uuid, DbErr> {
        let mut at = run.0;
        for _ in 0..MOST_BACK {
            let before: Option<(Option<Uuid>, Option<Uuid>)> = run::Entity::find_by_id(at)
                .select_only()
                .columns([run::Column::RetryOf, run::Column::ParentRunId])
                .into_tuple()
                .one(self.database.read())
                .await?;
            match before.and_then(|(retry_of, parent)| retry_of.or(parent)) {
                Some(before) => at = before,
                None => break,
            }
        }
        Ok(at)
    }

    /// Its bytes, or a part of them. When all are read, the last ones come only if they are what was kept.
    ///
    /// # Errors
    /// When the store fails; the pieces then, too.
    pub async fn read(&self, artifact: &Artifact, range: Option<Range<u64>>) -> Result<Pieces, BlobError> {
        let pieces = self.blobs.read(artifact.workspace, &artifact.received(), range).await?;
        let counted = bytes_read();
        Ok(pieces.inspect_ok(move |piece| counted.increment(piece.len() as u64)).boxed())
    }

    /// Deletes a file; its bytes go once nothing else points to them. Whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, workspace: WorkspaceId, id: ArtifactId) -> Result<bool, DbErr> {
        let gone = row::Entity::delete_many()
            .filter(row::Column::WorkspaceId.eq(workspace.0))
            .filter(row::Column::Id.eq(id.0))
            .exec(self.database.write())
            .await?;
        Ok(gone.rows_affected > 0)
    }

    /// Deletes files whose time is over, and those that were promised to a run that did not begin. How many.
    ///
    /// # Errors
    /// When the database fails; what was deleted before stays deleted.
    pub async fn forget(&self, now: Timestamp) -> Result<u64, DbErr> {
        let mut count = 0;
        let over = row::Column::ExpiresAt.lte(to_column(now));
        let waiting = row::Column::CreatedAt.lte(to_column(now.minus(WAITS)));
        let same = Expr::col((run::Entity, run::Column::Id)).equals((row::Entity, row::Column::RunId));
        let begun = Query::select().expr(Expr::value(1)).from(run::Entity).and_where(same).take();
        let alone = Condition::all()
            .add(row::Column::NodeKey.is_null())
            .add(waiting)
            .add(row::Column::RunId.is_not_null())
            .add(Expr::exists(begun).not());
        for which in [Condition::all().add(over), alone] {
            loop {
                let ids: Vec<Uuid> = row::Entity::find()
                    .select_only()
                    .column(row::Column::Id)
                    .filter(which.clone())
                    .order_by_asc(row::Column::Id)
                    .limit(AT_ONCE)
                    .into_tuple()
                    .all(self.database.read())
                    .await?;
                if ids.is_empty() {
                    break;
                }
                let gone = row::Entity::delete_many().filter(row::Column::Id.is_in(ids)).exec(self.database.write());
                count += gone.await?.rows_affected;
            }
        }
        Ok(count)
    }
}

impl Artifact {
    fn row(&self) -> row::ActiveModel {
        row::ActiveModel {
            id: Set(self.handle.id.0),
            workspace_id: Set(self.workspace.0),
            project_id: Set(self.project.0),
            run_id: Set(self.run.map(|run| run.0)),
            node_key: Set(self.node.clone()),
            name: Set(self.handle.name.as_str().to_owned()),
            media_type: Set(self.handle.media_type.clone()),
            size: Set(i64::try_from(self.handle.size).unwrap_or(i64::MAX)),
            sha256: Set(self.handle.sha256.to_vec()),
            digest: Set(self.digest.0.to_vec()),
            created_by: Set(self.created_by.clone()),
            created_at: Set(to_column(self.created_at)),
            expires_at: Set(self.expires_at.map(to_column)),
        }
    }

    /// The file of a row; `None` for a row that nobody here wrote.
    pub fn of(row: row::Model) -> Option<Self> {
        Some(Self {
            handle: FileHandle {
                id: ArtifactId(row.id),
                name: FileName::parse(&row.name).unwrap_or_else(|_| FileName::tame(&row.name)),
                media_type: row.media_type,
                size: u64::try_from(row.size).ok()?,
                sha256: row.sha256.try_into().ok()?,
            },
            workspace: WorkspaceId(row.workspace_id),
            project: ProjectId(row.project_id),
            run: row.run_id.map(RunId),
            node: row.node_key,
            created_by: row.created_by,
            created_at: from_column(row.created_at),
            expires_at: row.expires_at.map(from_column),
            digest: Digest(row.digest.try_into().ok()?),
        })
    }
}

//! Files of runs, as lists.

use engine::id::{ArtifactId, RunId, WorkspaceId};
use entity::artifact;
use runtime::Database;
use runtime::artifact::Artifact;
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use super::change::Change;
use super::keyset::{self, Listed};
use crate::service::audit::{Context, Done};
use crate::service::page::Window;

/// The files of a run, in the order in which they were kept.
pub(crate) async fn of_run(
    database: &Database,
    workspace: WorkspaceId,
    run: RunId,
    window: Window<ArtifactId>,
) -> Result<Listed<Artifact>, DbErr> {
    let select = artifact::Entity::find()
        .filter(artifact::Column::WorkspaceId.eq(workspace.0))
        .filter(artifact::Column::RunId.eq(run.0));
    let read = |row: artifact::Model| {
        let id = row.id;
        Artifact::of(row).ok_or_else(|| DbErr::Custom(format!("the row of file {id} cannot be read")))
    };
    keyset::list(database, select, (&[artifact::Column::Id], false), window, |id| vec![id.0.into()], read).await
}

/// Writes down what was done about a file.
pub(crate) async fn record(database: &Database, context: &Context, done: Done) -> Result<(), DbErr> {
    let mut change = Change::begin(database, context).await?;
    change.record(done);
    change.commit().await
}

//! The small values that a run's rows keep.

use engine::id::RunId;
use engine::value::Digest;
use entity::{node_run, run};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use crate::database::Database;

/// The bytes of a value that a run was given or made, when one of its rows keeps them: not for a blob, and not for a
/// value that only passed through. Whoever asks has found the run in its workspace before.
///
/// # Errors
/// When the database fails.
pub async fn inline(database: &Database, run: RunId, digest: Digest) -> Result<Option<Vec<u8>>, DbErr> {
    let wanted = digest.0.as_slice();
    let row = run::Entity::find_by_id(run.0)
        .select_only()
        .columns([run::Column::InputDigest, run::Column::Input, run::Column::OutputDigest, run::Column::Output])
        .into_tuple::<(Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>)>()
        .one(database.read())
        .await?;
    let Some((input_digest, input, output_digest, output)) = row else { return Ok(None) };
    if input.is_some() && input_digest == wanted {
        return Ok(input);
    }
    if output.is_some() && output_digest.as_deref() == Some(wanted) {
        return Ok(output);
    }
    let found = node_run::Entity::find()
        .select_only()
        .column(node_run::Column::Output)
        .filter(node_run::Column::RunId.eq(run.0))
        .filter(node_run::Column::OutputDigest.eq(wanted))
        .filter(node_run::Column::Output.is_not_null())
        .into_tuple::<Option<Vec<u8>>>()
        .one(database.read())
        .await?;
    Ok(found.flatten())
}

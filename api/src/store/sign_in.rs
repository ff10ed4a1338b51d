//! Sign-ins to services that people began and have not come back from.

use engine::id::{ConnectionId, WorkspaceId};
use engine::time::Timestamp;
use engine::value::Digest;
use entity::connection_sign_in as row;
use runtime::Database;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use super::at;
use crate::service::connection::sign_in::Begun;

/// Keeps what was begun.
pub(crate) async fn insert(database: &Database, workspace: WorkspaceId, begun: &Begun) -> Result<(), DbErr> {
    let new = row::ActiveModel {
        state_digest: Set(begun.state.0.to_vec()),
        workspace_id: Set(workspace.0),
        connection_id: Set(begun.connection.0),
        created_by: Set(begun.by.clone()),
        verifier: Set(begun.verifier.clone()),
        redirect_uri: Set(begun.redirect.clone()),
        expires_at: Set(at(begun.expires)),
    };
    row::Entity::insert(new).exec_without_returning(database.write()).await.map(drop)
}

/// Takes what this person began, which nobody can take again.
pub(crate) async fn take(
    database: &Database,
    workspace: WorkspaceId,
    by: &str,
    state: Digest,
    now: Timestamp,
) -> Result<Option<Begun>, DbErr> {
    let found = row::Entity::find_by_id(state.0.to_vec())
        .filter(row::Column::WorkspaceId.eq(workspace.0))
        .filter(row::Column::CreatedBy.eq(by))
        .filter(row::Column::ExpiresAt.gt(at(now)))
        .one(database.read())
        .await?;
    let Some(found) = found else { return Ok(None) };
    let taken = row::Entity::delete_by_id(found.state_digest.clone()).exec(database.write()).await?;
    Ok((taken.rows_affected == 1).then(|| Begun {
        state,
        connection: ConnectionId(found.connection_id),
        by: found.created_by,
        verifier: found.verifier,
        redirect: found.redirect_uri,
        expires: super::timestamp(found.expires_at),
    }))
}

//! Refresh tokens of connections that people signed in: one process at a time uses one, and keeps what came for it.

use std::time::Duration;

use async_trait::async_trait;
use engine::error::ErrorInfo;
use engine::id::{ConnectionId, SecretId, WorkspaceId};
use entity::{connection, connection_lease as lease, secret};
use futures::future::BoxFuture;
use nodes::connection::{Grants, REFRESH_TOKEN, SecretText};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};
use tokio::time::Instant;

use super::open::{Refs, SecretRef};
use super::{SecretError, Secrets, Slot};
use crate::database::to_column;

/// How long one refreshing may take before others believe that its process is gone.
const LEASE: Duration = Duration::from_secs(60);
/// How often is looked whether another process is done.
const LOOK: Duration = Duration::from_millis(50);

/// The grant of one connection.
pub(super) struct Grant {
    pub(super) secrets: Secrets,
    pub(super) workspace: WorkspaceId,
    pub(super) connection: ConnectionId,
    /// Another one for each time that a person signed in.
    pub(super) secret: SecretId,
    /// Who refreshes.
    pub(super) holder: Uuid,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("connection", &self.connection).finish_non_exhaustive()
    }
}

#[async_trait]
impl Grants for Grant {
    fn id(&self) -> String {
        self.secret.to_string()
    }

    async fn begin(&self, deadline: Instant) -> Result<SecretText, ErrorInfo> {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            if self.take().await.map_err(SecretError::from)? {
                break;
            }
            if Instant::now() >= deadline {
                let message = "another process refreshes the connection's token, and was not done in time";
                return Err(ErrorInfo::transient("OAUTH2_UNAVAILABLE", message));
            }
        }
        // As it is by now: whoever held the lease before may have got a new one.
        let opened = self.secrets.open(self.workspace, self.connection).await?;
        let token = opened.as_ref().and_then(|connection| connection.secret(REFRESH_TOKEN)).cloned();
        token.ok_or_else(|| ErrorInfo::permanent("OAUTH2_SIGN_IN", "the connection is not signed in any more; do that"))
    }

    async fn keep(&self, token: &SecretText) -> Result<(), ErrorInfo> {
        Ok(self.replace(token).await?)
    }

    async fn end(&self) {
        let own = lease::Entity::delete_many()
            .filter(lease::Column::ConnectionId.eq(self.connection.0))
            .filter(lease::Column::Holder.eq(self.holder));
        if let Err(error) = own.exec(self.secrets.0.database.write()).await {
            tracing::warn!(error = %error, connection.id = %self.connection, "a connection's lease stays until it ends by itself");
        }
    }

    fn spawn(&self, job: BoxFuture<'static, ()>) {
        self.secrets.0.tasks.spawn(job);
    }
}

impl Grant {
    /// Takes the lease unless somebody has it.
    async fn take(&self) -> Result<bool, DbErr> {
        let now = self.secrets.0.clock.now();
        let row = lease::ActiveModel {
            connection_id: Set(self.connection.0),
            holder: Set(self.holder),
            until: Set(to_column(now.plus(LEASE))),
        };
        let over = OnConflict::column(lease::Column::ConnectionId)
            .update_columns([lease::Column::Holder, lease::Column::Until])
            .action_and_where(Expr::col((lease::Entity, lease::Column::Until)).lte(to_column(now)))
            .to_owned();
        let rows = lease::Entity::insert(row).on_conflict(over).exec_without_returning(self.secrets.0.database.write());
        Ok(rows.await? == 1)
    }

    /// Puts the new token in the place of the old one. When a person has signed in meanwhile, theirs stays.
    async fn replace(&self, token: &SecretText) -> Result<(), SecretError> {
        let database = &self.secrets.0.database;
        let row = connection::Entity::find_by_id(self.connection.0)
            .filter(connection::Column::WorkspaceId.eq(self.workspace.0))
            .one(database.read())
            .await?;
        let refs = row.as_ref().and_then(|row| serde_json::from_str::<Refs>(&row.secrets).ok());
        let (Some(row), Some(mut refs)) = (row, refs) else { return Ok(()) };
        let Some(place) = refs.get(REFRESH_TOKEN).copied().filter(|place| place.id == self.secret) else {
            return Ok(());
        };
        let next = SecretRef { id: place.id, version: place.version.saturating_add(1) };
        let slot = Slot { connection: self.connection, field: REFRESH_TOKEN, secret: next.id, version: next.version };
        let sealed = self.secrets.workspace_key(self.workspace).await?.seal(slot, token.expose())?;
        refs.insert(REFRESH_TOKEN.to_owned(), next);
        let refs = serde_json::to_string(&refs).map_err(|error| DbErr::Json(error.to_string()))?;

        let write = database.begin_write().await?;
        let replaced = connection::Entity::update_many()
            .col_expr(connection::Column::Secrets, Expr::value(refs))
            .filter(connection::Column::Id.eq(self.connection.0))
            .filter(connection::Column::Secrets.eq(&row.secrets))
            .exec(&write)
            .await?;
        if replaced.rows_affected == 0 {
            write.rollback().await?;
            return Ok(());
        }
        secret::Entity::update_many()
            .col_expr(secret::Column::Version, Expr::value(next.version))
            .col_expr(secret::Column::WorkspaceKeyId, Expr::value(sealed.workspace_key.0))
            .col_expr(secret::Column::WrappedKey, Expr::value(sealed.wrapped_key))
            .col_expr(secret::Column::Ciphertext, Expr::value(sealed.ciphertext))
            .col_expr(secret::Column::UpdatedAt, Expr::value(to_column(self.secrets.0.clock.now())))
            .filter(secret::Column::Id.eq(next.id.0))
            .exec(&write)
            .await?;
        Ok(write.commit().await?)
    }
}

//! Keys under which a signal is sent at most once.

use engine::id::RunId;
use engine::time::Timestamp;
use engine::value::Digest;
use entity::signal_dedupe as known;
use runtime::Database;
use runtime::journal::NewMessage;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, Set};

use super::at;
use crate::service::run::Sent;

/// A key in a run, and what is sent under it.
#[derive(Debug, Clone)]
pub(crate) struct SignalKey {
    run: RunId,
    key: String,
    digest: Digest,
    expires: Timestamp,
}

impl SignalKey {
    /// The key for this message, until a moment.
    pub(crate) fn of(message: &NewMessage, key: &str, expires: Timestamp) -> Self {
        let digest = Digest::of(message.run.0.as_bytes(), message.body.as_bytes());
        Self { run: message.run, key: key.to_owned(), digest, expires }
    }

    /// What was sent under the key.
    pub(crate) async fn look(&self, database: &Database, now: Timestamp) -> Result<Sent, DbErr> {
        self.standing(database.read(), now).await
    }

    /// Takes the key within a transaction that sends the message; [`Sent::Nothing`] when it was free.
    pub(crate) async fn take(&self, write: &impl ConnectionTrait, now: Timestamp) -> Result<Sent, DbErr> {
        let expired = known::Entity::delete_many()
            .filter(known::Column::RunId.eq(self.run.0))
            .filter(known::Column::Key.eq(self.key.as_str()))
            .filter(known::Column::ExpiresAt.lte(at(now)));
        expired.exec(write).await?;
        let row = known::ActiveModel {
            run_id: Set(self.run.0),
            key: Set(self.key.clone()),
            message_digest: Set(self.digest.0.to_vec()),
            expires_at: Set(at(self.expires)),
        };
        let once = OnConflict::columns([known::Column::RunId, known::Column::Key]).do_nothing().to_owned();
        match known::Entity::insert(row).on_conflict(once).exec_without_returning(write).await? {
            1 => Ok(Sent::Nothing),
            _ => self.standing(write, now).await,
        }
    }

    async fn standing(&self, reader: &impl ConnectionTrait, now: Timestamp) -> Result<Sent, DbErr> {
        let found = known::Entity::find_by_id((self.run.0, self.key.clone())).one(reader).await?;
        Ok(match found.filter(|row| row.expires_at > at(now)) {
            None => Sent::Nothing,
            Some(row) if row.message_digest == self.digest.0 => Sent::This,
            Some(_) => Sent::Another,
        })
    }
}

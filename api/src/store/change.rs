//! One transaction of a use case: what it changes, who did it, and what readers are told, together or not at all.

use runtime::Database;
use sea_orm::{DatabaseTransaction, DbErr};

use super::{audit, outbox};
use crate::service::audit::{Context, Done};

/// A transaction with its audit.
pub(crate) struct Change {
    write: DatabaseTransaction,
    context: Context,
    done: Vec<Done>,
}

impl Change {
    /// Begins; nothing but SQL may be awaited from here to the end.
    pub(crate) async fn begin(database: &Database, context: &Context) -> Result<Self, DbErr> {
        Ok(Self { write: database.begin_write().await?, context: context.clone(), done: Vec::new() })
    }

    /// What the statements of the change run on.
    pub(crate) fn connection(&self) -> &DatabaseTransaction {
        &self.write
    }

    /// Who changes it, and when.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Says what was done. It is written with the commit, so that the lock that numbers audit rows is held shortly.
    pub(crate) fn record(&mut self, done: Done) {
        self.done.push(done);
    }

    /// Writes down what was done and commits. A change that did nothing leaves no trace.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let Self { write, context, done } = self;
        for done in done.iter().filter(|done| done.action.is_told()) {
            outbox::push(&write, &context, done).await?;
        }
        if !done.is_empty() {
            audit::insert(&write, &context, &done).await?;
        }
        write.commit().await?;
        context.committed();
        Ok(())
    }

    /// Takes everything back.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.write.rollback().await
    }
}

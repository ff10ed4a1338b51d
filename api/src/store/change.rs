//! One transaction of a use case: what it changes, who did it, and what readers are told, together or not at all.

use runtime::Database;
use sea_orm::{DatabaseTransaction, DbErr};

use super::{access, audit, outbox};
use crate::service::audit::{Context, Done};

/// A transaction with its audit.
pub(crate) struct Change {
    write: DatabaseTransaction,
    context: Context,
    done: Vec<Done>,
    /// Whose rights are others from the commit on.
    touched: Vec<String>,
}

impl Change {
    /// Begins; nothing but SQL may be awaited from here to the end.
    pub(crate) async fn begin(database: &Database, context: &Context) -> Result<Self, DbErr> {
        Ok(Self {
            write: database.begin_write().await?,
            context: context.clone(),
            done: Vec::new(),
            touched: Vec::new(),
        })
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

    /// Says whose rights end or change: the id of a key, a session, a person, or of the whole workspace. What is open
    /// under them anywhere asks again within a second.
    pub(crate) fn touch(&mut self, subject: impl ToString) {
        self.touched.push(subject.to_string());
    }

    /// Writes down what was done and commits. A change that did nothing leaves no trace.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        let Self { write, context, done, touched } = self;
        for done in done.iter().filter(|done| done.action.is_told()) {
            outbox::push(&write, &context, done).await?;
        }
        if !done.is_empty() {
            audit::insert(&write, &context, &done).await?;
        }
        if !touched.is_empty() {
            let subjects = touched.iter().map(|subject| (context.new_id().0, subject.clone())).collect();
            access::insert(&write, subjects, context.at).await?;
        }
        write.commit().await?;
        context.committed();
        if !touched.is_empty() {
            context.touched();
        }
        Ok(())
    }

    /// Takes everything back.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.write.rollback().await
    }
}

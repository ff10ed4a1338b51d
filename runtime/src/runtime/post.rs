//! Messages to runs: posted by anybody, read by the owner.

use engine::id::{InboxId, RunId, WorkspaceId};
use engine::scope::Scope;
use sea_orm::DatabaseTransaction;
use serde_json::Value;

use super::{PostError, Runtime};
use crate::journal::{NewMessage, Posted};
use crate::message::{self, Message, Says};

/// What a person says about an UNCERTAIN node run.
#[derive(Debug, Clone, PartialEq)]
pub enum PersonSays {
    /// Do it again with the same key.
    Retry,
    /// It happened, with this result.
    Succeed(Value),
    /// It failed.
    Fail,
}

impl Runtime {
    /// A wish to stop, to be posted within a transaction.
    pub fn cancel_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        reason: &str,
        force: bool,
        by: &str,
    ) -> NewMessage {
        let message = Message::Cancel { reason: reason.to_owned(), force, by: by.to_owned() };
        self.message(workspace, run, &message, by)
    }

    /// A signal, to be posted within a transaction; what it carries is durable when this returns.
    ///
    /// # Errors
    /// When what it carries cannot be kept.
    pub async fn signal_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        name: &str,
        key: &str,
        payload: &Value,
        by: &str,
    ) -> Result<NewMessage, PostError> {
        let payload = self.carried(workspace, payload).await?;
        let message = Message::Signal { name: name.to_owned(), key: key.to_owned(), payload };
        Ok(self.message(workspace, run, &message, by))
    }

    /// What a person says about an UNCERTAIN node run, to be posted within a transaction; its result is durable when
    /// this returns.
    ///
    /// # Errors
    /// When its result cannot be kept.
    pub async fn resolve_message(
        &self,
        workspace: WorkspaceId,
        run: RunId,
        node: &str,
        scope: &Scope,
        says: PersonSays,
        by: &str,
    ) -> Result<NewMessage, PostError> {
        let says = match says {
            PersonSays::Retry => Says::Retry,
            PersonSays::Succeed(output) => Says::Succeed { output: self.carried(workspace, &output).await? },
            PersonSays::Fail => Says::Fail,
        };
        let message = Message::Resolve { node: node.to_owned(), scope: scope.to_string(), says, by: by.to_owned() };
        Ok(self.message(workspace, run, &message, by))
    }

    /// Posts a message within a transaction of the caller, who tells the bus after its commit.
    ///
    /// # Errors
    /// When the run is not there or has ended, or the database failed.
    pub async fn post_within(&self, write: &DatabaseTransaction, message: &NewMessage) -> Result<(), PostError> {
        match crate::journal::post_on(write, message).await? {
            Posted::Stored => Ok(()),
            Posted::NotFound => Err(PostError::NotFound),
            Posted::Ended => Err(PostError::Ended),
        }
    }

    /// Lets a dead letter of the workspace go on, within a transaction of the caller, who tells the bus after its commit;
    /// `false` when the run is none. With `forgive` it is taken like any other; without, what it did to its processes is
    /// remembered, and a wish to stop it is heeded before anything is begun again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume_within(
        &self,
        write: &DatabaseTransaction,
        workspace: WorkspaceId,
        run: RunId,
        forgive: bool,
    ) -> Result<bool, PostError> {
        Ok(crate::journal::resume_on(write, workspace, run, forgive).await?)
    }

    async fn carried(&self, workspace: WorkspaceId, value: &Value) -> Result<message::Carried, PostError> {
        let tenant = self.0.definitions.tenant(workspace).await?.ok_or(PostError::NotFound)?;
        Ok(message::Carried::from(&self.0.values.keep(&tenant, value.clone()).await?))
    }

    fn message(&self, workspace: WorkspaceId, run: RunId, message: &Message, by: &str) -> NewMessage {
        NewMessage {
            workspace,
            run,
            id: InboxId(self.0.clock.new_id()),
            kind: message.kind().to_owned(),
            // A message is plain data and always serializes.
            body: serde_json::to_string(message).unwrap_or_default(),
            created_by: by.to_owned(),
            at: self.0.clock.now(),
        }
    }
}

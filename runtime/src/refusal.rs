//! Starts that are refused leave an event with the reason, as those leave one that are not.

use engine::id::{TriggerEventId, VersionId, WorkflowId, WorkspaceId};
use engine::value::ValueRef;
use sea_orm::DbErr;
use serde_json::Value;

use crate::arrival::{self, Arrival};
use crate::blob::BlobError;
use crate::definition::DefinitionError;
use crate::runtime::{Runtime, StartError, StartRun, TriggerKind};
use crate::value::ValueError;

/// What a start was for, without what it carried.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    workspace: WorkspaceId,
    workflow: WorkflowId,
    version: Option<VersionId>,
    environment: String,
    node: String,
    kind: TriggerKind,
    key: Option<String>,
}

impl Asked {
    pub(crate) fn of(start: &StartRun) -> Self {
        Self {
            workspace: start.workspace,
            workflow: start.workflow,
            version: start.version,
            environment: start.environment.clone(),
            node: start.trigger_node.clone(),
            kind: start.kind,
            key: start.idempotency_key.clone(),
        }
    }
}

/// What a refused start carried.
pub(crate) enum Carried<'a> {
    /// A value that was not looked at yet.
    Value(&'a Value),
    /// A value that is kept.
    Kept(ValueRef),
}

/// Why there will be no run: a code, `: `, and a sentence. `None` for a start that may go well another time.
pub(crate) fn reason(error: &StartError) -> Option<String> {
    let code = match error {
        StartError::Journal(_) | StartError::Stopping => return None,
        StartError::Definition(DefinitionError::Database(_)) => return None,
        StartError::Value(ValueError::Database(_) | ValueError::Blob(BlobError::Database(_))) => return None,
        StartError::KeyReused => "KEY_REUSED",
        StartError::TriggerMissing(_) => "TRIGGER_MISSING",
        StartError::InputInvalid(_) => "INPUT_INVALID",
        StartError::Value(_) => "INPUT_UNUSABLE",
        StartError::Definition(_) => "DEFINITION_UNUSABLE",
        StartError::Refused(_) => "DATA_REFUSED",
        StartError::Quota(_) => "QUOTA_EXCEEDED",
    };
    Some(format!("{code}: {error}"))
}

impl Runtime {
    /// Leaves an event for a start that was refused before it came here, such as one whose version may not run. That it
    /// cannot be written is logged: the start is refused all the same.
    pub async fn refused(&self, start: &StartRun, reason: &str) {
        let asked = Asked::of(start);
        self.note(&asked, Carried::Value(&start.input), reason.to_owned()).await;
    }

    /// Leaves an event for a start that failed for good at a trigger that is there.
    pub(crate) async fn note_refusal(&self, asked: &Asked, carried: Carried<'_>, error: &StartError) {
        // Senders of webhooks repeat themselves with other headers: whoever took the call tells whether it is a repeat.
        let is_repeat = matches!(error, StartError::KeyReused) && asked.kind == TriggerKind::Webhook;
        if is_repeat || matches!(error, StartError::TriggerMissing(_)) {
            return;
        }
        if let Some(reason) = reason(error) {
            self.note(asked, carried, reason).await;
        }
    }

    async fn note(&self, asked: &Asked, carried: Carried<'_>, reason: String) {
        if let Err(error) = self.try_note(asked, carried, reason).await {
            let workflow = asked.workflow;
            tracing::warn!(error = %error, workflow.id = %workflow, "a refused start of {workflow} left no event");
        }
    }

    async fn try_note(&self, asked: &Asked, carried: Carried<'_>, reason: String) -> Result<(), DbErr> {
        let Some(tenant) = self.definitions().tenant(asked.workspace).await? else { return Ok(()) };
        let (payload, keeps_payload) = match carried {
            Carried::Kept(kept) => (kept, true),
            // What was too large to be kept is known by its address alone.
            Carried::Value(value) => match self.values().keep(&tenant, value.clone()).await {
                Ok(kept) => (kept, true),
                Err(_) => (ValueRef::of(&tenant.salt, value).0, false),
            },
        };
        let arrival = Arrival {
            id: TriggerEventId(self.clock().new_id()),
            workspace: asked.workspace,
            workflow: asked.workflow,
            environment: asked.environment.clone(),
            node: asked.node.clone(),
            kind: asked.kind,
            version: asked.version,
            reason: Some(reason),
            payload,
            keeps_payload,
            dedupe_key: asked.key.clone(),
            binding: None,
            tick: None,
            source: None,
            depth: 0,
            backfill: None,
            at: self.now(),
        };
        let write = self.engine_database().begin_write().await?;
        arrival::insert(&write, &[arrival]).await?;
        write.commit().await
    }
}

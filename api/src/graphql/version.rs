//! Immutable, numbered definitions.

use async_graphql::{Context, ID, Json, Object};
use chrono::{DateTime, Utc};

use super::Result;
use super::request::{Asked as _, time};
use super::workflow::WorkflowObject;
use crate::service::ServiceError;
use crate::service::workflow::{self, Version};

/// One immutable, numbered definition of a workflow.
pub struct VersionObject(pub(super) Version);

/// One immutable, numbered definition of a workflow.
#[Object(name = "Version")]
impl VersionObject {
    /// The id, `ver_…`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Counts from 1 within the workflow.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// SHA-256 of the definition's canonical JSON (RFC 8785), in hex: the same everywhere.
    async fn hash(&self) -> String {
        self.0.hash.to_string()
    }

    /// What its author wrote about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// The document in the form `flowforge/v1`.
    async fn definition(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        Ok(Json(workflow::definition(ctx.app()?, ctx.viewer()?, &self.0).await?))
    }

    /// When it was published.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// Who published it: the id of an API key.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// The workflow.
    async fn workflow(&self, ctx: &Context<'_>) -> Result<WorkflowObject> {
        let found = ctx.reads()?.load_one(self.0.workflow).await?;
        Ok(WorkflowObject(found.ok_or(ServiceError::NotFound { what: "workflow" })?))
    }
}

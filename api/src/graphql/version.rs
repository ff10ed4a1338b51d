//! Immutable, numbered definitions.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::Result;
use super::request::{Asked as _, time};
use super::workflow::WorkflowObject;
use crate::service::ServiceError;
use crate::service::version::{self, VersionNode};
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

    /// Its nodes by key, with what their results depend on.
    #[graphql(complexity = "20 + 20 * child_complexity")]
    async fn nodes(&self, ctx: &Context<'_>) -> Result<Vec<VersionNodeObject>> {
        let nodes = version::nodes(ctx.app()?, ctx.viewer()?, &self.0).await?;
        Ok(nodes.into_iter().map(VersionNodeObject::from).collect())
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

/// A node of a version, without its settings.
#[derive(SimpleObject)]
#[graphql(name = "VersionNode")]
pub struct VersionNodeObject {
    /// Its key in the definition.
    key: String,
    /// Its node type, such as `http.request@1`.
    r#type: String,
    /// SHA-256 over what that type promised when the version was published: config schema and ports.
    type_digest: Option<String>,
    /// SHA-256 over the node's settings, its type's digest and the hashes of all nodes before it. As long as it is the
    /// same, the same inputs give the same result, and a retried run may take the result over.
    hash: Option<String>,
}

impl From<VersionNode> for VersionNodeObject {
    fn from(node: VersionNode) -> Self {
        Self {
            key: node.key,
            r#type: node.node_type,
            type_digest: node.type_digest.map(|digest| digest.to_string()),
            hash: node.hash.map(|hash| hash.to_string()),
        }
    }
}

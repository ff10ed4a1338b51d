//! Immutable, numbered definitions.

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use engine::definition::Edge;
use engine::definition::diff::{self, Difference};

use super::Result;
use super::request::{Asked as _, id, time};
use super::workflow::WorkflowObject;
use crate::service::ServiceError;
use crate::service::signature::{self, Signature};
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

    /// Who vouches for it; null when it was published without a master key. The server checks it before anything of the
    /// version runs, and refuses with `SIGNATURE_INVALID`.
    #[graphql(complexity = "10 + child_complexity")]
    async fn signature(&self, ctx: &Context<'_>) -> Result<Option<SignatureObject>> {
        let found = signature::of(ctx.app()?, ctx.viewer()?, &self.0).await?;
        Ok(found.map(SignatureObject::from))
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

/// An Ed25519 signature (RFC 8032) of a version, with all it takes to check it elsewhere.
#[derive(SimpleObject)]
#[graphql(name = "Signature")]
pub struct SignatureObject {
    /// The id of the workspace's key.
    key_id: ID,
    /// The public key, 32 bytes in hex.
    public_key: String,
    /// What was signed, as UTF-8: canonical JSON of the version's ids, number, definition hash, node types, author and
    /// time.
    statement: String,
    /// The signature, 64 bytes in hex.
    value: String,
    /// Whether the server finds it right.
    is_valid: bool,
}

impl From<Signature> for SignatureObject {
    fn from(signature: Signature) -> Self {
        Self {
            key_id: signature.key.into(),
            public_key: hex::encode(&signature.public_key),
            statement: String::from_utf8_lossy(&signature.statement).into_owned(),
            value: hex::encode(&signature.value),
            is_valid: signature.is_valid,
        }
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

/// What happened to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "NodeChange", remote = "diff::NodeChange")]
pub enum NodeChangeName {
    /// It is only in the newer version.
    Added,
    /// It is only in the older version.
    Removed,
    /// It is in both, and not the same.
    Changed,
}

/// A node that is not the same in two versions.
#[derive(SimpleObject)]
pub struct NodeDifference {
    /// Its key.
    key: String,
    /// What happened to it.
    change: NodeChangeName,
    /// Its fields that differ; none for one that was added or removed.
    fields: Vec<FieldDifference>,
}

/// A place whose values differ.
#[derive(SimpleObject)]
pub struct FieldDifference {
    /// JSON pointer: inside the node, or inside the definition.
    path: String,
    /// What the older version has there; null also when it has nothing.
    from: Option<Json<serde_json::Value>>,
    /// What the newer version has there; null also when it has nothing.
    to: Option<Json<serde_json::Value>>,
}

impl From<diff::FieldDifference> for FieldDifference {
    fn from(field: diff::FieldDifference) -> Self {
        Self { path: field.path, from: field.from.map(Json), to: field.to.map(Json) }
    }
}

/// An edge as the definition writes it, with its ports.
#[derive(SimpleObject)]
pub struct EdgeEnds {
    /// Where it leaves: `node.port`.
    from: String,
    /// Where it arrives: `node.port`.
    to: String,
}

impl From<Edge> for EdgeEnds {
    fn from(edge: Edge) -> Self {
        Self { from: edge.from, to: edge.to }
    }
}

/// What is different between two versions. What only spells out a default is no difference.
#[derive(SimpleObject)]
pub struct VersionDifference {
    /// Nodes that are not the same, by key.
    nodes: Vec<NodeDifference>,
    /// Edges that only the newer version has.
    edges_added: Vec<EdgeEnds>,
    /// Edges that only the older version has.
    edges_removed: Vec<EdgeEnds>,
    /// What differs beside nodes and edges.
    fields: Vec<FieldDifference>,
}

impl From<Difference> for VersionDifference {
    fn from(difference: Difference) -> Self {
        let nodes = difference.nodes.into_iter().map(|node| NodeDifference {
            key: node.key,
            change: node.change.into(),
            fields: node.fields.into_iter().map(Into::into).collect(),
        });
        Self {
            nodes: nodes.collect(),
            edges_added: difference.edges_added.into_iter().map(Into::into).collect(),
            edges_removed: difference.edges_removed.into_iter().map(Into::into).collect(),
            fields: difference.fields.into_iter().map(Into::into).collect(),
        }
    }
}

/// Comparing versions.
#[derive(Default)]
pub struct VersionQuery;

#[Object]
impl VersionQuery {
    /// What is different between two versions; null with NOT_FOUND when either is not there.
    #[graphql(complexity = "50 + child_complexity")]
    async fn diff_versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The older version.")] from: ID,
        #[graphql(desc = "The newer version.")] to: ID,
    ) -> Result<Option<VersionDifference>> {
        let (from, to) = (id(&from, "version")?, id(&to, "version")?);
        Ok(Some(version::difference(ctx.app()?, ctx.viewer()?, from, to).await?.into()))
    }
}

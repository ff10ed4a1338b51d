//! Files of runs.

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use runtime::artifact::Artifact;

use super::Result;
use super::request::{Asked as _, time};
use super::run::RunObject;
use crate::service::run;

/// A file of a run.
#[derive(Clone)]
pub struct ArtifactObject(pub Artifact);

/// A file of a run. Its bytes are at `contentPath`, for whoever may see the run.
#[Object(name = "Artifact")]
impl ArtifactObject {
    /// `art_…`
    pub async fn id(&self) -> ID {
        self.0.handle.id.to_string().into()
    }

    /// What it is called: one part of a path, without control characters.
    async fn name(&self) -> &str {
        self.0.handle.name.as_str()
    }

    /// What whoever sent it said it is; nobody looked.
    async fn media_type(&self) -> &str {
        &self.0.handle.media_type
    }

    /// Bytes.
    async fn size(&self) -> u64 {
        self.0.handle.size
    }

    /// SHA-256 of its bytes, in hex.
    async fn sha256(&self) -> String {
        hex::encode(self.0.handle.sha256)
    }

    /// Where its bytes are, below the server's address.
    async fn content_path(&self) -> String {
        format!("/api/v1/artifacts/{}/content", self.0.handle.id)
    }

    /// The run that it belongs to, and goes with.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<RunObject>> {
        let Some(id) = self.0.run else { return Ok(None) };
        Ok(Some(RunObject(run::get(ctx.app()?, ctx.viewer()?, id).await?)))
    }

    /// The key of the node that kept it; null when the run was started with it.
    async fn node(&self) -> Option<&str> {
        self.0.node.as_deref()
    }

    /// When it was kept.
    async fn created_at(&self) -> DateTime<Utc> {
        time(self.0.created_at)
    }

    /// When it goes; null for with its run.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at.map(time)
    }
}

//! What a version is made of.

use std::collections::BTreeMap;

use engine::definition::Definition;
use engine::definition::diff::{self, Difference};
use engine::graph::hash;
use engine::id::VersionId;
use engine::value::Digest;

use super::workflow::{self, Version, get_version};
use super::{ServiceError, plan};
use crate::app::App;
use crate::auth::{Permission, Viewer};
use crate::store;

/// What the results of a version's nodes depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hashes {
    /// The digest of each node type that is used, by its name.
    pub types: BTreeMap<String, Digest>,
    /// The hash of each node, by its key; see [`hash::node_hashes`].
    pub nodes: BTreeMap<String, Digest>,
}

impl Hashes {
    /// What they are with the node types of this process.
    pub(super) fn of(app: &App, definition: &Definition) -> Self {
        let types = hash::type_digests(definition, app.runtime.registry());
        let nodes = hash::node_hashes(definition, &types);
        Self { types, nodes }
    }
}

/// What is different between two versions.
///
/// # Errors
/// When they may not, or either is not there. The versions may belong to different workflows.
pub async fn difference(
    app: &App,
    viewer: &Viewer,
    from: VersionId,
    to: VersionId,
) -> Result<Difference, ServiceError> {
    let (from, to) = (get_version(app, viewer, from).await?, get_version(app, viewer, to).await?);
    let older = workflow::definition(app, viewer, &from).await?;
    let newer = workflow::definition(app, viewer, &to).await?;
    Ok(diff::between(&older, &newer))
}

/// A node of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionNode {
    /// Its key.
    pub key: String,
    /// `group.name@MAJOR`.
    pub node_type: String,
    /// What that type promised when the version was published.
    pub type_digest: Option<Digest>,
    /// What its result depends on.
    pub hash: Option<Digest>,
}

/// A version's nodes by key.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn nodes(app: &App, viewer: &Viewer, version: &Version) -> Result<Vec<VersionNode>, ServiceError> {
    let hashes = hashes(app, viewer, version).await?;
    let plan = plan::get(app, viewer.workspace, &version.hash).await?;
    let nodes = plan.definition.nodes.iter().map(|(key, node)| VersionNode {
        key: key.clone(),
        node_type: node.r#type.clone(),
        type_digest: hashes.types.get(&node.r#type).copied(),
        hash: hashes.nodes.get(key).copied(),
    });
    Ok(nodes.collect())
}

/// What the results of a version's nodes depended on when it was published. Of versions that were published before
/// this was kept, it is computed with the node types of now.
///
/// # Errors
/// When they may not, or the database cannot be read.
pub async fn hashes(app: &App, viewer: &Viewer, version: &Version) -> Result<Hashes, ServiceError> {
    viewer.require(Permission::Read)?;
    if let Some(kept) = store::version_hashes::find(app.runtime.database(), viewer.workspace, version.id).await? {
        return Ok(kept);
    }
    let plan = plan::get(app, viewer.workspace, &version.hash).await?;
    Ok(Hashes::of(app, &plan.definition))
}

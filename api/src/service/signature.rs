//! Signatures of versions: made when they are published, checked before anything of them runs.
//!
//! They tell a version that was published here from one that somebody wrote into the database. Whoever has the master
//! key as well can sign anything.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use engine::id::{VersionId, WorkspaceId};
use engine::signature::Attested;
use engine::value::Digest;
use runtime::secret::{SecretError, Signer};

use super::ServiceError;
use super::version::Hashes;
use super::workflow::Version;
use crate::app::App;
use crate::auth::{Permission, Scope, Viewer};
use crate::store;

/// More versions than this at once start over with an empty cache.
const MOST: usize = 10_000;

/// Versions whose signatures were right. A version never changes, so that one look a process is enough.
#[derive(Debug, Default)]
pub struct Verified(Mutex<HashSet<Place>>);

/// A version and the definition that its row names: a row that names another one is looked at again.
type Place = (WorkspaceId, VersionId, Digest);

impl Verified {
    fn has(&self, key: Place) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    fn put(&self, key: Place) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(key);
    }
}

/// A version's signature, with all it takes to check it elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key.
    pub key: String,
    /// Its public half, 32 bytes.
    pub public_key: Vec<u8>,
    /// What was signed.
    pub statement: Vec<u8>,
    /// Ed25519, 64 bytes.
    pub value: Vec<u8>,
    /// Whether it is right.
    pub is_valid: bool,
}

/// What signs the workspace's versions; `None` when this installation has no master key.
pub(super) async fn signer(app: &App, workspace: WorkspaceId) -> Result<Option<Signer>, ServiceError> {
    match app.runtime.secrets().workspace_key(workspace).await {
        Ok(key) => Ok(Some(key.signer()?)),
        Err(SecretError::KeyMissing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What a version's signature vouches for.
pub(crate) fn statement(workspace: WorkspaceId, version: &Version, hashes: &Hashes) -> Vec<u8> {
    Attested {
        workspace,
        workflow: version.workflow,
        version: version.id,
        number: version.number,
        definition: version.hash,
        node_types: &hashes.types,
        by: &version.created_by,
        at: version.created_at,
    }
    .bytes()
}

/// A version's signature; `None` when it was published without one.
///
/// # Errors
/// When they may not, the workspace's key does not open here, or the database cannot be read.
pub async fn of(app: &App, viewer: &Viewer, version: &Version) -> Result<Option<Signature>, ServiceError> {
    viewer.require(Permission::Read)?;
    find(app, viewer.workspace, version).await
}

async fn find(app: &App, workspace: WorkspaceId, version: &Version) -> Result<Option<Signature>, ServiceError> {
    let database = app.runtime.database();
    let Some(row) = store::version_signature::find(database, workspace, version.id).await? else { return Ok(None) };
    let hashes = store::version_hashes::find(database, workspace, version.id).await?.unwrap_or_default();
    let statement = statement(workspace, version, &hashes);
    let signer = app.runtime.secrets().signer(workspace).await?;
    let public_key = signer.as_ref().map(|signer| signer.public_key().to_vec()).unwrap_or_default();
    let is_valid = signer
        .as_ref()
        .is_some_and(|signer| signer.id().0 == row.workspace_key_id && signer.verifies(&statement, &row.signature));
    let key = engine::id::WorkspaceKeyId(row.workspace_key_id).to_string();
    Ok(Some(Signature { key, public_key, statement, value: row.signature, is_valid }))
}

/// Goes on only with a version that was published here, with this definition.
///
/// # Errors
/// With [`ServiceError::SignatureInvalid`] when its signature is wrong, or missing where there should be one.
pub(super) async fn require(
    app: &App,
    workspace: WorkspaceId,
    id: VersionId,
    hash: &Digest,
) -> Result<(), ServiceError> {
    if app.verified.has((workspace, id, *hash)) {
        return Ok(());
    }
    let mut found = store::version::by_ids(app.runtime.database(), &Scope::whole(workspace), &[id]).await?;
    let version = found.pop().ok_or(ServiceError::NotFound { what: "version" })?;
    let is_right = match find(app, workspace, &version).await? {
        Some(signature) => signature.is_valid,
        None => {
            let keyed = app.runtime.secrets().keyed_since(workspace).await?;
            // Without a key nobody could have signed it.
            keyed.is_none_or(|since| version.created_at < since) && !app.config.secrets.require_signatures
        }
    };
    if !is_right || version.hash != *hash {
        tracing::error!(version.id = %id, workspace.id = %workspace, "the signature of {id} is wrong or missing");
        return Err(ServiceError::SignatureInvalid { number: version.number });
    }
    app.verified.put((workspace, id, *hash));
    Ok(())
}

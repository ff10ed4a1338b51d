//! Anchors of audits, and finding out whether an audit is what was written.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use engine::audit::{Checker, Fault, anchor};
use engine::id::{WorkspaceId, WorkspaceKeyId};
use engine::time::Timestamp;
use engine::value::Digest;
use runtime::Database;
use runtime::secret::{SecretError, Secrets, Signer};

use super::ServiceError;
use crate::app::App;
use crate::store;

/// How often it is looked whether a day has no anchor yet.
const ANCHORED_EVERY: Duration = Duration::from_secs(600);

/// That an audit went so far, signed by the workspace's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The number of the last row.
    pub seq: i64,
    /// Its hash.
    pub hash: Digest,
    /// Which key signed.
    pub key: WorkspaceKeyId,
    /// Ed25519, 64 bytes.
    pub signature: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

impl Anchor {
    fn is_of(&self, signer: &Signer) -> bool {
        let statement = anchor(self.workspace, self.seq, &self.hash, self.at);
        signer.id() == self.key && signer.verifies(&statement, &self.signature)
    }
}

/// What came of looking at an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many rows were looked at and right.
    pub rows: i64,
    /// How many anchors were looked at and right.
    pub anchors: usize,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

/// What was kept of an audit outside the database: an anchor of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The number of a row.
    pub seq: i64,
    /// The hash that it had.
    pub hash: Digest,
}

/// Looks at the whole audit of a workspace: each row, its head, every anchor, and what somebody kept of it.
///
/// # Errors
/// When the database cannot be read, or the workspace's key does not open here.
pub async fn verify(
    database: &Database,
    secrets: &Secrets,
    workspace: WorkspaceId,
    kept: &[Remembered],
) -> Result<Verdict, ServiceError> {
    // The head first: rows that are added meanwhile only make the chain longer.
    let head = store::audit_chain::head(database, workspace).await?;
    let anchors = store::audit_chain::anchors(database, workspace).await?;
    let signer = if anchors.is_empty() { None } else { secrets.signer(workspace).await? };
    let mut known: BTreeMap<i64, Vec<(String, Digest)>> = BTreeMap::new();
    let (mut rows, mut fault) = (0, None);
    for (day, anchor) in &anchors {
        let name = format!("the anchor of {day}");
        if !signer.as_ref().is_some_and(|signer| anchor.is_of(signer)) {
            fault = fault.or(Some(Fault::Forged { known: name.clone() }));
            continue;
        }
        known.entry(anchor.seq).or_default().push((name, anchor.hash));
    }
    for remembered in kept {
        known.entry(remembered.seq).or_default().push(("the export".to_owned(), remembered.hash));
    }
    if let Some((seq, hash)) = head.and_then(|head| head.hash.map(|hash| (head.seq, hash))) {
        known.entry(seq).or_default().push(("the head".to_owned(), hash));
    }
    let walked = store::audit_chain::walk(database, workspace, |seq, hash| {
        let told = known.get(&seq).into_iter().flatten().find(|(_, told)| hash != Some(told));
        match told {
            Some((known, _)) => Err(Fault::Rewritten { seq, known: known.clone() }),
            None => {
                rows = seq;
                Ok(())
            }
        }
    });
    let found = walked.await?.and_then(|checker: Checker| {
        let gone = known.range(checker.seq() + 1..).next_back();
        match gone.and_then(|(_, told)| told.first()) {
            Some((known, _)) => Err(Fault::Truncated { seq: checker.seq() + 1, known: known.clone() }),
            None => Ok(()),
        }
    });
    Ok(Verdict { rows, anchors: anchors.len(), fault: found.err().or(fault) })
}

/// How far the audit goes now, signed; none without a master key, or when nothing was done since there is a chain.
///
/// # Errors
/// When the database cannot be read, or the workspace's key does not open here.
pub async fn sign(app: &App, workspace: WorkspaceId) -> Result<Option<(Anchor, Vec<u8>)>, ServiceError> {
    let head = store::audit_chain::head(app.runtime.database(), workspace).await?;
    let Some((seq, hash)) = head.and_then(|head| head.hash.map(|hash| (head.seq, hash))) else { return Ok(None) };
    signed(app, workspace, seq, hash).await
}

async fn signed(
    app: &App,
    workspace: WorkspaceId,
    seq: i64,
    hash: Digest,
) -> Result<Option<(Anchor, Vec<u8>)>, ServiceError> {
    let signer = match app.runtime.secrets().workspace_key(workspace).await {
        Ok(key) => key.signer()?,
        Err(SecretError::KeyMissing) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let at = app.runtime.now();
    let signature = signer.sign(&anchor(workspace, seq, &hash, at));
    let anchor = Anchor { workspace, seq, hash, key: signer.id(), signature, at };
    Ok(Some((anchor, signer.public_key().to_vec())))
}

/// Anchors each workspace's audit once a day, as long as the process serves. Several processes may do so at once.
pub async fn upkeep(app: &App) {
    loop {
        if let Err(error) = anchor_all(app).await {
            tracing::warn!(error = %error, "the audit could not be anchored; it is tried again in ten minutes");
        }
        tokio::time::sleep(ANCHORED_EVERY).await;
    }
}

/// Anchors what has no anchor of today.
///
/// # Errors
/// When the database failed, or a workspace's key does not open here.
pub async fn anchor_all(app: &App) -> Result<(), ServiceError> {
    let now = DateTime::from_timestamp_micros(app.runtime.now().0).unwrap_or_default();
    let (database, day) = (app.runtime.database(), now.date_naive().to_string());
    for (workspace, head) in store::audit_chain::to_anchor(database, &day).await? {
        let Some(hash) = head.hash else { continue };
        if let Some((anchor, _)) = signed(app, workspace, head.seq, hash).await? {
            store::audit_chain::insert(database, app.runtime.clock().new_id(), &anchor, &day).await?;
        }
    }
    Ok(())
}

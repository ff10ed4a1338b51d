//! Whether the store and the rows are of one mind.

use std::collections::HashSet;

use engine::id::WorkspaceId;
use engine::value::Digest;
use entity::{artifact, blob, blob_ref};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use uuid::Uuid;

use super::objects::{Address, Listed, UNDER_WAY};
use super::sweep::referring;
use super::{BlobError, BlobStore};

/// Rows looked at in one statement.
const AT_ONCE: u64 = 500;
/// Most names of each kind that are told.
const TOLD: usize = 100;

/// What the store has, and what the rows say that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects at their places.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that are being taken, or were left half taken; the sweep deletes those after a day.
    pub under_way: u64,
    /// Blobs that runs or files point to.
    pub in_use: u64,
    /// Names of objects that no row knows; at most 100. They were put there by somebody else, or the database is from an
    /// older backup than the store.
    pub strays: Vec<String>,
    /// Names of objects that something points to and that are not there, or not whole; at most 100. The store is from an
    /// older backup than the database, or somebody deleted in it.
    pub missing: Vec<String>,
}

impl BlobStore {
    /// Looks through all objects and all rows; changes nothing. What is put meanwhile is right whenever it is seen.
    ///
    /// # Errors
    /// When the store or the database fails.
    pub async fn check(&self) -> Result<Checked, BlobError> {
        let mut checked = Checked::default();
        let mut after = None;
        loop {
            let (listed, next) = self.objects.list(after).await?;
            for page in listed.chunks(AT_ONCE as usize) {
                self.look_at(page, &mut checked).await?;
            }
            after = match next {
                Some(next) => Some(next),
                None => break,
            };
        }
        self.look_for(&mut checked).await?;
        Ok(checked)
    }

    /// Which objects no row knows.
    async fn look_at(&self, listed: &[Listed], checked: &mut Checked) -> Result<(), BlobError> {
        let mut digests = Vec::new();
        for Listed { path, size } in listed {
            if path.starts_with(UNDER_WAY) {
                checked.under_way += 1;
                continue;
            }
            checked.objects += 1;
            checked.bytes += size;
            match Address::of_path(path) {
                Some(at) => digests.push((path, at)),
                None => tell(&mut checked.strays, path),
            }
        }
        let wanted = digests.iter().map(|(_, at)| at.digest.0.to_vec());
        let known: HashSet<(Uuid, Vec<u8>)> = blob::Entity::find()
            .select_only()
            .columns([blob::Column::WorkspaceId, blob::Column::Digest])
            .filter(blob::Column::Digest.is_in(wanted))
            .into_tuple()
            .all(self.database.read())
            .await?
            .into_iter()
            .collect();
        for (path, at) in digests {
            if !known.contains(&(at.workspace.0, at.digest.0.to_vec())) && self.objects.size(at).await?.is_some() {
                tell(&mut checked.strays, path);
            }
        }
        Ok(())
    }

    /// Which objects are pointed to and not there.
    async fn look_for(&self, checked: &mut Checked) -> Result<(), BlobError> {
        let of_run = referring(blob_ref::Entity, blob_ref::Column::WorkspaceId, blob_ref::Column::Digest);
        let of_file = referring(artifact::Entity, artifact::Column::WorkspaceId, artifact::Column::Digest);
        let used = Condition::any().add(Expr::exists(of_run)).add(Expr::exists(of_file));
        let mut after: Option<(Uuid, Vec<u8>)> = None;
        loop {
            let mut rows = blob::Entity::find().filter(used.clone());
            if let Some((workspace, digest)) = &after {
                let beyond = blob::Column::WorkspaceId
                    .gt(*workspace)
                    .or(blob::Column::WorkspaceId.eq(*workspace).and(blob::Column::Digest.gt(digest.clone())));
                rows = rows.filter(beyond);
            }
            let rows = rows.order_by_asc(blob::Column::WorkspaceId).order_by_asc(blob::Column::Digest).limit(AT_ONCE);
            let rows = rows.all(self.database.read()).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some((last.workspace_id, last.digest.clone()));
            for row in rows {
                let Ok(digest) = row.digest.clone().try_into() else { continue };
                let at = Address { workspace: WorkspaceId(row.workspace_id), digest: Digest(digest) };
                checked.in_use += 1;
                if self.objects.size(at).await? != u64::try_from(row.size).ok() {
                    tell(&mut checked.missing, &at.path());
                }
            }
        }
    }
}

fn tell(names: &mut Vec<String>, name: &str) {
    if names.len() < TOLD {
        names.push(name.to_owned());
    }
}

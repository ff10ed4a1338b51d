//! Changing the master key while everything runs: only the keys of workspaces are wrapped anew.

use std::collections::BTreeMap;

use engine::id::{WorkspaceId, WorkspaceKeyId};
use entity::workspace_key;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};
use zeroize::Zeroizing;

use super::envelope::{Context, KEY_LEN, Key, damaged};
use super::key::{KeyFault, KeySource, Keyring};
use super::{SecretError, Secrets, file};
use crate::database::to_column;

/// Keys of workspaces read at once.
const BATCH: u64 = 100;

/// A master key that wraps something, or is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// Its id.
    pub id: String,
    /// How many keys of workspaces it wraps.
    pub workspaces: u64,
    /// Whether this process has it.
    pub is_known: bool,
    /// Whether new keys are wrapped by it.
    pub is_current: bool,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that wraps from now on.
    pub current: String,
    /// Whether it was made by this rotation.
    pub is_new: bool,
    /// How many keys of workspaces were wrapped anew.
    pub rewrapped: u64,
}

/// A workspace key in the open.
pub(super) fn unwrap(row: &workspace_key::Model, ring: &Keyring) -> Result<Key, SecretError> {
    let master =
        ring.find(&row.master_key_id).ok_or_else(|| SecretError::KeyUnknown { id: row.master_key_id.clone() })?;
    let context = Context::workspace_key(WorkspaceId(row.workspace_id), WorkspaceKeyId(row.id));
    let broken = || damaged(&format!("the key of {}", WorkspaceId(row.workspace_id)));
    let bytes = master.key().open(&context, &row.wrapped).map_err(|_| broken())?;
    let mut key = Zeroizing::new([0; KEY_LEN]);
    if bytes.len() != KEY_LEN {
        return Err(broken());
    }
    key.copy_from_slice(&bytes);
    Ok(Key::of(key))
}

impl Secrets {
    /// Every master key that wraps something or is at hand.
    ///
    /// # Errors
    /// When the database failed, or the source cannot be read.
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, SecretError> {
        use workspace_key::Column as C;
        let counted: Vec<(String, i64)> = workspace_key::Entity::find()
            .select_only()
            .column(C::MasterKeyId)
            .column_as(C::Id.count(), "workspaces")
            .group_by(C::MasterKeyId)
            .into_tuple()
            .all(self.0.database.read())
            .await?;
        let mut uses: BTreeMap<String, u64> =
            counted.into_iter().map(|(id, count)| (id, u64::try_from(count).unwrap_or_default())).collect();
        // The first start makes its file after it has looked here.
        let not_made = matches!(&self.0.source, KeySource::File { path, make: true } if !path.exists());
        let ring = if not_made { None } else { self.0.source.read()? };
        for key in ring.iter().flat_map(Keyring::all) {
            uses.entry(key.id().to_owned()).or_default();
        }
        let known = |id: &str| ring.as_ref().is_some_and(|ring| ring.find(id).is_some());
        let current = ring.as_ref().map(|ring| ring.current().id());
        let told = |(id, workspaces): (String, u64)| KeyUse {
            is_known: known(&id),
            is_current: current == Some(id.as_str()),
            workspaces,
            id,
        };
        Ok(uses.into_iter().map(told).collect())
    }

    /// Wraps every workspace's key by the first key of the source, after putting a new one there. When the source is no
    /// file, or an earlier rotation did not end, the first key is taken as it is. Nothing stands still meanwhile, and
    /// the older keys stay valid; a rotation that was cut off is ended by the next.
    ///
    /// # Errors
    /// When there is no key, one that is needed is not at hand, or file or database refuse.
    pub async fn rotate(&self) -> Result<Rotation, SecretError> {
        let mut is_new = false;
        if let KeySource::File { path, .. } = &self.0.source {
            let _alone = file::lock(path)?;
            let ring = file::read(path)?;
            let is_open = self.wrapped_otherwise(ring.current().id(), None).await?.is_some();
            if !is_open {
                file::replace(path, &ring.with_new()?)?;
                is_new = true;
            }
        }
        let rewrapped = self.rewrap_all().await?;
        let current = self.load()?.current().id().to_owned();
        tracing::info!(key = current, rewrapped, "{rewrapped} keys of workspaces are wrapped by {current} now");
        Ok(Rotation { current, is_new, rewrapped })
    }

    /// Takes the older keys that wrap nothing any more out of the file; says which.
    ///
    /// # Errors
    /// When the source is no file, or file or database refuse.
    pub async fn remove_old(&self) -> Result<Vec<String>, SecretError> {
        let KeySource::File { path, .. } = &self.0.source else { return Err(KeyFault::NotInAFile.into()) };
        let _alone = file::lock(path)?;
        let uses = self.key_uses().await?;
        let needed = |id: &str| uses.iter().any(|key| key.id == id && key.workspaces > 0);
        let (ring, gone) = file::read(path)?.without_older(needed);
        if !gone.is_empty() {
            file::replace(path, &ring)?;
        }
        Ok(gone)
    }

    /// Wraps by the current key what another one wraps. Each row by itself: a reader finds the old or the new form.
    pub(super) async fn rewrap_all(&self) -> Result<u64, SecretError> {
        let ring = self.load()?;
        let (mut rewrapped, mut after) = (0, None);
        while let Some(rows) = self.wrapped_otherwise(ring.current().id(), after).await? {
            for row in rows {
                after = Some(row.id);
                rewrapped += u64::from(self.rewrap(&row, &ring).await?);
            }
        }
        Ok(rewrapped)
    }

    async fn wrapped_otherwise(
        &self,
        current: &str,
        after: Option<sea_orm::prelude::Uuid>,
    ) -> Result<Option<Vec<workspace_key::Model>>, SecretError> {
        use workspace_key::Column as C;
        let mut select = workspace_key::Entity::find().filter(C::MasterKeyId.ne(current));
        if let Some(after) = after {
            select = select.filter(C::Id.gt(after));
        }
        let rows = select.order_by_asc(C::Id).limit(BATCH).all(self.0.database.read()).await?;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// `false` when another process did it first.
    async fn rewrap(&self, row: &workspace_key::Model, ring: &Keyring) -> Result<bool, SecretError> {
        use workspace_key::Column as C;
        let key = unwrap(row, ring)?;
        let context = Context::workspace_key(WorkspaceId(row.workspace_id), WorkspaceKeyId(row.id));
        let updated = workspace_key::Entity::update_many()
            .col_expr(C::Wrapped, Expr::value(ring.current().key().seal(&context, key.bytes())?))
            .col_expr(C::MasterKeyId, Expr::value(ring.current().id()))
            .col_expr(C::WrappedAt, Expr::value(to_column(self.0.clock.now())))
            .filter(C::Id.eq(row.id))
            .filter(C::MasterKeyId.eq(&row.master_key_id))
            .exec(self.0.database.write())
            .await?;
        Ok(updated.rows_affected == 1)
    }
}

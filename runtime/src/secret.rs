//! Secrets: encrypted in the database, in the open only inside one call.
//!
//! Three layers. Each value is encrypted by a key of its own; that key by the key of its workspace; and this by a master
//! key, which lies outside the database. Every layer is bound to where it belongs (workspace, connection, field, id,
//! version), so that a row which was moved or put back does not open.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use engine::error::ErrorInfo;
use engine::id::{ConnectionId, SecretId, WorkspaceId, WorkspaceKeyId};
use entity::workspace_key;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _};

use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::database::{Database, to_column};

mod envelope;
mod file;
mod grant;
mod key;
mod open;
mod pepper;
pub mod redact;
mod rotate;
mod sign;

pub use self::key::{KeyFault, KeySource, new_key};
pub use self::open::{Place, Refs, SecretRef};
pub use self::pepper::{Pepper, Use};
pub use self::rotate::{KeyUse, Rotation};
pub use self::sign::Signer;

use self::envelope::{Context, Key};
use self::key::Keyring;

/// Why a secret cannot be kept or had. No message holds a part of a secret or of a key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nobody told this installation a master key.
    #[error(
        "there is no master key: set FLOWFORGE__SECRETS__MASTER_KEY_FILE (or …__MASTER_KEY) to the same key in every \
         process; `flowforge secret new-key` makes one"
    )]
    KeyMissing,
    /// The default key file is gone, and there are secrets that only its key opens.
    #[error("{path} is not there, and secrets exist that only its key opens; put it back from a backup")]
    KeyFileGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// This process has other keys than the one that is needed.
    #[error(
        "this needs the master key {id}, which this process does not have; give every process the same key, and keep an \
         old one until `flowforge secret rotate-master` is done"
    )]
    KeyUnknown {
        /// The key's id.
        id: String,
    },
    /// A key cannot be read.
    #[error(transparent)]
    KeyInvalid(#[from] KeyFault),
    /// A row was changed, moved or put back by something else than FlowForge.
    #[error("{what} does not open: its row was changed, moved, or put back from an older state; set the secret anew")]
    Damaged {
        /// Which.
        what: String,
    },
    /// No such connection in the project and environment.
    #[error("there is no connection `{name}` in the environment `{environment}` of the run's project; create it")]
    ConnectionMissing {
        /// What the node calls it.
        name: String,
        /// Where it was looked for.
        environment: String,
    },
    /// The connection is of a type that the node does not take.
    #[error("the connection `{name}` is of type `{kind}`; this node takes {fits}")]
    ConnectionTypeMismatch {
        /// What the node calls it.
        name: String,
        /// The connection's type.
        kind: String,
        /// The types that would fit.
        fits: String,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The database failed.
    #[error("the database does not answer")]
    Database(#[from] DbErr),
}

impl SecretError {
    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyMissing | Self::KeyFileGone { .. } => "MASTER_KEY_MISSING",
            Self::KeyUnknown { .. } => "MASTER_KEY_UNKNOWN",
            Self::KeyInvalid(_) => "MASTER_KEY_INVALID",
            Self::Damaged { .. } => "SECRET_INTEGRITY",
            Self::ConnectionMissing { .. } => "CONNECTION_UNKNOWN",
            Self::ConnectionTypeMismatch { .. } => "CONNECTION_NOT_ACCEPTED",
            Self::Random(_) | Self::Database(_) => "SECRET_STORE_UNAVAILABLE",
        }
    }
}

impl From<SecretError> for ErrorInfo {
    fn from(error: SecretError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match error {
            SecretError::Damaged { .. }
            | SecretError::ConnectionMissing { .. }
            | SecretError::ConnectionTypeMismatch { .. } => Self::permanent(code, message),
            // Nothing was sent, and an operator or a moment may mend it.
            SecretError::KeyMissing
            | SecretError::KeyFileGone { .. }
            | SecretError::KeyUnknown { .. }
            | SecretError::KeyInvalid(_)
            | SecretError::Random(_)
            | SecretError::Database(_) => Self::transient(code, message),
        }
    }
}

/// The secrets of an installation, as far as this process has their keys. Cheap to clone.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    database: Database,
    clock: Clock,
    source: KeySource,
    ring: RwLock<Option<Arc<Keyring>>>,
    /// Workspace keys that were unwrapped. Wrapping one anew does not change it.
    workspace_keys: Mutex<HashMap<(WorkspaceId, WorkspaceKeyId), Arc<Key>>>,
    /// Refreshing that must not end where it stands.
    tasks: TaskTracker,
}

/// A workspace's key, ready to seal.
pub struct WorkspaceKey {
    id: WorkspaceKeyId,
    workspace: WorkspaceId,
    key: Arc<Key>,
}

/// Which value of which field: what its encryption is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// The connection.
    pub connection: ConnectionId,
    /// Its field.
    pub field: &'a str,
    /// The secret.
    pub secret: SecretId,
    /// Rises with each new value.
    pub version: i32,
}

/// An encrypted value, as a row keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The workspace key that `wrapped_key` is wrapped by.
    pub workspace_key: WorkspaceKeyId,
    /// The value's own key.
    pub wrapped_key: Vec<u8>,
    /// The value.
    pub ciphertext: Vec<u8>,
}

impl Secrets {
    /// The secrets of this database under the master keys of this source.
    pub fn new(database: Database, clock: Clock, source: KeySource) -> Self {
        let (ring, workspace_keys, tasks) = (RwLock::new(None), Mutex::default(), TaskTracker::new());
        Self(Arc::new(Inner { database, clock, source, ring, workspace_keys, tasks }))
    }

    /// Waits for what is under way, before the database is closed.
    pub(crate) async fn settle(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Makes the default key file at the first start, and finds out whether every secret that is there can be opened
    /// by the keys that this process was given.
    ///
    /// # Errors
    /// When a key is missing, unknown or unreadable; such a process must not start.
    pub async fn prepare(&self) -> Result<(), SecretError> {
        let used = self.key_uses().await?;
        if let KeySource::File { path, make: true } = &self.0.source
            && !path.exists()
        {
            if !used.is_empty() {
                return Err(SecretError::KeyFileGone { path: path.clone() });
            }
            file::make(path)?;
            tracing::info!(path = %path.display(), "made a master key in {}; keep a copy apart", path.display());
        }
        if used.is_empty() && matches!(self.0.source, KeySource::None) {
            return Ok(());
        }
        self.load()?;
        match used.into_iter().find(|key| !key.is_known) {
            Some(key) => Err(SecretError::KeyUnknown { id: key.id }),
            None => Ok(()),
        }
    }

    /// The key that new secrets of a workspace are sealed under. Made at the first use.
    ///
    /// # Errors
    /// When there is no master key, or the database failed.
    pub async fn workspace_key(&self, workspace: WorkspaceId) -> Result<WorkspaceKey, SecretError> {
        let row = match self.find_workspace_key(workspace).await? {
            Some(row) => row,
            None => self.make_workspace_key(workspace).await?,
        };
        let key = self.unwrapped(&row)?;
        Ok(WorkspaceKey { id: WorkspaceKeyId(row.id), workspace, key })
    }

    async fn find_workspace_key(&self, workspace: WorkspaceId) -> Result<Option<workspace_key::Model>, DbErr> {
        let here = workspace_key::Column::WorkspaceId.eq(workspace.0);
        workspace_key::Entity::find().filter(here).one(self.0.database.read()).await
    }

    async fn make_workspace_key(&self, workspace: WorkspaceId) -> Result<workspace_key::Model, SecretError> {
        // The file may have got a newer key meanwhile.
        let ring = self.load()?;
        let master = ring.current();
        let (id, now) = (WorkspaceKeyId(self.0.clock.new_id()), to_column(self.0.clock.now()));
        let key = Key::draw()?;
        let row = workspace_key::ActiveModel {
            id: Set(id.0),
            workspace_id: Set(workspace.0),
            master_key_id: Set(master.id().to_owned()),
            wrapped: Set(master.key().seal(&Context::workspace_key(workspace, id), key.bytes())?),
            created_at: Set(now),
            wrapped_at: Set(now),
        };
        // Whoever comes second takes the key of whoever came first.
        let once = OnConflict::column(workspace_key::Column::WorkspaceId).do_nothing().to_owned();
        workspace_key::Entity::insert(row).on_conflict(once).exec_without_returning(self.0.database.write()).await?;
        // A rotation that ended between the two reads of the file has not seen this row.
        if self.load()?.current().id() != master.id() {
            self.rewrap_all().await?;
        }
        let made = self.find_workspace_key(workspace).await?;
        made.ok_or_else(|| DbErr::RecordNotFound(format!("the key of {workspace}")).into())
    }

    /// A workspace key in the open.
    fn unwrapped(&self, row: &workspace_key::Model) -> Result<Arc<Key>, SecretError> {
        let place = (WorkspaceId(row.workspace_id), WorkspaceKeyId(row.id));
        if let Some(key) = self.kept().get(&place) {
            return Ok(Arc::clone(key));
        }
        let ring = self.ring_with(&row.master_key_id)?;
        let key = Arc::new(rotate::unwrap(row, &ring)?);
        self.kept().insert(place, Arc::clone(&key));
        Ok(key)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(WorkspaceId, WorkspaceKeyId), Arc<Key>>> {
        self.0.workspace_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, one of which has this id. The source is read again before it is said to be unknown.
    fn ring_with(&self, id: &str) -> Result<Arc<Keyring>, SecretError> {
        let kept = self.0.ring.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ring) = kept.filter(|ring| ring.find(id).is_some()) {
            return Ok(ring);
        }
        let ring = self.load()?;
        if ring.find(id).is_some() { Ok(ring) } else { Err(SecretError::KeyUnknown { id: id.to_owned() }) }
    }

    /// Reads the source.
    fn load(&self) -> Result<Arc<Keyring>, SecretError> {
        let ring = Arc::new(self.0.source.read()?.ok_or(SecretError::KeyMissing)?);
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ring));
        Ok(ring)
    }
}

impl WorkspaceKey {
    /// Encrypts a value for its place; nowhere else does it open.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, slot: Slot<'_>, value: &str) -> Result<Sealed, SecretError> {
        let own = Key::draw()?;
        Ok(Sealed {
            workspace_key: self.id,
            wrapped_key: self.key.seal(&Context::own_key(self.workspace, self.id, slot), own.bytes())?,
            ciphertext: own.seal(&Context::value(self.workspace, slot), value.as_bytes())?,
        })
    }
}

#[cfg(test)]
mod tests;

//! Definitions as this process runs them: read once, checked against their hash and against the node types here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::definition::{Definition, canonical};
use engine::graph::Graph;
use engine::id::WorkspaceId;
use engine::value::Digest;
use nodes::Registry;
use sea_orm::EntityTrait;
use serde_json::Value;

use crate::database::Database;
use crate::value::Tenant;

/// Most definitions kept; all are dropped when more come.
const MOST_KEPT: usize = 1_000;

/// Why a definition cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// There is none of this hash in the workspace.
    #[error("there is no definition {0}")]
    Missing(Digest),
    /// Its text does not have the hash that it is known by.
    #[error("definition {0} was changed after it was published")]
    Changed(Digest),
    /// This process lacks a node type, or rules that it was published under.
    #[error("definition {hash} cannot be run here: {reason}")]
    Unknown {
        /// Which.
        hash: Digest,
        /// Why.
        reason: String,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// What was loaded, by workspace and hash.
type Graphs = HashMap<(WorkspaceId, Digest), (Arc<Graph>, Tenant)>;

/// The definitions of all workspaces.
#[derive(Clone)]
pub struct Definitions {
    database: Database,
    registry: Registry,
    graphs: Arc<Mutex<Graphs>>,
    /// A workspace's salt never changes.
    tenants: Arc<Mutex<HashMap<WorkspaceId, Tenant>>>,
}

impl Definitions {
    /// Reads from this database, for these node types.
    pub fn new(database: Database, registry: Registry) -> Self {
        Self { database, registry, graphs: Arc::default(), tenants: Arc::default() }
    }

    /// A definition, ready to run, and the workspace it belongs to.
    ///
    /// # Errors
    /// When it is not there, was changed, or needs what this process does not have.
    pub async fn get(&self, workspace: WorkspaceId, hash: Digest) -> Result<(Arc<Graph>, Tenant), DefinitionError> {
        let key = (workspace, hash);
        if let Some(found) = self.graphs.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(found.clone());
        }
        let db = self.database.read();
        let row = entity::definition::Entity::find_by_id((workspace.0, hash.0.to_vec())).one(db).await?;
        let row = row.ok_or(DefinitionError::Missing(hash))?;
        let tenant = self.tenant(workspace).await?.ok_or(DefinitionError::Missing(hash))?;
        let unknown = |reason: String| DefinitionError::Unknown { hash, reason };
        let document: Value = serde_json::from_str(&row.document).map_err(|error| unknown(error.to_string()))?;
        if canonical::hash(&document) != hash {
            return Err(DefinitionError::Changed(hash));
        }
        let definition = Definition::from_json(&document).map_err(|problem| unknown(problem.message))?;
        let graph = Graph::check(&definition, &self.registry).map_err(|problems| {
            unknown(problems.first().map_or_else(String::new, |problem| problem.message.clone()))
        })?;
        let found = (Arc::new(graph), tenant);
        let mut graphs = self.graphs.lock().unwrap_or_else(PoisonError::into_inner);
        if graphs.len() >= MOST_KEPT {
            graphs.clear();
        }
        graphs.insert(key, found.clone());
        Ok(found)
    }

    /// A workspace as far as its values are concerned; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenant(&self, workspace: WorkspaceId) -> Result<Option<Tenant>, sea_orm::DbErr> {
        if let Some(tenant) = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace) {
            return Ok(Some(*tenant));
        }
        let row = entity::workspace::Entity::find_by_id(workspace.0).one(self.database.read()).await?;
        let tenant = row.and_then(|row| row.salt.try_into().ok()).map(|salt| Tenant { id: workspace, salt });
        if let Some(tenant) = tenant {
            self.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace, tenant);
        }
        Ok(tenant)
    }
}

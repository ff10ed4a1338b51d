//! What starting and following runs needs of a definition. A definition never changes, so it is read once a process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::definition::Definition;
use engine::id::WorkspaceId;
use engine::sensitive::Sensitive;
use engine::value::Digest;

use super::ServiceError;
use crate::app::App;
use crate::store;

/// More definitions than this at once start over with an empty cache.
const MOST: usize = 500;

/// A definition, read.
#[derive(Debug)]
pub struct Plan {
    /// Node keys in the order that journals number them by.
    pub keys: Arc<[String]>,
    /// The document.
    pub definition: Definition,
    /// What its `input_schema` marks as sensitive.
    pub sensitive: Option<Arc<Sensitive>>,
}

/// Definitions that were used.
#[derive(Debug, Default)]
pub struct PlanCache {
    entries: Mutex<HashMap<(WorkspaceId, Digest), Arc<Plan>>>,
}

impl PlanCache {
    fn find(&self, key: &(WorkspaceId, Digest)) -> Option<Arc<Plan>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: (WorkspaceId, Digest), plan: &Arc<Plan>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.clear();
        }
        entries.insert(key, Arc::clone(plan));
    }
}

/// The definition of this hash.
pub(super) async fn get(app: &App, workspace: WorkspaceId, hash: &Digest) -> Result<Arc<Plan>, ServiceError> {
    let key = (workspace, *hash);
    if let Some(plan) = app.plans.find(&key) {
        return Ok(plan);
    }
    let document = store::definition::find(app.runtime.database(), workspace, hash).await?;
    let document = document.ok_or_else(|| ServiceError::internal(format!("the definition {hash} is missing")))?;
    let definition = Definition::from_json(&document).map_err(|problem| ServiceError::internal(problem.message))?;
    let sensitive = definition.input_schema.as_ref().and_then(Sensitive::of).map(Arc::new);
    let keys = definition.nodes.keys().cloned().collect();
    let plan = Arc::new(Plan { keys, definition, sensitive });
    app.plans.put(key, &plan);
    Ok(plan)
}

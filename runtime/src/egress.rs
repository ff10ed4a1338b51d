//! Which hosts a workspace's nodes may call, of those that the operator lets anybody call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use nodes::outgoing::{AllowedHost, Outgoing};
use sea_orm::DbErr;

use crate::clock::Clock;
use crate::database::Database;
use crate::store;

/// How long a list is believed that another process may have changed.
const BELIEVED: Duration = Duration::from_secs(1);

/// Until when it is believed, and the way out under it.
type Known = HashMap<WorkspaceId, (Timestamp, Outgoing)>;

/// The ways out of workspaces.
pub(crate) struct Egress {
    outgoing: Outgoing,
    database: Database,
    clock: Clock,
    known: Mutex<Known>,
}

impl Egress {
    pub(crate) fn new(outgoing: Outgoing, database: Database, clock: Clock) -> Self {
        Self { outgoing, database, clock, known: Mutex::default() }
    }

    /// The way out of whatever cannot call anybody.
    pub(crate) fn unused(&self) -> Outgoing {
        self.outgoing.within(Arc::default())
    }

    /// The way out of a workspace. One whose list cannot be read has none, rather than the wide one.
    pub(crate) async fn of(&self, workspace: WorkspaceId) -> Result<Outgoing, DbErr> {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned();
        if let Some((until, outgoing)) = known
            && now < until
        {
            return Ok(outgoing);
        }
        let outgoing = match store::egress::find(&self.database, workspace).await? {
            None => self.outgoing.clone(),
            Some(entries) => {
                let hosts: Result<Vec<AllowedHost>, _> = entries.iter().map(|entry| entry.parse()).collect();
                let hosts = hosts.map_err(|error| DbErr::Custom(format!("workspace_egress: {error}")))?;
                self.outgoing.within(hosts.into())
            }
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(workspace, (now.plus(BELIEVED), outgoing.clone()));
        Ok(outgoing)
    }

    /// What was known of a workspace's list holds no more.
    pub(crate) fn forget(&self, workspace: WorkspaceId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }
}

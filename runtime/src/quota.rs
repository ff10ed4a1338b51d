//! What a workspace may use. Every start passes here on its way into the commit that creates it.
//!
//! A process counts before each commit of starts, so that one process never lets one run too many in. Several processes
//! count apart: together they may exceed a bound by what the others commit in that moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use engine::id::WorkspaceId;
use engine::time::Timestamp;
use sea_orm::DbErr;

use crate::clock::Clock;
use crate::database::Database;
use crate::intake::Request;
use crate::runtime::StartError;
use crate::store;

/// How long bounds are believed that another process may have changed.
const BELIEVED: std::time::Duration = std::time::Duration::from_secs(1);
/// The time in which `runs_per_minute` counts.
const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

/// Bounds of a workspace; `None` is without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// Runs that may start within any 60 seconds.
    pub runs_per_minute: Option<u64>,
    /// Runs that may be under way at once. Dead letters are not.
    pub active_runs: Option<u64>,
    /// Largest input of a run, in bytes of canonical JSON.
    pub payload_bytes: Option<u64>,
    /// The longest that code of one node may run.
    pub code_time: Option<std::time::Duration>,
    /// The most memory that code of one node may use, in bytes.
    pub code_memory_bytes: Option<u64>,
}

impl Quota {
    /// Whether any of it is about starts of runs.
    fn bounds_starts(&self) -> bool {
        let Self { runs_per_minute, active_runs, payload_bytes, code_time: _, code_memory_bytes: _ } = self;
        runs_per_minute.is_some() || active_runs.is_some() || payload_bytes.is_some()
    }
}

/// What a workspace uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Runs that started within the last 60 seconds.
    pub runs_last_minute: u64,
    /// Runs under way.
    pub active_runs: u64,
    /// Bytes of values that are kept beside the database.
    pub stored_bytes: u64,
}

/// Runs that started lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Recent {
    pub(crate) runs: u64,
    /// When the first of them started.
    pub(crate) oldest: Option<Timestamp>,
}

/// Which bound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// [`Quota::runs_per_minute`].
    RunsPerMinute,
    /// [`Quota::active_runs`].
    ActiveRuns,
    /// [`Quota::payload_bytes`].
    PayloadBytes,
}

fn refusals(bound: Bound) -> metrics::Counter {
    metrics::counter!(crate::figure::QUOTA_REFUSALS, "quota" => bound.as_str())
}

impl Bound {
    const ALL: [Self; 3] = [Self::RunsPerMinute, Self::ActiveRuns, Self::PayloadBytes];

    /// Its name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunsPerMinute => "runsPerMinute",
            Self::ActiveRuns => "activeRuns",
            Self::PayloadBytes => "payloadBytes",
        }
    }
}

/// A start that a bound forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the workspace's quota `{}` is {limit}, and {used} are used", bound.as_str())]
pub struct QuotaExceeded {
    /// Which bound.
    pub bound: Bound,
    /// The bound.
    pub limit: u64,
    /// What is used, or was asked for.
    pub used: u64,
    /// When there is room again, where the clock alone decides.
    pub reset_at: Option<Timestamp>,
    /// The time until then.
    pub retry_after: Option<std::time::Duration>,
}

/// Counts starts against bounds.
pub(crate) struct Quotas {
    database: Database,
    clock: Clock,
    known: Mutex<HashMap<WorkspaceId, (Timestamp, Quota)>>,
}

/// What one commit of starts may still take of a workspace.
struct Room {
    quota: Quota,
    recent: Recent,
    active: u64,
}

impl Quotas {
    pub(crate) fn new(database: Database, clock: Clock) -> Self {
        // Every series is there from the start.
        Bound::ALL.iter().for_each(|bound| refusals(*bound).increment(0));
        Self { database, clock, known: Mutex::default() }
    }

    /// What the workspace uses now.
    pub(crate) async fn usage(&self, workspace: WorkspaceId) -> Result<Usage, DbErr> {
        let recent = store::quota::recent(&self.database, workspace, self.clock.now().minus(MINUTE)).await?;
        Ok(Usage {
            runs_last_minute: recent.runs,
            active_runs: store::quota::active(&self.database, workspace).await?,
            stored_bytes: store::quota::stored_bytes(&self.database, workspace).await?,
        })
    }

    /// What was known of a workspace's bounds holds no more.
    pub(crate) fn forget(&self, workspace: WorkspaceId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }

    /// Those that may start; the others are answered.
    pub(crate) async fn admit(&self, requests: Vec<Request>) -> Vec<Request> {
        let mut rooms: BTreeMap<WorkspaceId, Option<Room>> = BTreeMap::new();
        let mut admitted = Vec::with_capacity(requests.len());
        for request in requests {
            let workspace = request.start.workspace;
            let room = match rooms.entry(workspace) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => new.insert(self.room(workspace).await),
            };
            let Some(exceeded) = room.as_mut().and_then(|room| room.take(&request, self.clock.now())) else {
                admitted.push(request);
                continue;
            };
            if self.is_repeat(&request).await {
                admitted.push(request);
                continue;
            }
            refusals(exceeded.bound).increment(1);
            drop(request.answer.send(Err(StartError::Quota(exceeded))));
        }
        admitted
    }

    /// What is left; `None` without bounds. When it cannot be told, there are none: bounds protect from too much, and
    /// a database that does not answer takes no runs anyway.
    async fn room(&self, workspace: WorkspaceId) -> Option<Room> {
        match self.find_room(workspace).await {
            Ok(room) => room,
            Err(error) => {
                tracing::warn!(error = %error, workspace.id = %workspace, "quotas could not be read and are not held");
                None
            }
        }
    }

    /// The workspace's bounds, as they were within the last second.
    pub(crate) async fn of(&self, workspace: WorkspaceId) -> Result<Quota, DbErr> {
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace).copied();
        match known {
            Some((until, quota)) if now < until => Ok(quota),
            _ => {
                let quota = store::quota::find(&self.database, workspace).await?;
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(workspace, (now.plus(BELIEVED), quota));
                Ok(quota)
            }
        }
    }

    async fn find_room(&self, workspace: WorkspaceId) -> Result<Option<Room>, DbErr> {
        let now = self.clock.now();
        let quota = self.of(workspace).await?;
        if !quota.bounds_starts() {
            return Ok(None);
        }
        let recent = match quota.runs_per_minute {
            Some(_) => store::quota::recent(&self.database, workspace, now.minus(MINUTE)).await?,
            None => Recent::default(),
        };
        let active = match quota.active_runs {
            Some(_) => store::quota::active(&self.database, workspace).await?,
            None => 0,
        };
        Ok(Some(Room { quota, recent, active }))
    }

    /// A start that repeats an earlier one makes no run.
    async fn is_repeat(&self, request: &Request) -> bool {
        let Some(key) = &request.start.idempotency_key else { return false };
        let (workspace, workflow) = (request.start.workspace, request.start.workflow.0);
        let found = store::quota::is_known(&self.database, workspace, workflow, key, self.clock.now()).await;
        found.unwrap_or_default()
    }
}

impl Room {
    /// Takes the place of one run, or says which bound forbids it.
    fn take(&mut self, request: &Request, now: Timestamp) -> Option<QuotaExceeded> {
        self.place(request.input.len, now).err()
    }

    fn place(&mut self, payload: u64, now: Timestamp) -> Result<(), QuotaExceeded> {
        let Quota { runs_per_minute, active_runs, payload_bytes, .. } = self.quota;
        if let Some(limit) = payload_bytes.filter(|limit| payload > *limit) {
            return Err(QuotaExceeded {
                bound: Bound::PayloadBytes,
                limit,
                used: payload,
                reset_at: None,
                retry_after: None,
            });
        }
        if let Some(limit) = runs_per_minute.filter(|limit| self.recent.runs >= *limit) {
            let reset_at = self.recent.oldest.unwrap_or(now).plus(MINUTE);
            return Err(QuotaExceeded {
                bound: Bound::RunsPerMinute,
                limit,
                used: self.recent.runs,
                reset_at: Some(reset_at),
                retry_after: Some(reset_at.since(now)),
            });
        }
        if let Some(limit) = active_runs.filter(|limit| self.active >= *limit) {
            return Err(QuotaExceeded {
                bound: Bound::ActiveRuns,
                limit,
                used: self.active,
                reset_at: None,
                retry_after: None,
            });
        }
        self.recent.runs += 1;
        self.recent.oldest.get_or_insert(now);
        self.active += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn room(quota: Quota) -> Room {
        Room { quota, recent: Recent { runs: 1, oldest: Some(NOW.minus(MINUTE / 2)) }, active: 1 }
    }

    #[test]
    fn a_run_too_many_is_told_when_the_minute_has_room_again() {
        let mut room = room(Quota { runs_per_minute: Some(2), ..Quota::default() });
        assert_eq!(room.place(10, NOW), Ok(()));
        let refused = room.place(10, NOW).unwrap_err();
        assert_eq!((refused.bound, refused.limit, refused.used), (Bound::RunsPerMinute, 2, 2));
        assert_eq!(refused.reset_at, Some(NOW.plus(MINUTE / 2)));
    }

    #[test]
    fn an_input_too_large_takes_no_place() {
        let mut room = room(Quota { payload_bytes: Some(10), active_runs: Some(2), ..Quota::default() });
        assert_eq!(room.place(11, NOW).unwrap_err().bound, Bound::PayloadBytes);
        assert_eq!(room.place(10, NOW), Ok(()));
        assert_eq!(room.place(10, NOW).unwrap_err().bound, Bound::ActiveRuns);
    }
}

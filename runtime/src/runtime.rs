//! The handle that everything outside works with.

mod error;
mod kind;
mod life;
mod part;
mod post;
mod read;
mod start;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::id::{WorkerId, WorkspaceId};
use nodes::Registry;
use nodes::outgoing::Outgoing;
use sea_orm::DbErr;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::error::{OpenError, PostError, ReadError, StartError};
pub use self::kind::{Mode, TriggerKind};
pub use self::part::{Parts, RuntimeConfig};
pub use self::post::PersonSays;
pub use self::start::{StartRun, Started};
use crate::artifact::Artifacts;
use crate::clock::Clock;
use crate::database::Database;
use crate::definition::Definitions;
use crate::driver::{Command, Lease, Owned};
use crate::egress::Egress;
use crate::event::EventBus;
use crate::figure::sample::Sampler;
use crate::intake::Request;
use crate::journal::Journal;
use crate::quota::{Quota, Quotas, Usage};
use crate::role::leader::Leader;
use crate::role::notifier::Notifier;
use crate::role::scheduler::{Gate, Scheduler};
use crate::secret::Secrets;
use crate::trace::Tracer;
use crate::value::Values;

/// Whether a process can work.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether it can start and drive runs now.
    pub can_work: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Runs in memory.
    pub runs: usize,
}

/// A process's part in driving runs. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    worker: WorkerId,
    database: Database,
    outside: Database,
    journal: Arc<dyn Journal>,
    values: Values,
    artifacts: Artifacts,
    bus: EventBus,
    registry: Registry,
    egress: Arc<Egress>,
    secrets: Secrets,
    clock: Clock,
    definitions: Definitions,
    owned: Arc<Owned>,
    sampler: Sampler,
    lease: Arc<Lease>,
    lease_for: Option<Duration>,
    intake: mpsc::Sender<Request>,
    quotas: Arc<Quotas>,
    driver: Option<mpsc::UnboundedSender<Command>>,
    tracker: TaskTracker,
    /// What leads, and hands that on when it stops.
    leading: TaskTracker,
    tracer: Tracer,
    /// Set once every end of a run was told of.
    told: CancellationToken,
    stop_taking: CancellationToken,
    stop_beating: CancellationToken,
    grace: Duration,
}

impl Drop for Inner {
    /// The heartbeat has a thread of its own, which nothing else ends when a process drops its part without stopping it.
    fn drop(&mut self) {
        self.stop_beating.cancel();
    }
}

impl Runtime {
    /// Fires schedules and tells triggers what happens inside from now on, unless this process drives nothing. Several
    /// processes may: one leads, and each start is decided once whoever does it.
    pub fn watch_clock(&self, gate: Gate) {
        let inner = &self.0;
        if inner.driver.is_some() {
            let leader = Leader::new(inner.database.clone(), "schedules", inner.worker, inner.lease_for);
            let scheduler = Scheduler { runtime: self.clone(), gate };
            inner.leading.spawn(scheduler.run(leader, inner.stop_taking.clone()));
        }
    }

    /// Tells people and programs outside of runs from now on, unless this process drives nothing. One process at a time.
    pub fn tell_outside(&self) {
        let inner = &self.0;
        if inner.driver.is_some() {
            let leader = Leader::new(inner.database.clone(), "notifications", inner.worker, inner.lease_for);
            let notifier = Notifier { runtime: self.clone() };
            inner.leading.spawn(notifier.run(leader, inner.stop_taking.clone()));
        }
    }

    /// Decides once what is due now: ticks, what happened inside, and starts that wait. How much there was of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fire_due(&self, gate: Gate) -> Result<u64, DbErr> {
        Scheduler { runtime: self.clone(), gate }.look().await
    }

    /// What the workspace may use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quota(&self, workspace: WorkspaceId) -> Result<Quota, DbErr> {
        crate::store::quota::find(&self.0.database, workspace).await
    }

    /// What the workspace uses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn usage(&self, workspace: WorkspaceId) -> Result<Usage, DbErr> {
        self.0.quotas.usage(workspace).await
    }

    /// To be called after a change of the workspace's quota; other processes hear of it within a second.
    pub fn quota_changed(&self, workspace: WorkspaceId) {
        self.0.quotas.forget(workspace);
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.0.definitions
    }

    pub(crate) fn values(&self) -> &Values {
        &self.0.values
    }

    pub(crate) fn journal(&self) -> &dyn Journal {
        self.0.journal.as_ref()
    }

    /// Who is told of commits.
    pub fn bus(&self) -> &EventBus {
        &self.0.bus
    }

    /// The node types.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The workspace's way out: what the installation's policy allows, and of that what the workspace's own list names.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub async fn outgoing_of(&self, workspace: WorkspaceId) -> Result<Outgoing, DbErr> {
        self.0.egress.of(workspace).await
    }

    /// The hosts that the workspace's own list names; `None` when it has no list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allowed_hosts(&self, workspace: WorkspaceId) -> Result<Option<Vec<String>>, DbErr> {
        crate::store::egress::find(&self.0.database, workspace).await
    }

    /// To be called after a change of the workspace's list; other processes hear of it within a second.
    pub fn allowed_hosts_changed(&self, workspace: WorkspaceId) {
        self.0.egress.forget(workspace);
    }

    /// The files of runs.
    pub fn artifacts(&self) -> &Artifacts {
        &self.0.artifacts
    }

    /// What connections hide.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// Where everything is kept, for those outside: on PostgreSQL a task sees nothing before it says for whom it works
    /// (see [`wall`](crate::database::wall)).
    #[expect(clippy::misnamed_getters, reason = "the engine's own handle reaches every workspace")]
    pub fn database(&self) -> &Database {
        &self.0.outside
    }

    /// The same for the engine, which works for every workspace.
    pub(crate) fn engine_database(&self) -> &Database {
        &self.0.database
    }

    /// The clock, which also draws ids.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Now.
    pub fn now(&self) -> engine::time::Timestamp {
        self.0.clock.now()
    }

    /// Whether this process can work.
    pub fn health(&self) -> Health {
        let mut reasons = Vec::new();
        if !self.0.lease.holds() {
            reasons.push("the database has taken no heartbeat of this process in time".to_owned());
        }
        if !self.0.owned.journal_answers.load(Ordering::Relaxed) {
            reasons.push("the last write to the database got no answer".to_owned());
        }
        if self.0.stop_taking.is_cancelled() {
            reasons.push("the process is stopping".to_owned());
        }
        Health { can_work: reasons.is_empty(), reasons, runs: self.0.owned.len() }
    }

    /// Brings the figures up to date that are read rather than counted, unless that was done a moment ago.
    pub async fn sample(&self) {
        self.0.sampler.sample().await;
    }

    /// Who is told of spans.
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }
}

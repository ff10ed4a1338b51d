//! Takes runs that nobody drives: new ones, dormant ones with a reason to wake, and those of processes that are lost.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::catalog::EffectClass;
use engine::drive::{Input, LoadedRun};
use engine::error::ErrorInfo;
use engine::graph::Graph;
use engine::id::{InboxId, RunId, WorkerId};
use engine::run::Run;
use engine::run::event::Event;
use engine::run::state::NodeRunState;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::crash;
use crate::database::Database;
use crate::definition::Definitions;
use crate::driver::{Command, Owned};
use crate::executor::Place;
use crate::figure::Figures;
use crate::journal::{Journal, JournalError, WorkerState};
use crate::message::Message;
use crate::trace::{Facts, Tracer};

/// From this many adoptions in a row without progress, a run that was computing when its process was lost is parked.
const POISONED_FROM: u32 = 5;
/// Most runs taken in one statement.
const AT_ONCE: u32 = 200;

pub(crate) struct Taker {
    pub(crate) database: Database,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) owner: WorkerId,
    pub(crate) owned: Arc<Owned>,
    pub(crate) driver: UnboundedSender<Command>,
    pub(crate) definitions: Definitions,
    pub(crate) bus: crate::event::EventBus,
    pub(crate) clock: Clock,
    pub(crate) figures: Arc<Figures>,
    pub(crate) tracer: Tracer,
    /// How long another's heartbeat may stand still; `None` when no other process can live (one folder, one process).
    pub(crate) lease: Option<Duration>,
    /// Most runs in memory.
    pub(crate) most_runs: usize,
    /// How often it looks without being told.
    pub(crate) every: Duration,
    pub(crate) stop: CancellationToken,
}

/// Another process's heartbeat as seen from here, by the own monotonic clock.
struct Seen {
    beat: i64,
    since: Instant,
}

/// Runs of this process that its memory does not have.
#[derive(Default)]
struct Orphans {
    looked_at: Option<Instant>,
    missing: BTreeSet<RunId>,
}

/// How often they are looked for. They are rare: a commit without an answer makes them.
const ORPHANS_EVERY: Duration = Duration::from_secs(2);

impl Taker {
    pub(crate) async fn run(self) {
        let mut ready = self.bus.subscribe_ready();
        let mut others: HashMap<WorkerId, Seen> = HashMap::new();
        let mut looked_at: Option<Instant> = None;
        let mut orphans = Orphans::default();
        loop {
            let began = Instant::now();
            // After a gap of its own, in which it could not look, it gives everybody a whole lease again.
            if looked_at.is_some_and(|at| began.duration_since(at) > self.every * 4) {
                others.clear();
            }
            let looked = match self.look(&mut others).await {
                Ok(()) => self.reclaim(&mut orphans).await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(()) => looked_at = Some(began),
                Err(error) => {
                    tracing::warn!(error = %error, "runs could not be taken; they are looked for again");
                    looked_at = None;
                    others.clear();
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = ready.recv() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    async fn look(&self, others: &mut HashMap<WorkerId, Seen>) -> Result<(), JournalError> {
        for lost in self.lost(others).await? {
            self.adopt(lost).await?;
        }
        loop {
            let room = u32::try_from(self.most_runs.saturating_sub(self.owned.len())).unwrap_or(u32::MAX).min(AT_ONCE);
            if room == 0 {
                return Ok(());
            }
            let claimed = self.journal.claim(self.owner, self.clock.now(), room).await?;
            let count = claimed.len();
            for run in claimed {
                self.load(run).await?;
            }
            if count < AT_ONCE as usize {
                return Ok(());
            }
        }
    }

    /// The workers whose heartbeat stood still for a whole lease while this process could look.
    async fn lost(&self, others: &mut HashMap<WorkerId, Seen>) -> Result<Vec<WorkerId>, JournalError> {
        let now = Instant::now();
        let mut lost = Vec::new();
        let workers = self.journal.workers().await?;
        others.retain(|id, _| workers.iter().any(|worker| worker.id == *id));
        for worker in workers.into_iter().filter(|worker| worker.id != self.owner) {
            let seen = others.entry(worker.id).or_insert(Seen { beat: worker.beat, since: now });
            if seen.beat != worker.beat {
                *seen = Seen { beat: worker.beat, since: now };
            }
            let is_over = match self.lease {
                None => true,
                Some(_) if worker.state == WorkerState::Stopped => true,
                Some(_) => now.duration_since(seen.since) >= worker.lease,
            };
            if is_over {
                lost.push(worker.id);
            }
        }
        Ok(lost)
    }

    /// Runs that belong to this process in the database and are not in its memory: their taking or creating was
    /// committed and the answer lost. They are driven from what the database says.
    async fn reclaim(&self, orphans: &mut Orphans) -> Result<(), JournalError> {
        if orphans.looked_at.is_some_and(|at| at.elapsed() < ORPHANS_EVERY) {
            return Ok(());
        }
        orphans.looked_at = Some(Instant::now());
        let owned = crate::store::run::owned_by(&self.database, self.owner).await?;
        let missing: BTreeSet<RunId> = owned.into_iter().filter(|run| self.owned.epoch(*run).is_none()).collect();
        // One that was missing a look ago too is not just on its way into memory.
        for run in missing.intersection(&orphans.missing) {
            tracing::warn!(run.id = %run, "{run} belongs to this process and was not driven; it is taken up");
            self.load(*run).await?;
        }
        orphans.missing = missing;
        Ok(())
    }

    async fn adopt(&self, lost: WorkerId) -> Result<(), JournalError> {
        loop {
            let adopted = self.journal.adopt(self.owner, lost, self.clock.now(), AT_ONCE, false).await?;
            let count = adopted.taken.len();
            self.figures.adopted.increment(count as u64);
            for run in adopted.taken {
                tracing::info!(run.id = %run, worker.id = %lost, "{run} is taken over from {lost}");
                self.load(run).await?;
            }
            if count < AT_ONCE as usize {
                break;
            }
        }
        if self.owned.may_take_suspect() {
            let adopted = self.journal.adopt(self.owner, lost, self.clock.now(), 1, true).await?;
            self.figures.adopted.increment(adopted.taken.len() as u64);
            self.figures.parked.increment(adopted.parked.len() as u64);
            for run in adopted.parked {
                tracing::error!(run.id = %run, "{run} was parked: its process was lost again and again without progress");
            }
            for run in adopted.taken {
                tracing::warn!(run.id = %run, "{run} is taken alone: its process was lost twice without progress");
                self.owned.take_suspect(run);
                self.load(run).await?;
            }
        }
        Ok(())
    }

    /// Rebuilds a run and gives it to the driver. One that cannot be rebuilt is put aside, never dropped.
    async fn load(&self, run: RunId) -> Result<(), JournalError> {
        crash::point("after_adoption");
        match self.rebuild(run).await? {
            Ok((place, loaded)) => {
                drop(self.driver.send(Command::Take { place, input: Input::Loaded(Box::new(loaded)) }))
            }
            Err(error) => {
                tracing::error!(run.id = %run, error = %error, "{run} was parked: it cannot be rebuilt here");
                self.figures.parked.increment(1);
                self.journal.park(self.owner, run, &error).await?;
            }
        }
        Ok(())
    }

    async fn rebuild(&self, run: RunId) -> Result<Result<(Place, LoadedRun), ErrorInfo>, JournalError> {
        let loaded = self.journal.load(run).await?;
        let definition = self.definitions.get(loaded.workspace, loaded.definition_hash).await;
        let (graph, tenant) = match definition {
            Ok(found) => found,
            Err(error) => return Ok(Err(ErrorInfo::permanent("RUN_UNREADABLE", error.to_string()))),
        };
        let (replayed, prev) = match crate::rebuild::rebuild(&graph, run, &loaded) {
            Ok(rebuilt) => rebuilt,
            Err(error) => return Ok(Err(ErrorInfo::permanent("RUN_UNREADABLE", error))),
        };
        let cancel = if loaded.adoptions > 0 { self.cancel_in_mail(run, &graph).await? } else { None };
        if loaded.adoptions >= POISONED_FROM
            && cancel.is_none()
            && let Some(node) = computing(&graph, &replayed.run)
        {
            let count = loaded.adoptions;
            let message = format!(
                "{count} processes in a row were lost while they computed `{node}` of this run; it is put aside so that it takes no other with it"
            );
            return Ok(Err(ErrorInfo::permanent("POISONED", message).at_node(node)));
        }
        let input = LoadedRun {
            graph: graph.clone(),
            epoch: loaded.epoch,
            replayed,
            head: loaded.head_seq,
            head_digest: prev,
            adoptions: loaded.adoptions,
            cancel,
        };
        let (workflow, mode) = (loaded.workflow, loaded.mode);
        let facts = || Facts {
            run,
            workspace: loaded.workspace,
            workflow,
            version: loaded.version,
            mode,
            retry_of: loaded.retry_of,
        };
        let trace = self.tracer.run(facts, loaded.trace);
        Ok(Ok((Place { run, workflow, tenant, graph, mode, trace }, input)))
    }

    /// Somebody's wish to stop a run that was lost before. It is heeded before anything is begun again: what a run does
    /// may be what ends its processes.
    async fn cancel_in_mail(&self, run: RunId, graph: &Graph) -> Result<Option<(InboxId, Event)>, JournalError> {
        let mail = self.journal.inbox(&[run]).await?;
        let cancel = mail.into_iter().find_map(|row| {
            let fact = serde_json::from_str::<Message>(&row.body).ok()?.fact(graph)?;
            matches!(fact, Event::CancelRequested { .. }).then_some((row.id, fact))
        });
        Ok(cancel)
    }
}

/// The node that a run was computing in the lost process, with nothing but this process to stop it. From three adoptions
/// on a pure start is durable before the work begins, so the journal names it. A call in flight does not count: it waits.
fn computing<'a>(graph: &'a Graph, run: &Run) -> Option<&'a str> {
    let is_computing = |state: &NodeRunState| {
        matches!(
            state,
            NodeRunState::Running { class: EffectClass::Pure, .. } | NodeRunState::Listing | NodeRunState::Collecting
        )
    };
    let at = run.under_way().find(|at| run.node_run(at).is_some_and(|node| is_computing(&node.state)))?;
    Some(graph.node(at.node)?.key.as_str())
}

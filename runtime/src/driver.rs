//! Carries out what `engine::drive` says: one task that owns the runs of this process and touches nothing that could
//! make it wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::catalog::EffectClass;
use engine::drive::batch::{Batch, FlushOutcome};
use engine::drive::{DriveConfig, Driver, Evicted, HeadSeen, Input, Output, WorkId};
use engine::graph::Graph;
use engine::id::{RunId, WorkerId};
use engine::run::step::Effect;
use engine::time::Timestamp;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::crash;
use crate::event::EventBus;
use crate::executor::{Executor, Place};
use crate::figure::Figures;
use crate::figure::ending::RunEnd;
use crate::journal::Journal;
use crate::runtime::Mode;
use crate::trace::RunTrace;
use crate::work::gather;

/// Most inputs taken before what is pending is committed.
const TURN: usize = 1_024;
/// Longest sleep; the lease is looked at that often.
const LONGEST_SLEEP: Duration = Duration::from_millis(250);
/// Pause before a row is read again whose reading failed.
const READ_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The own heartbeat, as the driver sees it.
#[derive(Debug)]
pub(crate) struct Lease {
    began: Instant,
    /// Milliseconds after `began`.
    last_beat: AtomicU64,
    /// `None` where no other process can take a run.
    limit: Option<Duration>,
}

impl Lease {
    /// A lease that a holder gives up at 60 % of its length, so that it has stopped before anybody takes its runs.
    pub(crate) fn new(lease: Option<Duration>) -> Self {
        Self { began: Instant::now(), last_beat: AtomicU64::new(0), limit: lease.map(|lease| lease * 6 / 10) }
    }

    /// The database has taken a heartbeat that was sent at `sent`.
    pub(crate) fn beaten(&self, sent: Instant) {
        let at = sent.saturating_duration_since(self.began).as_millis();
        self.last_beat.fetch_max(u64::try_from(at).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Whether this process may still write and begin.
    pub(crate) fn holds(&self) -> bool {
        let last = Duration::from_millis(self.last_beat.load(Ordering::SeqCst));
        self.limit.is_none_or(|limit| self.began.elapsed().saturating_sub(last) < limit)
    }
}

/// What the driver is told from outside.
pub(crate) enum Command {
    /// A run that this process drives from now on.
    Take {
        /// Where its values belong.
        place: Place,
        /// [`Input::Created`] or [`Input::Loaded`].
        input: Input,
    },
    /// Anything else that happened.
    Input(Input),
    /// Hand everything back; answered once nothing is left.
    Drain {
        /// Do not wait for work under way.
        force: bool,
        /// Answered when no run is in memory any more.
        done: oneshot::Sender<()>,
    },
}

/// What others may ask about the driver without asking it.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    runs: Mutex<HashMap<RunId, (i64, Arc<Graph>)>>,
    /// The run taken alone because it may end the process, until it gets on.
    suspect: Mutex<Option<RunId>>,
    /// Whether flushes are answered.
    pub(crate) journal_answers: AtomicBool,
}

impl Owned {
    /// The epoch under which a run is driven here.
    pub(crate) fn epoch(&self, run: RunId) -> Option<i64> {
        lock(&self.runs).get(&run).map(|(epoch, _)| *epoch)
    }

    /// The definition of a run that is driven here.
    pub(crate) fn graph(&self, run: RunId) -> Option<Arc<Graph>> {
        lock(&self.runs).get(&run).map(|(_, graph)| graph.clone())
    }

    /// How many runs are driven here.
    pub(crate) fn len(&self) -> usize {
        lock(&self.runs).len()
    }

    /// Whether a suspect may be taken.
    pub(crate) fn may_take_suspect(&self) -> bool {
        lock(&self.suspect).is_none()
    }

    /// Takes a suspect: no other is taken until it gets on.
    pub(crate) fn take_suspect(&self, run: RunId) {
        *lock(&self.suspect) = Some(run);
    }

    fn clear_suspect(&self, run: RunId) {
        let mut suspect = lock(&self.suspect);
        if *suspect == Some(run) {
            *suspect = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Each is a plain map or value that no panic can leave half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parts that a driver works with.
pub(crate) struct Parts {
    pub(crate) owner: WorkerId,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    pub(crate) lease: Arc<Lease>,
    pub(crate) owned: Arc<Owned>,
    pub(crate) tracker: TaskTracker,
    pub(crate) figures: Arc<Figures>,
    /// Where ended runs are told of.
    pub(crate) ends: mpsc::UnboundedSender<RunEnd>,
    pub(crate) most_calls: usize,
    pub(crate) config: DriveConfig,
}

/// A run in memory, with what is counted of it.
struct Held {
    place: Place,
    /// Node runs that settled up to here were counted.
    counted: Timestamp,
    /// The same once the flush under way is committed.
    counting: Timestamp,
    /// How it ended, once a flush carries that.
    end: Option<RunEnd>,
}

/// Whom the node runs of a flush are told to, once it is committed.
struct Telling {
    /// Those that settled up to here were told of.
    since: Timestamp,
    is_counted: bool,
    trace: Option<Arc<RunTrace>>,
}

/// The task.
pub(crate) struct DriverTask {
    parts: Parts,
    driver: Driver,
    held: HashMap<RunId, Held>,
    aborts: HashMap<WorkId, AbortHandle>,
    calls: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<Command>,
    receiver: mpsc::UnboundedReceiver<Command>,
    has_lease: bool,
    draining: Vec<oneshot::Sender<()>>,
}

impl DriverTask {
    /// A driver and the way to talk to it.
    pub(crate) fn new(parts: Parts) -> (Self, mpsc::UnboundedSender<Command>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let task = Self {
            driver: Driver::new(parts.config.clone()),
            held: HashMap::new(),
            aborts: HashMap::new(),
            calls: Arc::new(Semaphore::new(parts.most_calls)),
            sender: sender.clone(),
            receiver,
            has_lease: true,
            draining: Vec::new(),
            parts,
        };
        (task, sender)
    }

    /// Runs until it has been drained.
    pub(crate) async fn run(mut self) {
        let mut out = Vec::new();
        loop {
            let sleep = self.sleep_for();
            tokio::select! {
                command = self.receiver.recv() => {
                    if let Some(command) = command {
                        self.take(command, &mut out);
                    }
                    for _ in 0..TURN {
                        let Ok(command) = self.receiver.try_recv() else { break };
                        self.take(command, &mut out);
                    }
                }
                () = tokio::time::sleep(sleep) => {}
            }
            self.mind_lease(&mut out);
            self.driver.poll(self.parts.clock.now(), &mut out);
            self.carry_out(&mut out);
            self.parts.figures.in_memory.set(self.driver.len() as f64);
            if !self.draining.is_empty() && self.driver.is_empty() {
                // Whoever asked may have stopped waiting; that changes nothing.
                self.draining.drain(..).for_each(|done| {
                    let _ = done.send(());
                });
                return;
            }
        }
    }

    fn sleep_for(&self) -> Duration {
        let now = self.parts.clock.now();
        self.driver.next_poll().map_or(LONGEST_SLEEP, |at| at.since(now)).min(LONGEST_SLEEP)
    }

    fn take(&mut self, command: Command, out: &mut Vec<Output>) {
        let now = self.parts.clock.now();
        match command {
            Command::Take { place, input } => {
                let (run, graph) = (place.run, place.graph.clone());
                let is_taken_over = matches!(input, Input::Loaded(_));
                let counted = match &input {
                    Input::Loaded(loaded) => loaded.replayed.run.last_at(),
                    _ => Timestamp::default(),
                };
                self.held.insert(run, Held { place, counted, counting: counted, end: None });
                self.driver.drive(now, input, out);
                if let Some(epoch) = self.driver.epoch(run) {
                    lock(&self.parts.owned.runs).insert(run, (epoch, graph));
                    // A run that was just created cannot have mail.
                    if is_taken_over {
                        self.parts.bus.read_inbox_here(run);
                    }
                }
            }
            Command::Input(input) => {
                if let Input::Done { work, .. } = &input {
                    self.aborts.remove(work);
                }
                self.driver.drive(now, input, out);
            }
            Command::Drain { force, done } => {
                self.draining.push(done);
                self.driver.drive(now, Input::Drain { force }, out);
            }
        }
    }

    fn mind_lease(&mut self, out: &mut Vec<Output>) {
        let holds = self.parts.lease.holds();
        if std::mem::replace(&mut self.has_lease, holds) != holds {
            if !holds {
                tracing::warn!("the heartbeat is late: nothing is written or begun until it is in time again");
            }
            self.driver.drive(self.parts.clock.now(), if holds { Input::LeaseRegained } else { Input::LeaseLost }, out);
        }
    }

    fn carry_out(&mut self, out: &mut Vec<Output>) {
        let mut committed = Vec::new();
        for output in out.drain(..) {
            match output {
                Output::Flush(batch) => self.flush(batch),
                Output::Start { run, work, effect } => self.start(run, work, effect),
                Output::Abort { work } => {
                    if let Some(abort) = self.aborts.remove(&work) {
                        abort.abort();
                    }
                }
                Output::ReadHeads(runs) => self.read_heads(runs),
                Output::Committed { run, .. } => {
                    if self.driver.has_progressed(run) {
                        self.parts.owned.clear_suspect(run);
                    }
                    if let Some(held) = self.held.get_mut(&run) {
                        held.counted = held.counting;
                    }
                    committed.push(run);
                }
                Output::Evicted { run, why } => self.evicted(run, why),
            }
        }
        if !committed.is_empty() {
            self.parts.bus.publish_runs(&committed);
        }
    }

    /// Notes of each run what the flush tells: how it ended, and whom its settled node runs are told to. A run that nobody
    /// is told of has nothing.
    fn note_flush(&mut self, batch: &Batch) -> Vec<Option<Telling>> {
        let mut telling = Vec::with_capacity(batch.runs.len());
        for flush in &batch.runs {
            let Some(held) = self.held.get_mut(&flush.run) else {
                telling.push(None);
                continue;
            };
            if let Some(finished_at) = flush.row.finished_at {
                held.end = Some(RunEnd {
                    run: flush.run,
                    workspace: held.place.tenant.id,
                    workflow: held.place.workflow,
                    mode: held.place.mode,
                    status: flush.row.status,
                    started_at: flush.row.started_at.unwrap_or(finished_at),
                    finished_at,
                    error: flush.row.error.as_ref().map(|error| error.code.clone()),
                    trace: held.place.trace.clone(),
                    tally: self.driver.run(flush.run).map(|(run, _)| run.tally()).unwrap_or_default(),
                });
            }
            let is_counted = held.place.mode == Mode::Live;
            let trace = held.place.trace.as_ref().filter(|trace| trace.is_told()).cloned();
            let tells = is_counted || trace.is_some();
            telling.push(tells.then_some(Telling { since: held.counted, is_counted, trace }));
            let latest = flush.node_runs.iter().filter_map(|row| row.finished_at).max();
            held.counting = held.counted.max(latest.unwrap_or_default());
        }
        telling
    }

    fn flush(&mut self, batch: Batch) {
        let telling = self.note_flush(&batch);
        let figures = self.parts.figures.clone();
        let (journal, sender, owned) = (self.parts.journal.clone(), self.sender.clone(), self.parts.owned.clone());
        let owner = self.parts.owner;
        self.parts.tracker.spawn(async move {
            let began = Instant::now();
            let events = batch.runs.iter().map(|run| run.head - run.expected_head).sum();
            crash::point("before_flush");
            let answer = journal.flush(owner, &batch).await;
            crash::point("after_flush");
            owned.journal_answers.store(answer.is_ok(), Ordering::Relaxed);
            figures.flushed(events, began.elapsed());
            let input = match answer {
                Ok(outcomes) => {
                    tell(&figures, &batch, &telling, &outcomes);
                    Input::Flushed { batch: batch.id, outcomes }
                }
                Err(error) => {
                    tracing::warn!(error = %error, runs = batch.runs.len(), "the outcome of a flush is unknown; its runs stand still until it is known");
                    Input::FlushUnknown { batch: batch.id }
                }
            };
            // The driver is gone only when the process ends.
            drop(sender.send(Command::Input(input)));
        });
    }

    fn start(&mut self, run: RunId, work: WorkId, effect: Effect) {
        let is_call = matches!(&effect, Effect::Attempt { class, .. } if *class != EffectClass::Pure);
        let task = self.driver.run(run).and_then(|(state, graph)| gather(graph, state, effect));
        let (Some(task), Some(place)) = (task, self.held.get(&run).map(|held| held.place.clone())) else {
            tracing::error!(run.id = %run, "{run} asks for work that its definition does not have");
            return;
        };
        let (executor, sender, calls) = (self.parts.executor.clone(), self.sender.clone(), self.calls.clone());
        if place.mode == Mode::Live {
            self.parts.figures.attempts.increment(1);
        }
        let handle = self.parts.tracker.spawn(async move {
            // Pure work only computes; calls wait for the outside, and there are only so many sockets.
            let _permit = if is_call { calls.acquire_owned().await.ok() } else { None };
            let fact = executor.execute(&place, task).await;
            if is_call {
                crash::point("before_result");
            }
            drop(sender.send(Command::Input(Input::Done { run, work, fact })));
        });
        self.aborts.insert(work, handle.abort_handle());
    }

    fn read_heads(&self, runs: Vec<RunId>) {
        let (journal, sender, owner) = (self.parts.journal.clone(), self.sender.clone(), self.parts.owner);
        let epochs: Vec<(RunId, Option<i64>)> = runs.iter().map(|run| (*run, self.driver.epoch(*run))).collect();
        self.parts.tracker.spawn(async move {
            let heads = loop {
                match journal.heads(&runs).await {
                    Ok(heads) => break heads,
                    Err(error) => {
                        tracing::warn!(error = %error, "the database does not answer; its runs stand still");
                        tokio::time::sleep(READ_AGAIN_AFTER).await;
                    }
                }
            };
            for (run, epoch) in epochs {
                let head = heads.iter().find(|head| head.run == run);
                let seen = head.map(|head| HeadSeen {
                    ours: head.owner == Some(owner) && Some(head.epoch) == epoch,
                    head: head.head_seq,
                    digest: head.head_digest,
                });
                drop(sender.send(Command::Input(Input::Head { run, seen })));
            }
        });
    }

    fn evicted(&mut self, run: RunId, why: Evicted) {
        let end = self.held.remove(&run).and_then(|held| held.end);
        lock(&self.parts.owned.runs).remove(&run);
        self.parts.owned.clear_suspect(run);
        match why {
            // Whoever tells of it is gone only when the process ends.
            Evicted::Finished => end.into_iter().for_each(|end| drop(self.parts.ends.send(end))),
            Evicted::Dormant => {}
            Evicted::Released => self.parts.bus.notify_ready(),
            Evicted::Lost => tracing::warn!(run.id = %run, "{run} belongs to another process now"),
            Evicted::Parked => {
                self.parts.figures.parked.increment(1);
                tracing::error!(run.id = %run, "{run} was parked: the database cannot take its data");
            }
            Evicted::Defect(error) => {
                self.parts.figures.parked.increment(1);
                tracing::error!(run.id = %run, error = %error, "{run} was parked: the rules cannot take a fact of it");
                let (journal, owner) = (self.parts.journal.clone(), self.parts.owner);
                self.parts.tracker.spawn(async move {
                    let error = engine::error::ErrorInfo::permanent("RUN_DEFECT", error.to_string());
                    if let Err(error) = journal.park(owner, run, &error).await {
                        tracing::error!(run.id = %run, error = %error, "{run} could not be parked");
                    }
                });
            }
        }
    }
}

/// Counts the node runs that a flush settled, and tells their traces of them.
fn tell(figures: &Figures, batch: &Batch, telling: &[Option<Telling>], outcomes: &[(RunId, FlushOutcome)]) {
    for (at, flush) in batch.runs.iter().enumerate() {
        // Outcomes come in the order of the batch, as far as a journal can keep it.
        let outcome = outcomes.get(at).filter(|(run, _)| *run == flush.run);
        let outcome = outcome.or_else(|| outcomes.iter().find(|(run, _)| *run == flush.run));
        let is_committed = outcome.is_some_and(|(_, outcome)| *outcome == FlushOutcome::Committed);
        let Some(Telling { since, is_counted, trace }) = telling.get(at).and_then(Option::as_ref) else { continue };
        if is_committed && *is_counted {
            figures.settled(&flush.node_runs, *since);
        }
        if let Some(trace) = trace.as_ref().filter(|_| is_committed) {
            trace.settled(&flush.node_runs, *since);
        }
    }
}

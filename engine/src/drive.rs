//! Many runs on one process, without I/O.
//!
//! [`Driver`] takes what happened ([`Input`]) and says what to do ([`Output`]). It decides what goes into which commit,
//! holds every effect back until its barrier is durable, and knows after any failure which runs are still its own.
//! Production and the simulator carry out the same outputs.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::graph::Graph;
use crate::id::{InboxId, RunId};
use crate::run::event::{Event, NodeRunRef};
use crate::run::replay::Replayed;
use crate::run::step::Effect;
use crate::run::{Run, StepError};
use crate::time::Timestamp;
use crate::value::Digest;

pub mod batch;
mod driven;
mod flush;

use batch::{Batch, BatchId, FlushOutcome};
use driven::Driven;

/// When to commit and what to keep in memory.
#[derive(Debug, Clone)]
pub struct DriveConfig {
    /// How long a result that nobody waits for may stay in memory before it is committed.
    pub linger: Duration,
    /// So many events are committed without waiting longer.
    pub most_waiting: usize,
    /// Most events of one commit; keeps a statement's size within bounds.
    pub most_events: usize,
    /// A run that waits longer than this leaves memory.
    pub dormant_after: Duration,
    /// From this many adoptions in a row a run is driven with every step durable before the next.
    pub cautious_from: u32,
}

impl Default for DriveConfig {
    fn default() -> Self {
        Self {
            linger: Duration::from_millis(5),
            most_waiting: 256,
            most_events: 4_096,
            dormant_after: Duration::from_secs(30),
            cautious_from: 3,
        }
    }
}

/// One piece of work that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub u64);

/// A run that was just committed and belongs to this process.
#[derive(Debug)]
pub struct CreatedRun {
    /// Its id.
    pub id: RunId,
    /// Its definition.
    pub graph: Arc<Graph>,
    /// The owner's epoch.
    pub epoch: i64,
    /// When it was created.
    pub at: Timestamp,
    /// The [`Event::RunCreated`] in its first record.
    pub created: Event,
    /// That record's digest.
    pub head_digest: Digest,
}

/// A run that was taken over and rebuilt from its journal.
#[derive(Debug)]
pub struct LoadedRun {
    /// Its definition.
    pub graph: Arc<Graph>,
    /// The owner's epoch, after taking it.
    pub epoch: i64,
    /// What its journal holds.
    pub replayed: Replayed,
    /// Seq of the last event in its journal.
    pub head: u64,
    /// Digest of the last record.
    pub head_digest: Digest,
    /// How often in a row it was taken from a lost process without progress.
    pub adoptions: u32,
    /// A wish to stop it that waits in its inbox: heeded before anything is begun again.
    pub cancel: Option<(InboxId, Event)>,
}

/// What the fence of a run looks like in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSeen {
    /// Whether owner and epoch are still ours.
    pub ours: bool,
    /// Seq of the last event.
    pub head: u64,
    /// Digest of the last record.
    pub digest: Digest,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Intake committed a run for this process to drive.
    Created(Box<CreatedRun>),
    /// A run was taken over.
    Loaded(Box<LoadedRun>),
    /// A message was found in a run's inbox.
    Inbox {
        /// The run.
        run: RunId,
        /// The epoch under which the inbox was read.
        epoch: i64,
        /// The message.
        id: InboxId,
        /// What it says.
        fact: Event,
    },
    /// Work ended with this fact.
    Done {
        /// The run.
        run: RunId,
        /// The work.
        work: WorkId,
        /// What it found.
        fact: Event,
    },
    /// A flush was answered.
    Flushed {
        /// Which.
        batch: BatchId,
        /// How it ended for each run.
        outcomes: Vec<(RunId, FlushOutcome)>,
    },
    /// A flush failed without an answer: it may or may not have happened, or may still happen.
    FlushUnknown {
        /// Which.
        batch: BatchId,
    },
    /// What [`Output::ReadHeads`] asked for; `None` when the run is not there any more.
    Head {
        /// The run.
        run: RunId,
        /// What its row says.
        seen: Option<HeadSeen>,
    },
    /// The own heartbeat is late: nothing may be written or begun.
    LeaseLost,
    /// The heartbeat is in time again.
    LeaseRegained,
    /// Stop in good order: begin nothing, hand every run back.
    Drain {
        /// Do not wait for work under way.
        force: bool,
    },
}

/// Why a run left memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evicted {
    /// It has ended.
    Finished,
    /// It waits for a later time or a message.
    Dormant,
    /// It was handed back.
    Released,
    /// Somebody else owns it.
    Lost,
    /// The database could not take its data; it was parked.
    Parked,
    /// The rules could not take a fact; it is to be parked.
    Defect(StepError),
}

/// What to do.
#[derive(Debug)]
pub enum Output {
    /// Commit this and answer with [`Input::Flushed`] or [`Input::FlushUnknown`]. One at a time.
    Flush(Batch),
    /// Begin this work and answer with [`Input::Done`].
    Start {
        /// The run.
        run: RunId,
        /// The work.
        work: WorkId,
        /// What to do.
        effect: Effect,
    },
    /// Stop this work; no answer is wanted.
    Abort {
        /// The work.
        work: WorkId,
    },
    /// Read the rows of these runs and answer with [`Input::Head`] for each.
    ReadHeads(Vec<RunId>),
    /// Everything up to `head` may be shown to anybody now.
    Committed {
        /// The run.
        run: RunId,
        /// Seq of its last durable event.
        head: u64,
    },
    /// The run left memory.
    Evicted {
        /// The run.
        run: RunId,
        /// Why.
        why: Evicted,
    },
}

/// All runs of one process.
#[derive(Debug)]
pub struct Driver {
    config: DriveConfig,
    runs: HashMap<RunId, Driven>,
    /// Runs with something to commit, oldest first.
    waiting: VecDeque<RunId>,
    waiting_events: usize,
    waiting_since: Option<Timestamp>,
    /// Somebody waits for the next commit.
    urgent: bool,
    in_flight: Option<(BatchId, Vec<RunId>)>,
    timers: BTreeSet<(Timestamp, RunId)>,
    last_batch: u64,
    last_work: u64,
    has_lease: bool,
    draining: bool,
}

/// Where an effect belongs: a node run has at most one under way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    NodeRun(NodeRunRef),
    Output,
}

impl Slot {
    fn of(effect: &Effect) -> Self {
        match effect {
            Effect::Attempt { at, .. } | Effect::Abort { at } => Self::NodeRun(at.clone()),
            Effect::ListItems { node } | Effect::Collect { node } => Self::NodeRun(NodeRunRef::root(*node)),
            Effect::Output | Effect::AbortOutput => Self::Output,
        }
    }
}

impl Driver {
    /// A driver without runs.
    pub fn new(config: DriveConfig) -> Self {
        Self {
            config,
            runs: HashMap::new(),
            waiting: VecDeque::new(),
            waiting_events: 0,
            waiting_since: None,
            urgent: false,
            in_flight: None,
            timers: BTreeSet::new(),
            last_batch: 0,
            last_work: 0,
            has_lease: true,
            draining: false,
        }
    }

    /// How many runs are in memory.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether no run is in memory.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The runs in memory.
    pub fn ids(&self) -> impl Iterator<Item = RunId> + '_ {
        self.runs.keys().copied()
    }

    /// A run and its definition, for whoever carries out its work.
    pub fn run(&self, id: RunId) -> Option<(&Run, &Arc<Graph>)> {
        self.runs.get(&id).map(|driven| (&driven.run, &driven.graph))
    }

    /// The epoch under which a run is driven here.
    pub fn epoch(&self, id: RunId) -> Option<i64> {
        self.runs.get(&id).map(|driven| driven.epoch)
    }

    /// Whether something of the run was finished and committed since it came into memory.
    pub fn has_progressed(&self, id: RunId) -> bool {
        self.runs.get(&id).is_some_and(|driven| driven.has_progressed)
    }

    /// When [`Driver::poll`] has something to do by itself.
    pub fn next_poll(&self) -> Option<Timestamp> {
        let timer = self.timers.first().filter(|_| !self.draining).map(|(at, _)| *at);
        let flush =
            self.waiting_since.filter(|_| self.in_flight.is_none() && self.has_lease && !self.waiting.is_empty());
        let flush = flush.map(|since| since.plus(self.config.linger));
        timer.into_iter().chain(flush).min()
    }

    /// Takes what happened. Call [`Driver::poll`] once all that is at hand was taken.
    pub fn drive(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Created(created) => self.created(now, *created, out),
            Input::Loaded(loaded) => self.loaded(now, *loaded, out),
            Input::Inbox { run, epoch, id, fact } => self.message(now, run, epoch, id, fact, out),
            Input::Done { run, work, fact } => self.done(now, run, work, fact, out),
            Input::Flushed { batch, outcomes } => self.flushed(now, batch, outcomes, out),
            Input::FlushUnknown { batch } => self.flush_unknown(batch, out),
            Input::Head { run, seen } => self.head(now, run, seen, out),
            Input::LeaseLost => self.has_lease = false,
            Input::LeaseRegained => {
                self.has_lease = true;
                self.start_held_everywhere(out);
            }
            Input::Drain { force } => self.drain(now, force, out),
        }
    }

    /// Fires what is due and commits what should not wait any longer.
    pub fn poll(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some((_, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now && !self.draining) {
            match self.runs.get(&id).and_then(|driven| driven.run.due(now)) {
                Some(timer) => self.take(now, id, Event::TimerFired { timer }, None, out),
                None => self.rearm(id),
            }
        }
        self.flush_if_wanted(now, out);
    }

    fn created(&mut self, now: Timestamp, created: CreatedRun, out: &mut Vec<Output>) {
        let id = created.id;
        if !self.makes_way(id, created.epoch, out) {
            return;
        }
        let driven = Driven::new(Run::new(id), created.graph, created.epoch, 1, created.head_digest, false);
        self.runs.insert(id, driven);
        self.take_unrecorded_first(created.at, now, id, created.created, out);
    }

    /// Whether a run may come into memory: it may have come already, by another way or under a later epoch.
    fn makes_way(&mut self, id: RunId, epoch: i64, out: &mut Vec<Output>) -> bool {
        let held = self.runs.get(&id).map(|driven| driven.epoch);
        if held.is_some_and(|held| held < epoch) {
            self.evict(id, Evicted::Lost, out);
        }
        held.is_none_or(|held| held < epoch)
    }

    /// The first fact is in the journal already; only what follows from it is new.
    fn take_unrecorded_first(&mut self, at: Timestamp, now: Timestamp, id: RunId, fact: Event, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        match driven.take(at, fact, true) {
            Ok(effects) => self.after_step(now, id, effects, out),
            Err(error) => self.evict(id, Evicted::Defect(error), out),
        }
    }

    fn loaded(&mut self, now: Timestamp, loaded: LoadedRun, out: &mut Vec<Output>) {
        let Replayed { run, missing, effects } = loaded.replayed;
        let id = run.id();
        if !self.makes_way(id, loaded.epoch, out) {
            return;
        }
        let cautious = loaded.adoptions >= self.config.cautious_from;
        let is_active = run.is_active();
        let fresh = !missing.is_empty();
        let mut driven = Driven::new(run, loaded.graph, loaded.epoch, loaded.head, loaded.head_digest, cautious);
        missing.iter().for_each(|recorded| driven.note(&recorded.event));
        driven.pending = missing;
        self.runs.insert(id, driven);
        if let Some((message, fact)) = loaded.cancel {
            // What was missing in the journal is recorded, and its effects are stopped before they begin.
            if self.runs.get_mut(&id).is_some_and(|driven| driven.read_messages.insert(message)) {
                self.take(now, id, fact, Some(message), out);
            }
        } else if fresh {
            self.after_step(now, id, effects, out);
        } else if is_active {
            self.take(now, id, Event::RunRecovered { adoptions: loaded.adoptions }, None, out);
        } else {
            // Dormant runs are taken for a timer or a message; finished ones only by mistake.
            self.after_step(now, id, Vec::new(), out);
        }
    }

    fn message(&mut self, now: Timestamp, id: RunId, epoch: i64, message: InboxId, fact: Event, out: &mut Vec<Output>) {
        if self.draining {
            return;
        }
        let Some(driven) = self.runs.get_mut(&id).filter(|driven| driven.epoch == epoch) else { return };
        if driven.read_messages.insert(message) {
            self.take(now, id, fact, Some(message), out);
        }
    }

    fn done(&mut self, now: Timestamp, id: RunId, work: WorkId, fact: Event, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        let Some(slot) = driven.slots.remove(&work) else { return };
        driven.under_way.remove(&slot);
        self.take(now, id, fact, None, out);
    }

    fn take(&mut self, now: Timestamp, id: RunId, fact: Event, message: Option<InboxId>, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        driven.consumed.extend(message);
        match driven.take(now, fact, false) {
            Ok(effects) => self.after_step(now, id, effects, out),
            Err(error) => self.evict(id, Evicted::Defect(error), out),
        }
    }

    fn after_step(&mut self, now: Timestamp, id: RunId, effects: Vec<Effect>, out: &mut Vec<Output>) {
        let may_start = self.has_lease && !self.draining;
        let Some(driven) = self.runs.get_mut(&id) else { return };
        let barrier = driven.run.seq();
        for effect in effects {
            match &effect {
                Effect::Abort { .. } | Effect::AbortOutput => {
                    let slot = Slot::of(&effect);
                    driven.held.retain(|(_, held)| Slot::of(held) != slot);
                    if let Some(work) = driven.under_way.remove(&slot) {
                        driven.slots.remove(&work);
                        out.push(Output::Abort { work });
                    }
                }
                Effect::Attempt { .. } | Effect::ListItems { .. } | Effect::Collect { .. } | Effect::Output => {
                    if may_start && driven.may_start_now(&effect, barrier) {
                        self.last_work += 1;
                        out.push(driven.begin(WorkId(self.last_work), effect));
                    } else {
                        driven.held.push_back((barrier, effect));
                    }
                }
            }
        }
        self.rearm(id);
        self.note_waiting(now, id);
        if self.draining {
            self.release_if_idle(now, id, out);
        }
    }

    fn start_held_everywhere(&mut self, out: &mut Vec<Output>) {
        let mut ids: Vec<RunId> = self.runs.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.start_held(id, out);
        }
    }

    /// Begins what its barrier no longer holds back.
    fn start_held(&mut self, id: RunId, out: &mut Vec<Output>) {
        if !self.has_lease || self.draining {
            return;
        }
        let Some(driven) = self.runs.get_mut(&id) else { return };
        for (barrier, effect) in std::mem::take(&mut driven.held) {
            if driven.may_start_now(&effect, barrier) {
                self.last_work += 1;
                out.push(driven.begin(WorkId(self.last_work), effect));
            } else {
                driven.held.push_back((barrier, effect));
            }
        }
    }

    fn rearm(&mut self, id: RunId) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        let wake_at = driven.run.wake_at();
        if driven.armed == wake_at {
            return;
        }
        if let Some(at) = std::mem::replace(&mut driven.armed, wake_at) {
            self.timers.remove(&(at, id));
        }
        self.timers.extend(wake_at.map(|at| (at, id)));
    }

    fn evict(&mut self, id: RunId, why: Evicted, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.remove(&id) else { return };
        self.waiting_events -= driven.counted;
        if let Some(at) = driven.armed {
            self.timers.remove(&(at, id));
        }
        out.extend(driven.slots.into_keys().map(|work| Output::Abort { work }));
        out.push(Output::Evicted { run: id, why });
    }

    fn drain(&mut self, now: Timestamp, force: bool, out: &mut Vec<Output>) {
        self.draining = true;
        let mut ids: Vec<RunId> = self.runs.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            if let Some(driven) = self.runs.get_mut(&id).filter(|_| force) {
                driven.under_way.clear();
                out.extend(std::mem::take(&mut driven.slots).into_keys().map(|work| Output::Abort { work }));
            }
            self.release_if_idle(now, id, out);
        }
    }

    /// Hands a run back once nothing of it is under way: what was recorded as started but held back is told, so that
    /// the next owner begins it without doubt.
    fn release_if_idle(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        if driven.releasing || !driven.under_way.is_empty() || driven.in_batch.is_some() || driven.is_frozen {
            return;
        }
        driven.releasing = true;
        let unbegun: Vec<NodeRunRef> = std::mem::take(&mut driven.held)
            .into_iter()
            .filter_map(|(_, effect)| match effect {
                Effect::Attempt { at, .. } => Some(at),
                _ => None,
            })
            .collect();
        if unbegun.is_empty() || driven.run.is_finished() {
            self.note_waiting(now, id);
        } else {
            self.take(now, id, Event::RunReleased { unbegun }, None, out);
        }
    }
}

type Slots = BTreeMap<Slot, WorkId>;

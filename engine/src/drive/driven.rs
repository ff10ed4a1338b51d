//! One run on this process: its state, and what of it is not durable yet.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use super::batch::{Claim, RunFlush};
use super::{Output, Slot, Slots, WorkId};
use crate::catalog::EffectClass;
use crate::graph::Graph;
use crate::id::InboxId;
use crate::run::event::{Event, NodeRunRef, Recorded};
use crate::run::step::{Effect, step};
use crate::run::{Run, StepError, codec};
use crate::time::Timestamp;
use crate::value::Digest;

#[derive(Debug)]
pub(super) struct Driven {
    pub(super) run: Run,
    pub(super) graph: Arc<Graph>,
    pub(super) epoch: i64,
    /// Seq of the last event that is known to be durable.
    pub(super) durable: u64,
    pub(super) head_digest: Digest,
    /// Events that no batch carries yet.
    pub(super) pending: Vec<Recorded>,
    /// Node runs whose rows changed since the last batch.
    pub(super) changed: BTreeSet<NodeRunRef>,
    pub(super) consumed: Vec<InboxId>,
    /// Every message read since the run came into memory, so that a late delivery is known.
    pub(super) read_messages: HashSet<InboxId>,
    /// Effects that wait for a seq to be durable.
    pub(super) held: VecDeque<(u64, Effect)>,
    pub(super) under_way: Slots,
    pub(super) slots: BTreeMap<WorkId, Slot>,
    pub(super) in_batch: Option<InBatch>,
    /// What earlier flushes without an answer tried to write.
    pub(super) attempted: Vec<Attempted>,
    /// Whether it is unknown what is durable.
    pub(super) is_frozen: bool,
    /// Whether every step is to be durable before the next.
    pub(super) is_cautious: bool,
    /// Whether it is being handed back.
    pub(super) releasing: bool,
    /// Whether something was finished since the last batch.
    pub(super) progress: bool,
    /// Whether something that was finished here is durable.
    pub(super) has_progressed: bool,
    /// Whether it stands in the driver's queue.
    pub(super) is_queued: bool,
    /// How many of its events the driver's count of waiting events holds.
    pub(super) counted: usize,
    /// The timer that the driver has armed for it.
    pub(super) armed: Option<Timestamp>,
}

/// What a batch under way carries of a run; comes back when the batch fails.
#[derive(Debug)]
pub(super) struct InBatch {
    pub(super) events: Vec<Recorded>,
    pub(super) changed: BTreeSet<NodeRunRef>,
    pub(super) consumed: Vec<InboxId>,
    pub(super) progress: bool,
    pub(super) tried: Attempted,
}

/// Where a flush would have left the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempted {
    pub(super) head: u64,
    pub(super) digest: Digest,
    pub(super) claim: Claim,
}

impl Driven {
    pub(super) fn new(
        run: Run,
        graph: Arc<Graph>,
        epoch: i64,
        durable: u64,
        head_digest: Digest,
        is_cautious: bool,
    ) -> Self {
        Self {
            run,
            graph,
            epoch,
            durable,
            head_digest,
            pending: Vec::new(),
            changed: BTreeSet::new(),
            consumed: Vec::new(),
            read_messages: HashSet::new(),
            held: VecDeque::new(),
            under_way: Slots::new(),
            slots: BTreeMap::new(),
            in_batch: None,
            attempted: Vec::new(),
            is_frozen: false,
            is_cautious,
            releasing: false,
            progress: false,
            has_progressed: false,
            is_queued: false,
            counted: 0,
            armed: None,
        }
    }

    /// Gives a fact to the rules and keeps what they decide.
    pub(super) fn take(&mut self, at: Timestamp, fact: Event, is_recorded: bool) -> Result<Vec<Effect>, StepError> {
        let before = self.run.seq();
        let decision = step(&self.graph, &mut self.run, at, fact)?;
        let at = self.run.last_at();
        for (event, seq) in decision.events.into_iter().zip(before + 1..).skip(usize::from(is_recorded)) {
            self.note(&event);
            self.pending.push(Recorded { seq, at, event });
        }
        Ok(decision.effects)
    }

    /// Remembers whose rows an event changes.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::RunCreated { .. }
            | Event::InputEdited { .. }
            | Event::KeysRenewed { .. }
            | Event::KeyInherited { .. }
            | Event::RunRecovered { .. }
            | Event::RunReleased { .. }
            | Event::OutputEvaluated { .. }
            | Event::TimerFired { .. }
            | Event::SignalReceived { .. }
            | Event::CancelRequested { .. }
            | Event::UncertainResolved { .. }
            | Event::RunStarted
            | Event::RunEnding { .. }
            | Event::EvaluationFailed { node: None, .. } => {}
            Event::RunFinished { .. } => self.progress = true,
            Event::AttemptSucceeded { at, .. }
            | Event::AttemptWaits { at, .. }
            | Event::NodeSucceeded { at, .. }
            | Event::NodeFailed { at, .. } => {
                self.progress = true;
                self.changed(at);
            }
            Event::LeftOut { nodes, .. } => nodes.iter().for_each(|node| self.changed(&NodeRunRef::root(*node))),
            Event::AttemptFailed { at, .. }
            | Event::Reused { at, .. }
            | Event::NodeStarted { at, .. }
            | Event::NodeRetrying { at, .. }
            | Event::NodeCanceled { at }
            | Event::NodeTimedOut { at }
            | Event::NodeUncertain { at, .. } => self.changed(at),
            Event::ItemsListed { node, .. } | Event::ItemsCollected { node, .. } => {
                self.progress = true;
                self.changed(&NodeRunRef::root(*node));
            }
            Event::EvaluationFailed { node: Some(node), .. } | Event::NodeSkipped { node } => {
                self.changed(&NodeRunRef::root(*node))
            }
        }
    }

    fn changed(&mut self, at: &NodeRunRef) {
        if !at.scope.is_root() {
            self.changed.insert(NodeRunRef::root(at.node));
        }
        self.changed.insert(at.clone());
    }

    /// Whether an effect need not wait. Pure work may run ahead of the journal; anything else needs its own start, and
    /// so all before it, to be durable.
    pub(super) fn may_start_now(&self, effect: &Effect, barrier: u64) -> bool {
        let is_pure = match effect {
            Effect::Attempt { class, .. } => *class == EffectClass::Pure,
            Effect::ListItems { .. } | Effect::Collect { .. } | Effect::Output => true,
            Effect::Abort { .. } | Effect::AbortOutput => true,
        };
        !self.is_frozen && !self.releasing && (self.durable >= barrier || (is_pure && !self.is_cautious))
    }

    pub(super) fn begin(&mut self, work: WorkId, effect: Effect) -> Output {
        let slot = Slot::of(&effect);
        if let Some(earlier) = self.under_way.insert(slot.clone(), work) {
            self.slots.remove(&earlier);
        }
        self.slots.insert(work, slot);
        Output::Start { run: self.run.id(), work, effect }
    }

    /// Whether there is something to commit.
    pub(super) fn is_dirty(&self) -> bool {
        !self.pending.is_empty() || !self.consumed.is_empty() || self.releasing
    }

    /// Whether somebody waits for its next commit: an effect behind its barrier, a reader of a run that came to rest, a
    /// sender of a message.
    pub(super) fn is_urgent(&self) -> bool {
        self.is_dirty()
            && (!self.held.is_empty()
                || !self.run.is_active()
                || !self.consumed.is_empty()
                || self.is_cautious
                || self.releasing)
    }

    /// Moves everything pending into a flush.
    pub(super) fn flush(
        &mut self,
        now: Timestamp,
        dormant_after: std::time::Duration,
    ) -> Result<RunFlush, codec::CodecError> {
        let id = self.run.id();
        let records = codec::encode(id, &self.pending, self.head_digest)?;
        let claim = self.next_claim(now, dormant_after);
        let tried = Attempted {
            head: self.pending.last().map_or(self.durable, |recorded| recorded.seq),
            digest: records.last().map_or(self.head_digest, |record| record.digest),
            claim,
        };
        let events = std::mem::take(&mut self.pending);
        let changed = std::mem::take(&mut self.changed);
        let consumed = std::mem::take(&mut self.consumed);
        let progress = std::mem::take(&mut self.progress);
        let flush = RunFlush {
            run: id,
            epoch: self.epoch,
            expected_head: self.durable,
            head: tried.head,
            head_digest: tried.digest,
            records,
            row: self.run.row(claim, progress),
            node_runs: changed.iter().filter_map(|at| self.run.node_run_row(&self.graph, at)).collect(),
            consumed: consumed.clone(),
            blobs: blobs(&events),
        };
        self.in_batch = Some(InBatch { events, changed, consumed, progress, tried });
        Ok(flush)
    }

    fn next_claim(&self, now: Timestamp, dormant_after: std::time::Duration) -> Claim {
        let rests = !self.run.is_active() && self.held.is_empty() && self.under_way.is_empty();
        if self.run.is_finished() {
            Claim::Done
        } else if self.releasing {
            if rests { Claim::Dormant } else { Claim::Ready }
        } else if rests && self.run.wake_at().is_none_or(|at| at.since(now) > dormant_after) {
            Claim::Dormant
        } else {
            Claim::Owned
        }
    }

    /// Puts back what a batch carried, before everything that came later.
    pub(super) fn take_back(&mut self) {
        let Some(batch) = self.in_batch.take() else { return };
        let later = std::mem::replace(&mut self.pending, batch.events);
        self.pending.extend(later);
        self.changed.extend(batch.changed);
        let later = std::mem::replace(&mut self.consumed, batch.consumed);
        self.consumed.extend(later);
        self.progress |= batch.progress;
        if !self.attempted.contains(&batch.tried) {
            self.attempted.push(batch.tried);
        }
    }
}

/// The blobs that new events refer to, each once.
fn blobs(events: &[Recorded]) -> Vec<Digest> {
    let mut found = BTreeSet::new();
    for recorded in events {
        recorded.event.values(|value| {
            if value.is_blob() {
                found.insert(value.digest);
            }
        });
    }
    found.into_iter().collect()
}

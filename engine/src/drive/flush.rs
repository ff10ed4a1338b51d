//! What is committed when, and what follows from how it ended.

use super::batch::{Batch, BatchId, Claim, FlushOutcome};
use super::driven::Attempted;
use super::{Driver, Evicted, HeadSeen, Output};
use crate::error::ErrorInfo;
use crate::id::RunId;
use crate::run::StepError;
use crate::time::Timestamp;

impl Driver {
    /// Puts a run into the queue when it has something to commit.
    pub(super) fn note_waiting(&mut self, now: Timestamp, id: RunId) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        if !driven.is_dirty() {
            return;
        }
        self.waiting_events += driven.pending.len() - driven.counted;
        driven.counted = driven.pending.len();
        if driven.in_batch.is_some() || driven.is_frozen {
            return;
        }
        self.urgent |= driven.is_urgent();
        self.waiting_since = self.waiting_since.or(Some(now));
        if !std::mem::replace(&mut driven.is_queued, true) {
            self.waiting.push_back(id);
        }
    }

    pub(super) fn flush_if_wanted(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        if self.in_flight.is_some() || !self.has_lease || self.waiting.is_empty() {
            return;
        }
        let waited = self.waiting_since.is_some_and(|since| now >= since.plus(self.config.linger));
        if self.urgent || waited || self.waiting_events >= self.config.most_waiting {
            self.flush(now, out);
        }
    }

    fn flush(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let mut runs = Vec::new();
        let mut events = 0;
        while let Some(id) = self.waiting.pop_front() {
            let Some(driven) = self.runs.get_mut(&id) else { continue };
            driven.is_queued = false;
            if driven.in_batch.is_some() || driven.is_frozen || !driven.is_dirty() {
                continue;
            }
            self.waiting_events -= std::mem::take(&mut driven.counted);
            events += driven.pending.len();
            match driven.flush(now, self.config.dormant_after) {
                Ok(flush) => runs.push(flush),
                Err(error) => {
                    let error = ErrorInfo::permanent("JOURNAL_UNWRITABLE", error.to_string());
                    self.unwritable(id, error, out);
                }
            }
            if events >= self.config.most_events {
                break;
            }
        }
        self.waiting_since = (!self.waiting.is_empty()).then_some(now);
        self.urgent = self.waiting.iter().filter_map(|id| self.runs.get(id)).any(super::Driven::is_urgent);
        if runs.is_empty() {
            return;
        }
        self.last_batch += 1;
        let id = BatchId(self.last_batch);
        self.in_flight = Some((id, runs.iter().map(|flush| flush.run).collect()));
        out.push(Output::Flush(Batch { id, runs }));
    }

    pub(super) fn flushed(
        &mut self,
        now: Timestamp,
        batch: BatchId,
        outcomes: Vec<(RunId, FlushOutcome)>,
        out: &mut Vec<Output>,
    ) {
        if self.in_flight.as_ref().is_none_or(|(id, _)| *id != batch) {
            return;
        }
        self.in_flight = None;
        let mut refused = Vec::new();
        for (id, outcome) in outcomes {
            match outcome {
                FlushOutcome::Committed => self.committed(now, id, out),
                FlushOutcome::Parked => self.evict(id, Evicted::Parked, out),
                FlushOutcome::Refused => {
                    self.freeze(id);
                    refused.push(id);
                }
            }
        }
        if !refused.is_empty() {
            out.push(Output::ReadHeads(refused));
        }
    }

    fn committed(&mut self, now: Timestamp, id: RunId, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        let Some(batch) = driven.in_batch.take() else { return };
        driven.has_progressed |= batch.progress;
        self.settle_at(now, id, batch.tried, out);
    }

    /// Everything up to `at` is durable.
    fn settle_at(&mut self, now: Timestamp, id: RunId, at: Attempted, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id) else { return };
        driven.durable = at.head;
        driven.head_digest = at.digest;
        driven.attempted.clear();
        driven.is_frozen = false;
        out.push(Output::Committed { run: id, head: at.head });
        match at.claim {
            Claim::Done => self.evict(id, Evicted::Finished, out),
            // What came in meanwhile is still in the inbox, or due by `wake_at`.
            Claim::Dormant => self.evict(id, Evicted::Dormant, out),
            Claim::Ready | Claim::Parked => self.evict(id, Evicted::Released, out),
            Claim::Owned => {
                self.start_held(id, out);
                self.note_waiting(now, id);
                if self.draining {
                    self.release_if_idle(now, id, out);
                }
            }
        }
    }

    /// Until it is known what is durable, nothing of the run is answered, begun or shown.
    fn freeze(&mut self, id: RunId) {
        if let Some(driven) = self.runs.get_mut(&id) {
            driven.take_back();
            driven.is_frozen = true;
        }
    }

    pub(super) fn flush_unknown(&mut self, batch: BatchId, out: &mut Vec<Output>) {
        let Some((_, runs)) = self.in_flight.take_if(|(id, _)| *id == batch) else { return };
        runs.iter().for_each(|id| self.freeze(*id));
        out.push(Output::ReadHeads(runs));
    }

    pub(super) fn head(&mut self, now: Timestamp, id: RunId, seen: Option<HeadSeen>, out: &mut Vec<Output>) {
        let Some(driven) = self.runs.get_mut(&id).filter(|driven| driven.is_frozen) else { return };
        let Some(seen) = seen else { return self.evict(id, Evicted::Lost, out) };
        let written =
            driven.attempted.iter().copied().find(|tried| tried.head == seen.head && tried.digest == seen.digest);
        if let Some(tried) = written.filter(|tried| seen.ours == (tried.claim == Claim::Owned)) {
            driven.pending.retain(|recorded| recorded.seq > tried.head);
            self.waiting_events -= std::mem::take(&mut driven.counted);
            return self.settle_at(now, id, tried, out);
        }
        if !seen.ours || seen.head != driven.durable {
            return self.evict(id, Evicted::Lost, out);
        }
        // Nothing was written so far. A commit that still hangs somewhere changes the head, the next flush is refused,
        // and the head is read again.
        driven.is_frozen = false;
        self.start_held(id, out);
        self.note_waiting(now, id);
        if self.draining {
            self.release_if_idle(now, id, out);
        }
    }

    /// A run whose events cannot be written is put aside rather than lost.
    pub(super) fn unwritable(&mut self, id: RunId, error: ErrorInfo, out: &mut Vec<Output>) {
        self.evict(id, Evicted::Defect(StepError::Unwritable(error)), out);
    }
}

//! Rebuilds a run from its journal and checks on the way that the rules decide the same again.

use std::collections::VecDeque;

use super::event::{Event, Recorded};
use super::step::{Effect, step};
use super::{Run, StepError};
use crate::graph::Graph;
use crate::id::RunId;
use crate::time::Timestamp;

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The rules could not take a fact.
    #[error("at seq {seq}: {error}")]
    Step {
        /// Where.
        seq: u64,
        /// Why.
        error: StepError,
    },
    /// The rules decide otherwise than they once did.
    #[error("at seq {seq} the journal says {recorded:?} but the rules decide {decided:?}")]
    Diverged {
        /// Where.
        seq: u64,
        /// What is in the journal.
        recorded: Box<Event>,
        /// What follows now; `None` when nothing does.
        decided: Option<Box<Event>>,
    },
    /// A seq is missing or stands twice.
    #[error("seq {found} stands where {expected} should")]
    Gap {
        /// What should stand there.
        expected: u64,
        /// What does.
        found: u64,
    },
}

/// A run as its journal leaves it.
#[derive(Debug)]
pub struct Replayed {
    /// What the rules remember.
    pub run: Run,
    /// Decisions that follow from the last recorded fact but are not in the journal; they are to be recorded next.
    pub missing: Vec<Recorded>,
    /// What follows from the last facts and may not have been done. Only of use with `missing`: anything else that was
    /// under way is found by `RunRecovered`.
    pub effects: Vec<Effect>,
}

/// Replays a journal from its first event.
///
/// # Errors
/// When the journal has a gap or the rules no longer decide what it holds.
pub fn replay(graph: &Graph, id: RunId, journal: impl IntoIterator<Item = Recorded>) -> Result<Replayed, ReplayError> {
    let mut run = Run::new(id);
    let mut expected: VecDeque<Event> = VecDeque::new();
    let mut effects = Vec::new();
    let mut seq = 0;
    let mut last_at = Timestamp::default();
    for recorded in journal {
        seq += 1;
        if recorded.seq != seq {
            return Err(ReplayError::Gap { expected: seq, found: recorded.seq });
        }
        last_at = recorded.at;
        if let Some(decided) = expected.pop_front() {
            if decided != recorded.event {
                return Err(ReplayError::Diverged {
                    seq,
                    recorded: Box::new(recorded.event),
                    decided: Some(Box::new(decided)),
                });
            }
            continue;
        }
        if !recorded.event.is_fact() {
            return Err(ReplayError::Diverged { seq, recorded: Box::new(recorded.event), decided: None });
        }
        let decision = step(graph, &mut run, recorded.at, recorded.event.clone())
            .map_err(|error| ReplayError::Step { seq, error })?;
        effects = decision.effects;
        expected = decision.events.into();
        if expected.pop_front().as_ref() != Some(&recorded.event) {
            return Err(ReplayError::Diverged { seq, recorded: Box::new(recorded.event), decided: None });
        }
    }
    let missing: Vec<Recorded> =
        expected.into_iter().zip(seq + 1..).map(|(event, seq)| Recorded { seq, at: last_at, event }).collect();
    if missing.is_empty() {
        effects.clear();
    }
    Ok(Replayed { run, missing, effects })
}

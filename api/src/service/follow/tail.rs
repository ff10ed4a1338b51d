//! A run's journal, read forward.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::id::RunId;
use engine::run::event::{Event, Recorded};
use engine::time::Timestamp;
use tokio::time::Instant;

use super::{Followed, PAGE, Source, wait};
use crate::app::App;
use crate::auth::Scope;
use crate::auth::cursor::CursorKey;
use crate::service::ServiceError;
use crate::service::veil::Veil;
use crate::store;

const KIND: &str = "run-events";

/// Reads a run's journal forward, at most [`PAGE`] events at a time, and waits for more.
pub(in crate::service) struct Tail {
    app: Arc<App>,
    scope: Scope,
    run: RunId,
    /// The last event that was handed out.
    seq: u64,
    pending: VecDeque<Recorded>,
    wakes: runtime::event::Wakes,
}

impl Tail {
    /// Goes on after `seq`. It listens from now on, so that nothing committed after the first read is missed.
    pub(in crate::service) fn new(app: Arc<App>, scope: Scope, run: RunId, seq: u64) -> Self {
        let wakes = app.runtime.bus().subscribe(run);
        Self { app, scope, run, seq, pending: VecDeque::new(), wakes }
    }

    /// The next event that was read.
    pub(in crate::service) fn pop(&mut self) -> Option<Recorded> {
        let event = self.pending.pop_front()?;
        self.seq = event.seq;
        Some(event)
    }

    /// Reads on; whether there was something.
    pub(in crate::service) async fn read(&mut self) -> Result<bool, ServiceError> {
        self.pending.extend(self.app.runtime.events(self.run, self.seq, PAGE).await?);
        Ok(!self.pending.is_empty())
    }

    /// Whether the last event handed out is the run's last of all.
    async fn has_ended(&self) -> Result<bool, ServiceError> {
        let run = store::run::find(self.app.runtime.database(), &self.scope, self.run).await?;
        Ok(run.is_none_or(|run| run.status.is_final() && run.last_seq <= self.seq))
    }

    /// Waits until reading may be worthwhile; false when `until` came first.
    pub(in crate::service) async fn wait(&mut self, until: Instant) -> bool {
        wait(&mut self.wakes, until).await
    }
}

/// A run's events, with all that showing them takes.
pub(super) struct RunSource {
    tail: Tail,
    keys: Arc<[String]>,
    veil: Option<Veil>,
    cursors: CursorKey,
    is_over: bool,
}

impl RunSource {
    pub(super) fn new(tail: Tail, keys: Arc<[String]>, veil: Option<Veil>, cursors: CursorKey) -> Self {
        Self { tail, keys, veil, cursors, is_over: false }
    }
}

/// The number that a cursor of this run's events names.
pub(super) fn place_of(cursors: &CursorKey, text: &str, run: RunId) -> Option<u64> {
    let place = cursors.place(KIND, text)?;
    let (id, seq) = place.split_once(' ')?;
    (id.parse() == Ok(run)).then(|| seq.parse().ok()).flatten()
}

fn cursor_at(cursors: &CursorKey, run: RunId, seq: u64) -> String {
    cursors.cursor(KIND, &format!("{run} {seq}"))
}

impl Source for RunSource {
    fn pop(&mut self) -> Option<(Timestamp, Followed)> {
        let event = self.tail.pop()?;
        self.is_over = matches!(event.event, Event::RunFinished { .. });
        let event = match &self.veil {
            Some(veil) => veil.event(event),
            None => event,
        };
        let keys = Arc::clone(&self.keys);
        Some((event.at, Followed::RunEvent { event: Box::new(event), keys }))
    }

    async fn read(&mut self) -> Result<bool, ServiceError> {
        if self.is_over || !self.tail.read().await? {
            return Ok(false);
        }
        match self.tail.pending.front().map(|first| first.seq) {
            Some(first) if first > self.tail.seq + 1 => {
                Err(ServiceError::CursorExpired { oldest: cursor_at(&self.cursors, self.tail.run, first - 1) })
            }
            _ => Ok(true),
        }
    }

    async fn caught_up(&mut self) -> Result<(), ServiceError> {
        // Whoever comes back after the last event sees no RunFinished any more.
        self.is_over = self.is_over || self.tail.has_ended().await?;
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    async fn wait(&mut self, until: Instant) -> bool {
        self.tail.wait(until).await
    }

    fn seq(&self) -> u64 {
        self.tail.seq
    }

    fn cursor(&self) -> String {
        cursor_at(&self.cursors, self.tail.run, self.tail.seq)
    }
}

//! Following a run by cursor: stored events, one marker, live events. No gap, no repeat, in order, also when the
//! reader comes back after a restart of either side.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{RunId, WorkspaceId};
use engine::run::event::{Event, Recorded};
use engine::time::Timestamp;
use futures::Stream;
use tokio::time::Instant;

use super::{ServiceError, plan, run};
use crate::app::App;
use crate::auth::Viewer;
use crate::auth::cursor::CursorKey;
use crate::store;

/// Most events that one read takes, and that one follower holds.
const PAGE: u32 = 500;
/// A lost wake-up costs this much at most.
const NET: Duration = Duration::from_secs(1);
/// How long a follower goes without a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

const EVENTS: &str = "run-events";

/// One delivery to a follower.
#[derive(Debug)]
pub struct Delivery {
    /// Where to go on.
    pub cursor: String,
    /// When it happened, or when the marker was made.
    pub at: Timestamp,
    /// What it is.
    pub what: Followed,
}

/// What a follower is told.
#[derive(Debug)]
pub enum Followed {
    /// Something happened.
    Event {
        /// What, with its number.
        event: Box<Recorded>,
        /// Node keys by the numbers that events use.
        keys: Arc<[String]>,
    },
    /// Everything stored before was delivered.
    CaughtUp {
        /// The number of the last event delivered, or that the cursor named.
        last_seq: u64,
    },
    /// Nothing happened for a while, and the stream lives.
    Heartbeat,
}

/// Follows a run from a cursor, or from its beginning. The stream ends after the run's last event.
///
/// # Errors
/// `NotFound` also for another workspace's run; a cursor of another run or from beyond its last event.
pub async fn run_events(
    app: &Arc<App>,
    viewer: &Viewer,
    id: RunId,
    after: Option<&str>,
) -> Result<impl Stream<Item = Result<Delivery, ServiceError>> + use<>, ServiceError> {
    let run = run::get(app, viewer, id).await?;
    let seq = match after {
        None => 0,
        Some(text) => place_of(&viewer.cursors, text, id)
            .filter(|seq| *seq <= run.last_seq)
            .ok_or_else(|| ServiceError::invalid("after", "`after` is not a cursor of this run's events"))?,
    };
    let keys = Arc::clone(&plan::get(app, viewer.workspace, &run.hash).await?.keys);
    let tail = Tail::new(Arc::clone(app), viewer.workspace, id, seq);
    let follower =
        Follower { tail, cursors: viewer.cursors, keys, caught_up: false, over: false, told_at: Instant::now() };
    Ok(futures::stream::unfold(follower, |mut follower| async move {
        match follower.next().await {
            Ok(Some(delivery)) => Some((Ok(delivery), follower)),
            Ok(None) => None,
            Err(error) => {
                follower.over = true;
                follower.caught_up = true;
                follower.tail.pending.clear();
                Some((Err(error), follower))
            }
        }
    }))
}

fn cursor_at(key: &CursorKey, run: RunId, seq: u64) -> String {
    key.cursor(EVENTS, &format!("{run} {seq}"))
}

fn place_of(key: &CursorKey, text: &str, run: RunId) -> Option<u64> {
    let place = key.place(EVENTS, text)?;
    let (id, seq) = place.split_once(' ')?;
    (id.parse() == Ok(run)).then(|| seq.parse().ok()).flatten()
}

struct Follower {
    tail: Tail,
    cursors: CursorKey,
    keys: Arc<[String]>,
    caught_up: bool,
    /// The run's last event is behind us.
    over: bool,
    told_at: Instant,
}

impl Follower {
    async fn next(&mut self) -> Result<Option<Delivery>, ServiceError> {
        loop {
            if let Some(event) = self.tail.pop() {
                self.over = matches!(event.event, Event::RunFinished { .. });
                let at = event.at;
                let (event, keys) = (Box::new(event), Arc::clone(&self.keys));
                return Ok(Some(self.tell(at, Followed::Event { event, keys })));
            }
            if !self.over && self.tail.read().await? {
                continue;
            }
            if !self.caught_up {
                self.caught_up = true;
                // Whoever comes back after the last event sees no RunFinished any more.
                self.over = self.over || self.tail.has_ended().await?;
                let now = self.tail.app.runtime.now();
                return Ok(Some(self.tell(now, Followed::CaughtUp { last_seq: self.tail.seq })));
            }
            if self.over {
                return Ok(None);
            }
            if !self.tail.wait(self.told_at + HEARTBEAT).await {
                let now = self.tail.app.runtime.now();
                return Ok(Some(self.tell(now, Followed::Heartbeat)));
            }
        }
    }

    fn tell(&mut self, at: Timestamp, what: Followed) -> Delivery {
        self.told_at = Instant::now();
        Delivery { cursor: cursor_at(&self.cursors, self.tail.run, self.tail.seq), at, what }
    }
}

/// Reads a run's journal forward, at most [`PAGE`] events at a time, and waits for more.
pub(super) struct Tail {
    app: Arc<App>,
    workspace: WorkspaceId,
    run: RunId,
    /// The last event that was handed out.
    seq: u64,
    pending: VecDeque<Recorded>,
    wakes: runtime::event::Wakes,
}

impl Tail {
    /// Goes on after `seq`. It listens from now on, so that nothing committed after the first read is missed.
    pub(super) fn new(app: Arc<App>, workspace: WorkspaceId, run: RunId, seq: u64) -> Self {
        let wakes = app.runtime.bus().subscribe(run);
        Self { app, workspace, run, seq, pending: VecDeque::new(), wakes }
    }

    /// The next event that was read.
    pub(super) fn pop(&mut self) -> Option<Recorded> {
        let event = self.pending.pop_front()?;
        self.seq = event.seq;
        Some(event)
    }

    /// Reads on; whether there was something.
    pub(super) async fn read(&mut self) -> Result<bool, ServiceError> {
        self.pending.extend(self.app.runtime.events(self.run, self.seq, PAGE).await?);
        Ok(!self.pending.is_empty())
    }

    /// Whether the last event handed out is the run's last of all.
    pub(super) async fn has_ended(&self) -> Result<bool, ServiceError> {
        let run = store::run::find(self.app.runtime.database(), self.workspace, self.run).await?;
        Ok(run.is_none_or(|run| run.status.is_final() && run.last_seq <= self.seq))
    }

    /// Waits until reading may be worthwhile; false when `until` came first.
    pub(super) async fn wait(&mut self, until: Instant) -> bool {
        let net = Instant::now() + NET;
        tokio::select! {
            () = self.wakes.woken() => true,
            () = tokio::time::sleep_until(net.min(until)) => net < until,
        }
    }
}
